// Attacks by other pages, which have the victim's browser but not the victim's origin.
import { handshakeOutcome, isHandshakeFrom } from './attack-tools.js';
import { decisionAfter, newest } from './decisions.js';

/** @param attackerOrigin the origin of the attacker's page */
export const pageAttacks = (attackerOrigin) => [
  {
    id: 'hijack',
    title: 'Cross-site hijack',
    what: 'A page on another origin opens the chat with your cookie. Opens a window.',
    run: () => hijack(attackerOrigin),
  },
  {
    id: 'null-origin',
    title: 'Origin: null',
    what: 'A sandboxed frame has no origin, and hopes that nobody minds.',
    run: nullOrigin,
  },
];

async function hijack(attackerOrigin) {
  const since = newest();
  const decided = decisionAfter(since, isHandshakeFrom(attackerOrigin), 8_000);
  const reported = reportOf('hijack', ({ origin }) => origin === attackerOrigin, 8_000);
  const opened = window.open(attackerOrigin, '_blank', 'popup,width=640,height=560');
  if (opened === null) throw new Error('The browser blocked the window.');
  return handshakeOutcome(await reported, await decided);
}

async function nullOrigin() {
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-scripts');
  frame.hidden = true;
  frame.src = '/sandboxed.html';
  const decided = decisionAfter(newest(), isHandshakeFrom('null'));
  const reported = reportOf('sandboxed', ({ source }) => source === frame.contentWindow);
  document.body.append(frame);
  try {
    const outcome = handshakeOutcome(await reported, await decided);
    // With a cookie that browsers send to every site (SameSite=None) the guard would answer origin_denied.
    const note =
      outcome.decision?.reason === 'credential_missing' ? ', and not even the cookie was sent along' : '';
    return { ...outcome, saw: `${outcome.saw}${note}` };
  } finally {
    frame.remove();
  }
}

function reportOf(attack, isFrom, ms = 4_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(reject, new Error('The attacker did not report back.')), ms);
    const listen = (event) => {
      if (event.data?.attack === attack && isFrom(event)) done(resolve, event.data);
    };
    const done = (settle, value) => {
      clearTimeout(timer);
      removeEventListener('message', listen);
      settle(value);
    };
    addEventListener('message', listen);
  });
}
