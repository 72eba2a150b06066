// AlipayJSBridge as Alipay puts it into a page: there some time after the page's own scripts have begun.
(() => {
  'use strict';
  const { phone, prefix } = document.currentScript.dataset;
  const leave = () => location.replace(prefix + '/~closed');

  function call(name, args, back) {
    const hear = typeof args === 'function' ? args : back;
    if (name === 'exitApp' || name === 'popWindow' || name === 'closeWebview') return leave();
    if (name !== 'tradePay') return hear && hear({});
    SandboxSheet.ask('alipay', String((args && args.tradeNO) || ''), phone).then((how) => {
      if (how.endsWith('closed')) return leave();
      const codes = { paid: '9000', cancelled: '6001', failed: '4000' };
      return hear && hear({ resultCode: codes[how] });
    });
  }

  function appear() {
    window.AlipayJSBridge = { call };
    document.dispatchEvent(new Event('AlipayJSBridgeReady'));
  }
  document.addEventListener('DOMContentLoaded', () => setTimeout(appear, 50));
})();
