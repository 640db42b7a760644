// Attacks by messages on an admitted connection.
import { isDeniedMessage, later, secondConnection, victim } from './attack-tools.js';
import { currentRoom, heard, say, sayFormatted } from './chat.js';
import { decisionAfter, newest } from './decisions.js';

export const messageAttacks = [
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
    id: 'markup',
    title: 'Script in formatted text',
    what: 'The same, in a message that the page shows as HTML, as its sender wrote it.',
    run: markup,
  },
  {
    id: 'sql',
    title: 'SQL in a search',
    what: 'Searches that would read or drop the table, if they became part of the statement.',
    run: sql,
  },
];

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
  // A reset can overtake the close frame. Then the browser sees 1006 instead of the guard's code.
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
    (message) => message.type === 'said' && message.user === victim.name && message.text === text,
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

async function markup() {
  window.breached = false;
  const word = `proof-${crypto.randomUUID()}`;
  const html =
    `<b>${word}</b><img src=x onerror="window.breached=true"><a href="javascript:window.breached=true" onclick="window.breached=true">here</a><script>window.breached=true</` +
    'script>';
  const arrived = heard(
    ({ type, user, text }) => type === 'said' && user === victim.name && text.includes(word),
  );
  sayFormatted(html);
  const said = await arrived;
  if (said === undefined) throw new Error('The message did not arrive.');
  const line = document.querySelector(`#messages [data-id="${said.id}"] .text`);
  line?.querySelector('a')?.click();
  await later(300);
  const held =
    window.breached === false &&
    said.html.includes(`<b>${word}</b>`) &&
    !/script|onerror|onclick/.test(said.html);
  return {
    held,
    verdict: held ? 'Shown formatted; nothing ran' : 'A script ran',
    saw: held ? `what was left of it: ${said.html}` : 'its script running',
    said: 'admitted, sanitized: bold is bold, and what could run is gone',
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
    // Messages that contain the query itself are proper results.
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
