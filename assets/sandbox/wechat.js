// WeixinJSBridge as WeChat puts it into a page: there some time after the page's own scripts have begun.
(() => {
  'use strict';
  const { phone, prefix } = document.currentScript.dataset;
  const leave = () => location.replace(prefix + '/~closed');

  async function pay(call) {
    let prepay;
    try {
      prepay = (await SandboxSheet.control('bridge', call)).prepay_id;
    } catch (error) {
      await SandboxSheet.tell('wechat', error.message);
      return 'failed';
    }
    return SandboxSheet.ask('wechat', prepay, phone);
  }

  function invoke(name, call, back) {
    const say = (word, why) => back && back({ err_msg: name + ':' + word, ...(why && { err_desc: why }) });
    if (name === 'closeWindow') return leave();
    if (name !== 'getBrandWCPayRequest') return say('ok');
    pay(call).then((how) => {
      if (how.endsWith('closed')) return leave();
      const words = { paid: 'ok', cancelled: 'cancel', failed: 'fail' };
      return back && back({ err_msg: 'get_brand_wcpay_request:' + words[how] });
    });
  }

  function appear() {
    window.WeixinJSBridge = { invoke, call: (name, args) => invoke(name, args), on: () => {} };
    document.dispatchEvent(new Event('WeixinJSBridgeReady'));
  }
  document.addEventListener('DOMContentLoaded', () => setTimeout(appear, 50));
})();
