// Sallyport on plain ws, with a proxy before it and credentials wherever they may be: what reads most of a handshake.
import { createServer } from 'node:http';
import { bearer, cookie, jwt, query, subprotocol } from '@sallyport/core';
import { connectionOf, guardServer } from '@sallyport/ws';
import { WebSocketServer } from 'ws';
import { listen } from '../common.js';
import { AUDIENCE, ISSUER, SECRET } from '../token.js';
import { guardOf, serve } from './guard.js';

/**
 * @param {'echo' | 'reply'} shape
 * @param {{ limited: boolean }} options whether every handshake is refused by its rate
 */
export async function start(shape, { limited }) {
  const from = [bearer(), cookie('token'), query('token'), subprotocol()];
  const guard = guardOf({
    policy: {
      auth: [jwt({ secret: SECRET, algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE, from })],
      trustedProxies: ['127.0.0.0/8'],
    },
    limits: {
      authFailures: { rate: '1000000/s', burst: 1_000_000 },
      ...(limited && { handshakes: { rate: '1/h', burst: 1 } }),
    },
  });
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  wss.on('connection', (ws) => serve(shape, ws, connectionOf(ws, guard)));
  return listen(server);
}
