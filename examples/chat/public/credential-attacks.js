// Attacks with forged, used, missing or foreign credentials.
import {
  attempt,
  handshakeOutcome,
  isDeniedMessage,
  isHandshakeFrom,
  later,
  secondConnection,
  victim,
} from './attack-tools.js';
import { heard } from './chat.js';
import { decisionAfter, newest } from './decisions.js';
import { ask, chatAddress } from './ways.js';

export const credentialAttacks = [
  {
    id: 'forged-token',
    title: 'Forged token',
    what: 'A JWT that says you are admin, signed with a key of the attacker’s own.',
    run: async () => withToken(await forge({ alg: 'HS256', typ: 'JWT' })),
  },
  {
    id: 'none-token',
    title: 'Token without signature',
    what: 'The same claims with alg “none”, which asks the server not to check.',
    run: async () => withToken(await forge({ alg: 'none', typ: 'JWT' })),
  },
  {
    id: 'replayed-ticket',
    title: 'Replayed ticket',
    what: 'Your ticket, read in a log a moment after you came in with it.',
    run: replayedTicket,
  },
  {
    id: 'early-message',
    title: 'Early message',
    what: 'A message at /chat/late before anybody has said who it is from.',
    run: earlyMessage,
  },
  {
    id: 'foreign-renewal',
    title: 'Somebody else’s renewal',
    what: 'Your open connection, renewed with a good token: Mallory’s.',
    run: foreignRenewal,
  },
];

async function withToken(token) {
  const decided = decisionAfter(newest(), isHandshakeFrom(location.origin));
  return handshakeOutcome(await attempt(['bearer', token]), await decided);
}

async function replayedTicket() {
  const address = `${chatAddress}?ticket=${await ask('ticket')}`;
  const { socket } = await secondConnection(address);
  const decided = decisionAfter(
    newest(),
    (decision) => decision.event === 'handshake.denied' && isHandshakeFrom(location.origin)(decision),
  );
  const outcome = handshakeOutcome(await attempt([], address), await decided);
  socket.close();
  return { ...outcome, saw: `it opened for you; for the replay ${outcome.saw}` };
}

async function earlyMessage() {
  const text = `early ${crypto.randomUUID()}`;
  const decided = decisionAfter(
    newest(),
    ({ event, path }) => event === 'message.denied' && path === '/chat/late',
  );
  const spread = heard((message) => message.type === 'said' && message.text === text, 800);
  const socket = new WebSocket(`${chatAddress}/late`);
  const closed = new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
  });
  socket.onopen = () => socket.send(JSON.stringify({ type: 'say', room: 'hall', text }));
  const { code, reason } = await Promise.race([closed, later(4_000, {})]);
  socket.close();
  const decision = await decided;
  const silent = (await spread) === undefined;
  const held = code !== undefined && silent && decision !== undefined;
  return {
    held,
    verdict: held ? 'Closed, and nobody heard it' : 'It was heard',
    saw: `${code === undefined ? 'an open connection' : `close code ${code}: “${reason}”`}; the chat ${silent ? 'stayed silent' : 'spread it'}`,
    decision,
  };
}

async function foreignRenewal() {
  // Without credentials the browser neither sends the victim's cookie nor takes Mallory's.
  const response = await fetch('/login', {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: victim.name === 'mallory' ? 'eve' : 'mallory' }),
  });
  const { token } = await response.json();
  const { socket, message: answer } = await secondConnection();
  const decided = decisionAfter(newest(), isDeniedMessage);
  socket.send(JSON.stringify({ type: 'auth', token }));
  const reply = await Promise.race([
    answer(({ type }) => type === 'error' || type === 'auth_ok'),
    later(4_000),
  ]);
  socket.close();
  const decision = await decided;
  const held = reply?.type === 'error' && decision !== undefined;
  return {
    held,
    verdict: held ? 'Refused: a renewal stays with its session' : 'It was renewed',
    saw: reply?.type === 'error' ? `an error reply: ${reply.code}, “${reply.message}”` : 'auth_ok',
    decision,
  };
}

/** A token in which everything but the signature is right. */
async function forge(header) {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    sub: 'admin',
    iss: 'sallyport-chat',
    aud: 'chat',
    iat: now,
    exp: now + 300,
    sid: crypto.randomUUID(),
  };
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  if (header.alg === 'none') return `${signed}.`;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(signed));
  return `${signed}.${base64url(String.fromCharCode(...new Uint8Array(signature)))}`;
}

function base64url(text) {
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
