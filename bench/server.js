// One server of the comparison, in a process of its own: `node server.js <kind>`, told by messages from its parent.
import { createServer } from 'node:http';
import { bearer, createGuard, jwt, Type } from '@sallyport/core';
import { connectionOf, guardServer } from '@sallyport/ws';
import { WebSocketServer } from 'ws';
import { AUDIENCE, ISSUER, SECRET } from './token.js';

const kinds = {
  /** ws alone: no origin, no token, no rate, no schema. */
  'bare ws, the same bytes back'(server) {
    const wss = new WebSocketServer({ server });
    wss.on('connection', (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })));
  },
  /** ws, reading and answering JSON without a check. */
  'bare ws, a reply in JSON'(server) {
    const wss = new WebSocketServer({ server });
    wss.on('connection', (ws) =>
      ws.on('message', (data) => {
        const { room, text } = JSON.parse(data);
        ws.send(JSON.stringify({ type: 'said', room, text }));
      }),
    );
  },
  'guard, the same bytes back'(server) {
    const { wss } = guarded(server);
    wss.on('connection', (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })));
  },
  'guard, a typed reply'(server) {
    const { wss, guard } = guarded(server);
    wss.on('connection', (ws) => {
      const connection = connectionOf(ws, guard);
      connection.on('say', ({ room, text }) => void connection.send('said', { room, text }));
    });
  },
};

/** The whole policy: rates, sizes, safe parse, closed schema, JWT. The rates are high, since this measures their cost. */
function guarded(server) {
  const body = { room: Type.String({ maxLength: 64 }), text: Type.String({ maxLength: 500 }) };
  const guard = createGuard({
    auth: [
      jwt({ secret: SECRET, algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE, from: [bearer()] }),
    ],
    messages: { say: Type.Object(body) },
    replies: { said: Type.Object(body) },
    limits: {
      messages: { rate: '10000000/s', burst: 10_000_000 },
      bytes: { rate: '10000MiB/s', burst: '10000MiB' },
      handshakes: { rate: '10000000/s', burst: 10_000_000 },
      connectionsPerAddress: 100_000,
      connectionsPerIdentity: 100_000,
    },
    logger: false,
  });
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  return { wss, guard };
}

const server = createServer();
kinds[process.argv[2]](server);
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
