// The visitor's connection: messages and searches.
import { ask } from './ways.js';

const KEPT = 200;
const $ = (id) => document.getElementById(id);
const listeners = new Set();

let socket;
let renewedBy;
let opening = 0;
let room = 'hall';
const messages = [];

/**
 * Opens the chat with one of the credentials of `ways.js`. `onWelcome` gets the user, `onCredential` the expiry of the
 * connection and how often it has been renewed, `onEnd` the close code and the reason.
 */
export async function openChat(way, { onWelcome, onCredential, onEnd }) {
  closeChat();
  const turn = ++opening;
  const opened = await way.open();
  const own = opened.socket;
  if (turn !== opening) {
    own.close();
    return;
  }
  socket = own;
  renewedBy = way.renewedBy;
  let renewals = 0;
  own.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'welcome') {
      onCredential(opened.expiresAt, renewals);
      onWelcome(message.user);
    } else if (message.type === 'auth_ok') onCredential(message.expiresAt, ++renewals);
    else if (message.type === 'auth_expiring') renew();
    else if (message.type === 'said') keep(message);
    else if (message.type === 'found') showFound(message.messages);
    else if (message.type === 'error') $('chat-problem').textContent = `${message.message} (${message.code})`;
    for (const listener of listeners) listener(message);
  };
  own.onclose = ({ code, reason }) => {
    if (own !== socket) return;
    socket = undefined;
    onEnd(code, reason);
  };
}

/** Closes the connection without calling `onEnd`. */
export function closeChat() {
  opening++;
  const own = socket;
  socket = undefined;
  own?.close();
}

/** Renews the open connection with a new credential of its own kind, also when the server sends `auth_expiring`. */
export async function renew() {
  try {
    send({ type: 'auth', [renewedBy]: await ask(renewedBy) });
  } catch (error) {
    $('chat-problem').textContent = `The connection could not be renewed. ${error.message}`;
  }
}

export function say(text, where = room) {
  send({ type: 'say', room: where, text });
}

/** Sends markup, with its plain text for pages that show no markup. A parsed document runs no script. */
export function sayFormatted(html, where = room) {
  const words = new DOMParser().parseFromString(html, 'text/html').body.textContent.trim();
  send({ type: 'say', room: where, text: words.slice(0, 500) || '(no words)', html });
}

export const currentRoom = () => room;

/** Resolves with the first message from the server that fits, or with `undefined` after `ms`. */
export function heard(fits, ms = 4_000) {
  return new Promise((resolve) => {
    const listener = (message) => fits(message) && done(message);
    const timer = setTimeout(() => done(undefined), ms);
    const done = (message) => {
      clearTimeout(timer);
      listeners.delete(listener);
      resolve(message);
    };
    listeners.add(listener);
  });
}

function send(message) {
  $('chat-problem').textContent = '';
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  else $('chat-problem').textContent = 'The connection is not open.';
}

function keep(message) {
  messages.push(message);
  if (messages.length > KEPT) messages.shift();
  if (message.room === room) append(message);
}

/** A message as an element. Text is inserted as text. Markup is inserted as HTML, because the guard has sanitized it. */
function item({ id, user, text, html, at }) {
  const line = document.createElement('li');
  line.dataset.id = id;
  const name = document.createElement('b');
  name.textContent = user;
  name.style.setProperty(
    '--hue',
    String([...user].reduce((sum, sign) => sum + sign.codePointAt(0) * 37, 0) % 360),
  );
  const time = document.createElement('time');
  time.textContent = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const words = document.createElement('span');
  words.className = 'text';
  if (html === undefined) words.textContent = text;
  else words.innerHTML = html;
  line.append(name, time, words);
  return line;
}

function append(message) {
  const list = $('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(item(message));
  while (list.childElementCount > KEPT) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function showFound(found) {
  $('found').hidden = false;
  $('found-title').textContent =
    found.length === 0
      ? 'Nothing was found'
      : `Found ${found.length} message${found.length === 1 ? '' : 's'}`;
  $('found-list').replaceChildren(...found.map(item));
}

function enter(name) {
  room = name;
  for (const button of document.querySelectorAll('[data-room]'))
    button.setAttribute('aria-pressed', String(button.dataset.room === name));
  $('messages').replaceChildren();
  for (const message of messages.filter((one) => one.room === name)) append(message);
}

for (const button of document.querySelectorAll('[data-room]'))
  button.addEventListener('click', () => enter(button.dataset.room));

$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  if ($('formatted').checked) sayFormatted($('text').value);
  else say($('text').value);
  $('text').value = '';
});

$('search').addEventListener('submit', (event) => {
  event.preventDefault();
  if ($('query').value !== '') send({ type: 'search', query: $('query').value });
});

$('found-close').addEventListener('click', () => {
  $('found').hidden = true;
});
