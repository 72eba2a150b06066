// The payer's sheet: what WeChat or Alipay draws over a page when the page asks for money.
// It stands in an open shadow root under #sandbox-sheet, so the page's styles and it do not meddle.
// Buttons by name: pay, pay-and-close, wrong-password, cancel, close.
(() => {
  'use strict';
  const STYLE = `
    dialog { margin: auto 0 0; width: 100%; max-width: 100%; box-sizing: border-box; border: 0; padding: 20px 20px 24px;
      border-radius: 16px 16px 0 0; background: #fff; color: #111; text-align: center;
      font: 16px/1.5 system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", sans-serif; color-scheme: light; }
    dialog::backdrop { background: rgba(0, 0, 0, .5); }
    h2 { margin: 0; font-size: 17px; font-weight: 600; }
    p { margin: 4px 0; }
    .amount { font-size: 36px; font-weight: 600; line-height: 1.3; }
    .small { color: #666; font-size: 13px; overflow-wrap: anywhere; }
    .alarm { color: #c0341d; min-height: 1.5em; }
    button { display: block; width: 100%; margin: 8px 0 0; padding: 11px; border: 0; border-radius: 8px; font: inherit;
      background: #f0f1f2; color: #111; cursor: pointer; }
    button:focus-visible { outline: 3px solid #111; outline-offset: 2px; }
    .two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 8px; }
    dialog:focus { outline: none; }
    .wechat { background: #077a3e; color: #fff; }
    .alipay { background: #1668d6; color: #fff; }
    [hidden] { display: none !important; }`;
  const NAMES = { wechat: '微信支付', alipay: '支付宝' };

  async function control(what, body) {
    const answer = await fetch('/control/' + what, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    const said = await answer.json().catch(() => ({}));
    return answer.ok ? said : Promise.reject(new Error(said.text || '沙箱没有应答'));
  }

  function element(tag, attributes, text) {
    const made = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    made.textContent = text || '';
    return made;
  }

  function sheet(channel) {
    const host = element('div', { id: 'sandbox-sheet' });
    const root = host.attachShadow({ mode: 'open' });
    const dialog = element('dialog', { 'aria-label': NAMES[channel] });
    root.append(element('style', {}, STYLE), dialog);
    document.documentElement.append(host);
    return { host, dialog };
  }

  /** Shows why nothing can be paid; settles when it has been read. */
  function tell(channel, text) {
    const { host, dialog } = sheet(channel);
    const ok = element('button', { name: 'ok', class: channel }, '知道了');
    dialog.append(element('h2', {}, NAMES[channel]), element('p', { class: 'alarm' }, text), ok);
    dialog.showModal();
    return new Promise((done) => {
      dialog.addEventListener('close', () => { host.remove(); done(); });
      ok.addEventListener('click', () => dialog.close());
    });
  }

  /**
   * Asks the payer. Settles with 'paid', 'cancelled', 'failed', 'closed' or 'paid-and-closed'; after the last two the
   * page must never hear anything.
   */
  async function ask(channel, code, phone) {
    const who = { channel, code, phone };
    let offer;
    try {
      offer = await control('open', who);
    } catch (error) {
      await tell(channel, error.message);
      return 'failed';
    }
    const { host, dialog } = sheet(channel);
    const amount = '¥' + (offer.amount / 100).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',');
    const alarm = element('p', { class: 'alarm', role: 'alert' });
    const choices = element('div', {});
    const two = element('div', { class: 'two' });
    two.append(
      element('button', { name: 'wrong-password' }, '密码错误'),
      element('button', { name: 'cancel' }, '取消'),
      element('button', { name: 'pay-and-close' }, '付款后关 App'),
      element('button', { name: 'close' }, '直接关 App'),
    );
    choices.append(element('button', { name: 'pay', class: channel }, '确认付款 Pay'), two);
    dialog.append(
      element('h2', {}, offer.merchant_name), element('p', { class: 'small' }, offer.description),
      element('p', { class: 'amount' }, amount), alarm, choices,
      element('p', { class: 'small' }, NAMES[channel] + ' · ' + offer.out_trade_no),
    );
    dialog.showModal();
    // the amount is read first; no key pressed by habit may pay
    dialog.tabIndex = -1;
    dialog.focus();
    return new Promise((done) => {
      const end = (how) => { host.remove(); done(how); };
      const pay = async (how) => {
        choices.inert = true;
        try {
          await control('pay', who);
        } catch (error) {
          choices.inert = false;
          alarm.textContent = error.message;
          return;
        }
        alarm.textContent = '';
        choices.replaceWith(element('h2', {}, '支付成功'));
        setTimeout(() => end(how), 700);
      };
      const acts = {
        'pay': () => pay('paid'),
        'pay-and-close': () => pay('paid-and-closed'),
        'wrong-password': () => control('wrong-password', who).catch((error) => { alarm.textContent = error.message; }),
        'cancel': () => end('cancelled'),
        'close': () => end('closed'),
      };
      dialog.addEventListener('click', (event) => (acts[event.target.name] || (() => {}))());
      dialog.addEventListener('cancel', (event) => { event.preventDefault(); end('cancelled'); });
    });
  }

  window.SandboxSheet = { ask, tell, control };
})();
