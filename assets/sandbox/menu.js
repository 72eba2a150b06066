// The official account's menu at the foot of WeChat: what the platform keeps, drawn as a follower sees it.
'use strict';
let unfolded = null;

function menuButton(button, at) {
  const below = button.sub_button || [];
  if (below.length) {
    return make('button', {
      type: 'button', 'aria-expanded': String(unfolded === at),
      onclick: () => { unfolded = unfolded === at ? null : at; drawMenu(); },
    }, `≡ ${button.name}`);
  }
  return make('button', {
    type: 'button', title: button.url || button.key || '',
    onclick: () => { unfolded = null; drawMenu(); if (button.type === 'view') open(button.url); else if (button.type === 'click') talk('tap', button.key); },
  }, button.name);
}

async function drawMenu() {
  const menu = byId('menu');
  menu.hidden = app() !== 'wechat';
  if (menu.hidden) return;
  const answer = await fetch('/phone/menu');
  const buttons = answer.ok ? await answer.json() : [];
  menu.hidden = !buttons.length;
  const below = unfolded === null || !buttons[unfolded] ? [] : buttons[unfolded].sub_button || [];
  menu.replaceChildren(
    make('div', { class: 'below' }, ...below.map((button) => menuButton(button, null))),
    make('div', { class: 'row' }, ...buttons.map(menuButton)),
  );
}

byId('apps').addEventListener('click', drawMenu);
byId('phones').addEventListener('click', drawMenu);
drawMenu();
