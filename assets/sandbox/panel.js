// What stands behind the phones: the bank's trades, the payer's wallet, the notices, the faults.
'use strict';
const CHANNELS = { wechat: '微信', alipay: '支付宝', unionpay: '银联' };
const PRODUCTS = {
  wechat_jsapi: 'JSAPI', wechat_h5: 'H5', wechat_native: '扫码 Native', alipay_wap: '手机网站 wap', alipay_page: '电脑网站 page',
  alipay_precreate: '扫码 precreate', alipay_jsapi: 'JSAPI', unionpay_wap: '手机网关 08', unionpay_page: '电脑网关 07',
};
const STATES = {
  not_pay: ['待支付', 'unpaid', 'wait'], paid: ['已支付', 'paid', 'good'], closed: ['已关闭', 'closed', ''],
};
const GROUPS = [
  ['通知', 'Notices', (code) => code.endsWith('_notice')],
  ['应答', 'Answers', (code) => code.startsWith('answer_') || code.endsWith('_answer') || /^(hang|down)/.test(code)],
  ['内容不符', 'Untrue contents', (code) => /^(wrong|foreign)_/.test(code)],
  ['退款', 'Refunds', (code) => code.startsWith('refund_')],
  ['其他', 'Others', () => true],
];
const panel = { words: {}, known: [], channel: '', drawn: '' };
const yuan = (fen) => '¥' + (fen / 100).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',');
const json = (body) => (
  { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

function table(heads, rows, empty) {
  if (!rows.length) return make('p', { class: 'note' }, empty);
  const head = (cell) => make('th', { class: cell.startsWith('>') ? 'sum' : null }, cell.replace('>', ''));
  return make('div', { class: 'scroll' }, make('table', {},
    make('thead', {}, make('tr', {}, ...heads.map(head))), make('tbody', {}, ...rows)));
}
const cell = (...children) => make('td', {}, ...children);
const sum = (...children) => make('td', { class: 'sum' }, ...children);
const sub = (text) => make('div', { class: 'sub' }, text);

function tradeRow(trade) {
  const [zh, en, tone] = STATES[trade.state];
  const arrived = trade.refunds.filter((refund) => refund.state === 'success');
  const back = arrived.reduce((all, one) => all + one.amount_fen, 0);
  const waiting = trade.refunds.filter((refund) => refund.state !== 'success');
  return make('tr', {},
    cell(trade.description, sub(trade.out_trade_no)),
    cell(CHANNELS[trade.channel], sub(PRODUCTS[trade.product])),
    sum(yuan(trade.total_fen), back ? sub('退 −' + yuan(back)) : null),
    cell(make('span', { class: tone }, ...both(zh, en)), trade.phone ? sub(nameOf(trade.phone)) : null,
      ...waiting.map((refund) => sub(`退款 ${refund.state} ${yuan(refund.amount_fen)}`)),
      sub((trade.at || trade.ordered_at).slice(5, 19).replace('T', ' '))));
}
function nameOf(phone) {
  const at = world.phones.indexOf(phone);
  return at < 0 ? phone : `手机 ${at + 1}`;
}

function drawTrades(state) {
  const cards = state.merchants.filter((one) => one.paid_trades).map((one) => make('div', {},
    `${one.name} · ${CHANNELS[one.channel]}`, make('b', {}, yuan(one.received_fen - one.sent_back_fen)),
    make('span', { class: 'note' }, `收 ${yuan(one.received_fen)}（${one.paid_trades} 笔），退 ${yuan(one.sent_back_fen)}`)));
  byId('trades').replaceChildren(
    make('h2', {}, ...both('商户收到的钱', 'What merchants received')),
    cards.length ? make('div', { class: 'cards' }, ...cards) : make('p', { class: 'note' }, '还没有。None yet.'),
    make('h2', {}, ...both(`渠道的交易（共 ${state.all_trades} 笔）`, 'Trades at the channels')),
    table(['商品 Item', '渠道 Channel', '>金额 Amount', '状态 State'], state.trades.map(tradeRow),
      '还没有交易：在左边的手机上缴一笔费。No trades yet: pay something on the phone.'));
}

function drawWallet(state) {
  const { wallet } = state;
  const row = (one) => make('tr', {}, cell(one.description, sub(one.out_trade_no)), cell(CHANNELS[one.channel]),
    sum('−' + yuan(one.paid_fen)), sum(one.back_fen ? '+' + yuan(one.back_fen) : ''));
  byId('wallet').replaceChildren(
    make('h2', {}, ...both(`${nameOf(world.phone)} 的钱包`, "This phone's wallet")),
    make('div', { class: 'cards' },
      make('div', {}, '付出 Paid', make('b', {}, yuan(wallet.paid_fen))),
      make('div', {}, '退回 Refunded', make('b', {}, yuan(wallet.back_fen)))),
    make('p', {}, '微信 openid ', make('code', {}, wallet.openid)),
    make('p', {}, '支付宝 user id ', make('code', {}, wallet.alipay_user)),
    make('p', {}, '银联卡 card ', make('code', {}, wallet.unionpay_card)),
    table(['付款 Payment', '渠道 Channel', '>付出 Paid', '>退回 Refunded'], wallet.payments.map(row),
      '还没付过款。Nothing paid yet.'),
    make('p', {}, make('button', { type: 'button', onclick: forget },
      ...both('清除这部手机的登录', 'Sign this phone out everywhere'))));
}
async function forget() {
  await fetch('/phone/forget', json({ phone: world.phone }));
  for (const frame of [...byId('screen').children]) if (frame.dataset.phone === world.phone) frame.remove();
  draw();
}

function about(notice) {
  if (notice.refund) return '退款 refund';
  return { paid: '支付 paid', closed: '关闭 closed' }[notice] || '';
}
function outcome(delivery) {
  if (delivery.received) return '已收到 received';
  return delivery.status ? '未认可 not accepted' : '没有应答 no answer';
}
function drawNotices(state) {
  const waiting = state.waiting.map((job) => make('tr', {}, cell(job.key.out_trade_no, sub(job.url)),
    cell(about(job.about), sub(`第 ${job.tries + 1} 次 try ${job.tries + 1}`))));
  const tries = state.tries.map((one) => make('tr', {}, cell(one.out_trade_no, sub(one.url)),
    cell(about(one.about), sub(`第 ${one.try_no} 次 try ${one.try_no}`)),
    cell(make('span', { class: one.received ? 'good' : 'bad' }, outcome(one)),
      sub(`${one.status || ''} ${one.body.slice(0, 60)}`))));
  byId('notices').replaceChildren(
    make('h2', {}, ...both(`等待发出（${state.waiting.length}）`, 'Waiting')),
    make('p', {}, make('button', { type: 'button', class: 'main', onclick: hurry },
      ...both('立即投递全部通知', 'Deliver notifications now'))),
    table(['单号 Order', '内容 About'], waiting, '没有等待的通知。None waiting.'),
    make('h2', {}, ...both('投递记录', 'Tries so far')),
    table(['单号 Order', '内容 About', '结果 Outcome'], tries, '还没有投递过。None yet.'));
}
async function hurry() {
  await fetch('/phone/hurry', { method: 'POST' });
  refresh();
}

/** The fault's own sentence, with its usual amount said where it counts. */
const english = (explain) => explain.replace(/`amount` ([^(]*) \((\d+)\)/, '$2 $1').replaceAll('`', '');
function drawFaults(state) {
  const row = ({ fault, explain }) => {
    const inForce = state.in_force.filter((one) => one.fault === fault);
    const [name, sentence] = panel.words[fault] || [fault, ''];
    const where = inForce.map((one) =>
      (CHANNELS[one.channel] || '所有渠道') + (one.times ? `，还有 ${one.times} 次` : ''));
    const button = (text, on, act) => make('button', { type: 'button', 'aria-pressed': String(on),
      class: on ? 'main' : null, onclick: act, 'data-fault': fault }, text);
    return make('div', { class: inForce.length ? 'fault on' : 'fault' },
      make('b', {}, name, where.length ? make('span', { class: 'bad' }, ` · ${where.join('；')}`) : null),
      make('p', {}, sentence), make('p', { lang: 'en' }, english(explain)),
      make('div', { class: 'set' }, button('关 Off', !inForce.length, () => lift(fault)),
        button('一次 Once', inForce.some((one) => one.times), () => set(fault, 1)),
        button('一直 On', inForce.some((one) => !one.times), () => set(fault, null))));
  };
  const left = [...panel.known];
  const groups = GROUPS.flatMap(([zh, en, fits]) => {
    const own = left.filter((one) => fits(one.fault));
    own.forEach((one) => left.splice(left.indexOf(one), 1));
    return [make('h2', {}, ...both(zh, en)), ...own.map(row)];
  });
  const choose = (event) => { panel.channel = event.target.value; };
  const channel = make('select', { 'aria-label': '渠道 Channel', onchange: choose },
    ...[['', '所有渠道 all'], ['wechat', '微信 WeChat'], ['alipay', '支付宝 Alipay'], ['unionpay', '银联 UnionPay']].map(([value, text]) =>
      make('option', { value, selected: value === panel.channel }, text)));
  byId('faults').replaceChildren(
    make('p', { class: 'row' }, '以后打开的故障发生在 Faults switched on happen at ', channel,
      make('button', { type: 'button', onclick: clear }, ...both('全部关掉', 'All off'))), ...groups);
}
async function set(fault, times) {
  await fetch(`/control/faults/${fault}`, { method: 'DELETE' });
  await fetch('/control/faults', json({ fault, channel: panel.channel || null, times }));
  refresh();
}
async function lift(fault) {
  await fetch(`/control/faults/${fault}`, { method: 'DELETE' });
  refresh();
}
async function clear() {
  await fetch('/control/faults', { method: 'DELETE' });
  refresh();
}

function drawPanel(state) {
  offerCodes(state.trades);
  // redrawing what has not changed would take the focus away
  const { now, ...rest } = state;
  const shape = JSON.stringify([rest, world.phone, panel.known.length]);
  if (shape === panel.drawn) return;
  panel.drawn = shape;
  const focused = document.activeElement && document.activeElement.dataset.fault;
  const text = document.activeElement && document.activeElement.textContent;
  drawTrades(state);
  drawWallet(state);
  drawNotices(state);
  drawFaults(state);
  const buttons = focused ? [...document.querySelectorAll(`[data-fault="${focused}"]`)] : [];
  const again = buttons.find((one) => one.textContent === text);
  if (again) again.focus();
}

async function refresh() {
  const answer = await fetch(`/phone/state?phone=${world.phone}`).catch(() => null);
  if (!answer || !answer.ok) return say('沙箱没有应答。The sandbox does not answer.');
  const state = await answer.json();
  const first = world.app_url === null;
  world.app_url = state.app_url;
  world.sandbox_url = state.sandbox_url;
  if (first) showAddress();
  return drawPanel(state);
}

for (const tab of byId('tabs').children) {
  tab.addEventListener('click', () => {
    for (const other of byId('tabs').children) {
      other.setAttribute('aria-selected', String(other === tab));
      byId(other.dataset.tab).hidden = other !== tab;
    }
  });
}
(async () => {
  panel.words = await (await fetch('/phone/faults.json')).json();
  panel.known = (await (await fetch('/control/faults')).json()).known;
  draw();
  await refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, 2000);
})();
