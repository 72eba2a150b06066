// The conversation with the official account: follow, leave, write; its answers and the notices it sends.
'use strict';

/** Words of the account, whose links lead into the phone. */
function linked(text) {
  return text.split(/(<a href="[^"]*">[^<]*<\/a>)/).map((part) => {
    const link = part.match(/^<a href="([^"]*)">([^<]*)<\/a>$/);
    return link ? make('button', { type: 'button', class: 'link', onclick: () => open(link[1]) }, link[2]) : part;
  });
}

const WHO = {
  follower: ['我', 'Me'], account: ['公众号', 'Account'], notice: ['通知', 'Notice'], platform: ['微信', 'WeChat'],
};

function line(one) {
  const words = linked(one.text);
  const more = () => make('button', { type: 'button', class: 'link', onclick: () => open(one.url) }, '详情 Details');
  if (one.url) words.push(' ', more());
  return make('p', { class: one.who }, make('b', {}, ...both(...WHO[one.who])), make('br'), ...words);
}

let told = '';

function drawTalk(state) {
  byId('follow').hidden = state.follows;
  for (const id of ['unfollow', 'agree', 'words', 'send']) byId(id).hidden = !state.follows;
  const text = JSON.stringify(state.lines);
  if (text === told) return;
  told = text;
  byId('lines').replaceChildren(...state.lines.slice(-30).map(line));
  byId('lines').scrollTop = byId('lines').scrollHeight;
}

/** Does something in the conversation; without an act, looks. */
async function talk(act, text = '') {
  byId('talk').hidden = app() !== 'wechat';
  const phone = world.phone;
  const headers = { 'content-type': 'application/json' };
  const answer = act
    ? await fetch('/phone/talk', { method: 'POST', headers, body: JSON.stringify({ phone, act, text }) })
    : await fetch(`/phone/talk?phone=${encodeURIComponent(phone)}`);
  if (answer.ok && phone === world.phone) drawTalk(await answer.json());
}

byId('follow').addEventListener('click', () => talk('follow'));
byId('agree').addEventListener('click', () => talk('agree'));
byId('unfollow').addEventListener('click', () => talk('unfollow'));
byId('write').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = byId('words').value.trim();
  byId('words').value = '';
  if (text) talk('say', text);
});
byId('apps').addEventListener('click', () => talk());
byId('phones').addEventListener('click', () => talk());
setInterval(() => { if (byId('talk').open && !byId('talk').hidden) talk(); }, 2000);
talk();
