// One function for each attack. Each really attacks, and tells what the browser saw and what the guard decided.
import { currentRoom, heard, say, socketAddress } from './chat.js';
import { decisionAfter, inWords, newest } from './decisions.js';

/**
 * @typedef {object} Outcome
 * @property {boolean} held whether the castle stands
 * @property {string} verdict in a few words
 * @property {string} saw what the attacking script could see
 * @property {object | undefined} decision the guard's decision, where it made one about this
 * @property {string} [said] in place of a decision
 */

const attacks = [
  {
    id: 'hijack',
    title: 'Cross-site hijack',
    what: 'A page on another origin opens the chat with your cookie. Opens a window.',
    run: hijack,
  },
  {
    id: 'null-origin',
    title: 'Origin: null',
    what: 'A sandboxed frame has no origin, and hopes that nobody minds.',
    run: nullOrigin,
  },
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
    id: 'flood',
    title: 'Flood',
    what: 'Two hundred messages at once, on a second connection.',
    run: flood,
  },
  {
    id: 'oversized',
    title: 'Oversized message',
    what: 'One message of 20 KiB, on a second connection; 16 KiB are allowed.',
    run: oversized,
  },
  {
    id: 'unknown-type',
    title: 'Unknown message type',
    what: 'A message “promote” that no policy names.',
    run: () => refusedMessage({ type: 'promote', user: 'me', role: 'admin' }),
  },
  {
    id: 'unknown-property',
    title: 'Unknown property',
    what: 'A well-formed message that smuggles one property along.',
    run: () => refusedMessage({ type: 'say', room: 'hall', text: 'hello', admin: true }),
  },
  {
    id: 'script',
    title: 'Script in a message',
    what: 'HTML that would run a script in everybody’s page, if it became part of it.',
    run: script,
  },
  {
    id: 'sql',
    title: 'SQL in a search',
    what: 'Searches that would read or drop the table, if they became part of the statement.',
    run: sql,
  },
];

let attackerOrigin;
let user;

/** Fills the list of attacks; the returned function says who is logged in. */
export function mountAttacks(attacker) {
  attackerOrigin = attacker;
  const list = document.getElementById('attack-list');
  const template = document.getElementById('attack-card');
  const cards = attacks.map((attack) => {
    const card = template.content.cloneNode(true).firstElementChild;
    card.id = `attack-${attack.id}`;
    card.querySelector('h3').textContent = attack.title;
    card.querySelector('.what').textContent = attack.what;
    card.querySelector('button').setAttribute('aria-label', `Attack: ${attack.title}`);
    card.querySelector('button').addEventListener('click', () => perform(card, attack));
    list.append(card);
    return card;
  });
  const all = document.getElementById('all');
  all.addEventListener('click', async () => {
    all.disabled = true;
    for (const [at, card] of cards.entries()) await perform(card, attacks[at]);
    all.disabled = user === undefined;
  });
  return (name) => {
    user = name;
    for (const button of [all, ...list.querySelectorAll('button')]) button.disabled = user === undefined;
    document.getElementById('attacks-hint').textContent =
      user === undefined
        ? 'Come in first: an attack needs a victim who is logged in.'
        : 'Each button really attacks, and shows what came of it.';
  };
}

async function perform(card, { run }) {
  const button = card.querySelector('button');
  button.disabled = true;
  card.dataset.state = 'running';
  card.querySelector('.verdict').textContent = 'attacking…';
  const { held, verdict, saw, decision, said } = await run().catch((error) => ({
    held: undefined,
    verdict: 'It could not be tried',
    saw: String(error),
  }));
  card.dataset.state = held === undefined ? 'unknown' : held ? 'held' : 'breached';
  card.querySelector('.verdict').textContent = verdict;
  card.querySelector('.saw').textContent = saw;
  card.querySelector('.said').textContent = decision === undefined ? (said ?? 'nothing') : inWords(decision);
  button.disabled = user === undefined;
}

/** Held is what the guard refused and what the browser never saw open; anything else is not called held. */
function handshakeOutcome({ opened, code }, decision) {
  const held = !opened && decision?.event === 'handshake.denied';
  return {
    held: opened ? false : held ? true : undefined,
    verdict: opened ? 'It got in' : held ? 'Held before the 101' : 'It failed, but not at the guard',
    saw: opened ? 'an open socket' : `no socket, only close code ${code}`,
    decision,
  };
}

const isHandshakeFrom = (origin) => (decision) =>
  decision.event.startsWith('handshake.') && decision.origin === origin;

async function hijack() {
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

async function withToken(token) {
  const decided = decisionAfter(newest(), isHandshakeFrom(location.origin));
  return handshakeOutcome(await attempt(['bearer', token]), await decided);
}

/** Opens a socket, only to see whether it opens. */
function attempt(protocols) {
  return new Promise((resolve) => {
    const socket = new WebSocket(socketAddress, protocols);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      socket.close();
    };
    socket.onclose = ({ code }) => resolve({ opened, code });
  });
}

/** A token with everything right but the signature. */
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

/** A second connection of the visitor's own, which the attacks on messages may lose. */
async function secondConnection() {
  const socket = new WebSocket(socketAddress);
  const received = [];
  const waiting = new Set();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    received.push(message);
    for (const look of [...waiting]) look();
  };
  const closed = new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
  });
  /** The first message from `at` on that fits, or `undefined` when the connection ends before. */
  const message = (fits, at = 0) =>
    Promise.race([
      closed.then(() => undefined),
      new Promise((resolve) => {
        const look = () => {
          const found = received.slice(at).find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    ]);
  if ((await message(({ type }) => type === 'welcome')) === undefined)
    throw new Error('The connection was refused.');
  return { socket, received, closed, message };
}

const isDeniedMessage = (decision) => decision.event === 'message.denied' && decision.subject === user;

async function flood() {
  const sent = 200;
  const { socket, received, closed } = await secondConnection();
  const decided = decisionAfter(newest(), isDeniedMessage);
  for (let count = 0; count < sent; count++)
    socket.send(JSON.stringify({ type: 'search', query: 'treasure' }));
  const { code, reason } = await Promise.race([closed, later(5_000, {})]);
  socket.close();
  const answers = received.filter(({ type }) => type === 'found').length;
  const decision = await decided;
  // A reset can overtake the close frame, so that the browser sees 1006 instead of the guard's code.
  const held = code !== undefined && decision?.reason === 'message_rate';
  return {
    held,
    verdict: held ? 'Closed for its rate' : 'It went through',
    saw: held
      ? `${answers} answers to ${sent} messages, then close code ${code}${reason && `: “${reason}”`}`
      : `${answers} answers`,
    decision,
  };
}

async function oversized() {
  const { socket, closed } = await secondConnection();
  const decided = decisionAfter(newest(), isDeniedMessage);
  socket.send(JSON.stringify({ type: 'say', room: 'hall', text: 'x'.repeat(20_480) }));
  const { code } = await Promise.race([closed, later(5_000, {})]);
  socket.close();
  const decision = await decided;
  const held = code !== undefined && decision?.reason === 'message_too_big';
  return {
    held,
    verdict: held ? 'Closed for its size' : 'It went through',
    saw: code === undefined ? 'an open connection' : `close code ${code}`,
    decision,
  };
}

async function refusedMessage(message) {
  const { socket, message: answer } = await secondConnection();
  const decided = decisionAfter(newest(), isDeniedMessage);
  socket.send(JSON.stringify(message));
  const error = await Promise.race([answer(({ type }) => type === 'error'), later(4_000)]);
  socket.close();
  const decision = await decided;
  const held = error !== undefined && decision !== undefined;
  return {
    held,
    verdict: held ? 'Refused in the hall' : 'It went through',
    saw: error === undefined ? 'no answer' : `an error reply: ${error.code}, “${error.message}”`,
    decision,
  };
}

async function script() {
  window.breached = false;
  const text = `<img src=x onerror="window.breached=true"><script>window.breached=true</` + 'script>';
  const arrived = heard(
    (message) => message.type === 'said' && message.user === user && message.text === text,
  );
  say(text);
  const said = await arrived;
  if (said === undefined) throw new Error('The message did not arrive.');
  await later(300);
  const line = document.querySelector(`#messages [data-id="${said.id}"] .text`);
  const asText = said.room !== currentRoom() || (line?.textContent === text && line.childElementCount === 0);
  const held = asText && window.breached === false;
  return {
    held,
    verdict: held ? 'Shown as text; nothing ran' : 'A script ran',
    saw: held ? 'its own message, letter for letter, in the chat' : 'its script running',
    said: 'admitted: it is text of the right form, and the page puts text in as text',
  };
}

async function sql() {
  const payloads = [
    "' OR '1'='1",
    "%' UNION SELECT 1, sql, 1, 1, 1 FROM sqlite_master --",
    "'; DROP TABLE messages; --",
  ];
  const { socket, received, message } = await secondConnection();
  const ledger = `ledger ${crypto.randomUUID()}`;
  const search = async (query) => {
    const at = received.length;
    socket.send(JSON.stringify({ type: 'search', query }));
    return (await message(({ type }) => type === 'found', at))?.messages;
  };
  socket.send(JSON.stringify({ type: 'say', room: 'vault', text: ledger }));
  await message(({ type, text }) => type === 'said' && text === ledger);
  const rows = [];
  for (const payload of payloads) {
    const found = await search(payload);
    if (found === undefined) throw new Error('The search was not answered.');
    // A message that holds the very words was asked for.
    rows.push(found.filter(({ text }) => !text.toLowerCase().includes(payload.toLowerCase())).length);
  }
  const kept = (await search(ledger))?.length === 1;
  socket.close();
  const held = kept && rows.every((count) => count === 0);
  return {
    held,
    verdict: held ? 'Searched for, not executed' : 'It was executed',
    saw: `${rows.join(', ')} rows that it did not ask for; the table is ${kept ? 'still there' : 'gone'}`,
    said: 'admitted: it is text of the right form, and the database gets it as a parameter',
  };
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

function later(ms, value) {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}
