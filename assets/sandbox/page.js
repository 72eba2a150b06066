// Phones, their apps, the address bar and the scanner. What stands behind (books, notices, faults) is panel.js.
'use strict';
const byId = (id) => document.getElementById(id);
const APPS = {
  wechat: ['微信', 'WeChat'], alipay: ['支付宝', 'Alipay'], unionpay: ['云闪付', 'UnionPay'], browser: ['浏览器', 'Browser'],
  desktop: ['电脑', 'Desktop'],
};
const world = { phones: ['p1', 'p2'], phone: 'p1', apps: {}, app_url: null, sandbox_url: location.origin };

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
const both = (zh, en) => [zh + ' ', make('span', { lang: 'en' }, en)];
const app = () => world.apps[world.phone] || 'wechat';
const prefix = (device = app(), phone = world.phone) => `/as/${device}/${phone}`;
const say = (text) => { byId('say').textContent = text || ''; };

function screenOf(phone, device) {
  return byId('screen').querySelector(`iframe[data-phone="${phone}"][data-app="${device}"]`);
}

/** The iframe of the phone and app in front; made when first looked at. */
function screen() {
  const old = screenOf(world.phone, app());
  if (old) return old;
  const frame = make('iframe', {
    'data-phone': world.phone, 'data-app': app(), title: `${APPS[app()][0]} ${world.phone}`, src: prefix() + '/h5',
  });
  frame.addEventListener('load', showAddress);
  byId('screen').append(frame);
  return frame;
}

/** Where a frame is, as the person on the phone would see it. */
function trueAddress(frame) {
  try {
    const { pathname, search } = frame.contentWindow.location;
    const own = prefix(frame.dataset.app, frame.dataset.phone);
    if (!pathname.startsWith(own)) return '';
    const rest = pathname.slice(own.length);
    if (rest.startsWith('/~/')) return world.sandbox_url + rest.slice(2) + search;
    return rest.startsWith('/~') ? '' : (world.app_url || '') + rest + search;
  } catch (error) {
    return '';
  }
}

function showAddress() {
  if (document.activeElement !== byId('address')) byId('address').value = trueAddress(screen());
}

function draw() {
  const names = world.phones.map((phone, at) => make('button', {
    type: 'button', role: 'tab', 'aria-selected': String(phone === world.phone),
    onclick: () => { world.phone = phone; draw(); refresh(); },
  }, ...both(`手机 ${at + 1}`, `Phone ${at + 1}`)));
  const more = make('button', { type: 'button', title: '再来一部 One more', 'aria-label': '再来一部手机 One more phone',
    onclick: () => {
      world.phone = `p${world.phones.length + 1}`;
      world.phones.push(world.phone);
      draw();
      refresh();
    } }, '＋');
  byId('phones').replaceChildren(...names, more);
  byId('apps').replaceChildren(...Object.entries(APPS).map(([device, [zh, en]]) => make('button', {
    type: 'button', role: 'radio', 'aria-checked': String(device === app()), 'data-app': device,
    onclick: () => { world.apps[world.phone] = device; draw(); },
  }, ...both(zh, en))));
  byId('left').classList.toggle('wide', app() === 'desktop');
  const front = screen();
  for (const frame of byId('screen').children) frame.hidden = frame !== front;
  showAddress();
  say('');
}

/** What the app does with a text, scanned or typed. */
function open(text) {
  say('');
  screen().src = `${prefix()}?scan=${encodeURIComponent(text.trim())}`;
  byId('scanner').hidden = true;
  byId('scan').setAttribute('aria-expanded', 'false');
}

/** Any picture as PNG, drawn on white and not larger than the sandbox reads. */
async function png(source, width, height) {
  const scale = Math.min(1, 2000 / Math.max(width, height));
  const canvas = make('canvas', { width: Math.round(width * scale) + 40, height: Math.round(height * scale) + 40 });
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 20, 20, width * scale, height * scale);
  return new Promise((done) => canvas.toBlob(done, 'image/png'));
}

async function textIn(source, width, height) {
  const answer = await fetch('/phone/decode', { method: 'POST', body: await png(source, width, height) });
  return answer.ok ? (await answer.json()).text : null;
}

async function scanPicture(file) {
  say('正在识别… Reading…');
  try {
    const picture = await createImageBitmap(file);
    const text = await textIn(picture, picture.width, picture.height);
    return text ? open(text) : say('图片里没有找到二维码。No code in this picture.');
  } catch (error) {
    return say('这不是图片。This is no picture.');
  }
}

/** Looks for a code on every other screen, the largest pictures first. */
async function scanPhones() {
  say('正在识别… Reading…');
  const front = screen();
  const frames = [...byId('screen').children].filter((frame) => frame !== front);
  const pictures = frames.flatMap((frame) => [...(frame.contentDocument ? frame.contentDocument.images : [])]);
  const large = pictures.filter((picture) => picture.complete && picture.naturalWidth >= 80);
  large.sort((a, b) => b.naturalWidth - a.naturalWidth);
  for (const picture of large.slice(0, 12)) {
    const text = await textIn(picture, picture.naturalWidth, picture.naturalHeight);
    if (text) return open(text);
  }
  return say('其他手机的屏幕上没有二维码。No code on the other screens.');
}

/** Codes of unpaid trades, for who has no picture at hand. */
function offerCodes(trades) {
  const scannable = (code) => /^(weixin:|https?:\/\/qr\.)/.test(code.text);
  const open_ = trades.filter((trade) => trade.state === 'not_pay').slice(0, 6);
  byId('codes').replaceChildren(...open_.flatMap((trade) => trade.codes.filter(scannable).map((code) => make('button', {
    type: 'button', onclick: () => open(code.text),
  }, `${trade.description} ¥${(trade.total_fen / 100).toFixed(2)} · ${code.text}`))));
}

/** Posters that hang in this world: a tap holds the phone before one. */
async function showWall() {
  const titles = await (await fetch('/phone/wall')).json();
  byId('wall').replaceChildren(...titles.map(({ title }, at) => {
    const picture = make('img', { src: `/phone/wall/${at}`, alt: title });
    const scan = async () => {
      say('正在识别… Reading…');
      const text = await textIn(picture, picture.naturalWidth, picture.naturalHeight);
      if (text) open(text);
      else say('海报上没有找到二维码。No code on this poster.');
    };
    return make('button', { type: 'button', title, 'data-poster': at, onclick: scan }, picture);
  }));
}

byId('bar').addEventListener('submit', (event) => { event.preventDefault(); open(byId('address').value); });
byId('back').addEventListener('click', () => screen().contentWindow.history.back());
byId('reload').addEventListener('click', () => screen().contentWindow.location.reload());
byId('home').addEventListener('click', () => { screen().src = prefix() + '/h5'; });
byId('scan').addEventListener('click', () => {
  const scanner = byId('scanner');
  scanner.hidden = !scanner.hidden;
  byId('scan').setAttribute('aria-expanded', String(!scanner.hidden));
  if (!scanner.hidden) showWall();
});
byId('scan-phones').addEventListener('click', scanPhones);
byId('scan-text').addEventListener('click', () => open(byId('code').value));
byId('code').addEventListener('keydown', (event) => { if (event.key === 'Enter') open(byId('code').value); });
byId('scan-file').addEventListener('click', () => byId('file').click());
byId('file').addEventListener('change', () => {
  const [file] = byId('file').files;
  byId('file').value = '';
  if (file) scanPicture(file);
});
const pictureOf = (data) => [...data.files].find((file) => file.type.startsWith('image/'));
document.addEventListener('paste', (event) => {
  const file = pictureOf(event.clipboardData);
  if (file) scanPicture(file);
});
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  const file = pictureOf(event.dataTransfer);
  if (file) scanPicture(file);
  else if (event.dataTransfer.getData('text/plain')) open(event.dataTransfer.getData('text/plain'));
});
setInterval(showAddress, 1000);
