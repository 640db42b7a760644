// Sallyport on plain ws.
import { createServer } from 'node:http';
import { bearer, createGuard, jwt, Type } from '@sallyport/core';
import { connectionOf, guardServer } from '@sallyport/ws';
import { WebSocketServer } from 'ws';
import { HOST, listen, MAX_BYTES, MAX_CONNECTIONS, ORIGIN, RATES } from '../common.js';
import { AUDIENCE, ISSUER, SECRET } from '../token.js';

/**
 * @param {'echo' | 'reply'} shape
 * @param {object} [options] as of `guardOf`
 */
export async function start(shape, options) {
  const guard = guardOf(options);
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  wss.on('connection', (ws) => serve(shape, ws, connectionOf(ws, guard), options?.types));
  return listen(server);
}

/**
 * The whole policy: origin, host, JWT, rates, sizes, connections, safe parse, closed schemas.
 *
 * @param {object} [options]
 * @param {number} [options.types] how many types of message there are: `say`, and then `say1`, `say2` …
 * @param {typeof RATES} [options.rates] what a second brings
 * @param {import('@sallyport/core').Duration | false} [options.heartbeat] `false` for clients that answer no ping
 * @param {object} [options.limits] further limits
 * @param {object} [options.policy] whatever else a bench wants of the policy, such as `store` or `trustedProxies`
 */
export function guardOf({ types = 1, rates = RATES, heartbeat = '25s', limits, policy } = {}) {
  return createGuard({
    origins: [ORIGIN],
    hosts: [HOST],
    auth: [
      jwt({ secret: SECRET, algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE, from: [bearer()] }),
    ],
    messages: Object.fromEntries(typeNames(types).map((name) => [name, body()])),
    replies: { said: body() },
    limits: {
      message: MAX_BYTES,
      heartbeat,
      messages: { rate: `${rates.messages}/s`, burst: rates.messages },
      bytes: { rate: `${rates.bytes}B/s`, burst: rates.bytes },
      handshakes: { rate: `${rates.handshakes}/s`, burst: rates.handshakes },
      connections: MAX_CONNECTIONS,
      connectionsPerAddress: MAX_CONNECTIONS,
      connectionsPerIdentity: MAX_CONNECTIONS,
      ...limits,
    },
    logger: false,
    ...policy,
  });
}

/**
 * Answers one connection: the same bytes back by a listener of the bare library, or a typed reply to a typed message.
 *
 * @param {'echo' | 'reply'} shape
 * @param {import('ws').WebSocket} ws
 * @param {import('@sallyport/core').Connection} connection
 * @param {number} [types] as of `guardOf`
 */
export function serve(shape, ws, connection, types = 1) {
  if (shape === 'echo') {
    ws.on('message', (data, binary) => ws.send(data, { binary }));
    return;
  }
  const answer = ({ room, text }) => void connection.send('said', { room, text });
  for (const name of typeNames(types)) connection.on(name, answer);
}

/** A schema of its own for every type, as in an application. */
function body() {
  return Type.Object({ room: Type.String({ maxLength: 64 }), text: Type.String({ maxLength: 500 }) });
}

function typeNames(types) {
  return Array.from({ length: types }, (_, i) => (i === 0 ? 'say' : `say${i}`));
}
