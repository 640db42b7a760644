// What a team assembles on Fastify: @fastify/websocket, rate-limiter-flexible, zod, jsonwebtoken.
import websocket from '@fastify/websocket';
import Fastify from 'fastify';
import { MAX_BYTES, ORIGIN, RATES } from '../common.js';
import { claimsOfHeader, limiter, Say } from '../parts.js';

/**
 * @param {'echo' | 'reply'} shape
 * @param {{ rates?: typeof RATES }} [options]
 */
export async function start(shape, { rates = RATES } = {}) {
  const handshakes = limiter(rates.handshakes);
  const messages = limiter(rates.messages);
  const app = Fastify();
  await app.register(websocket, { options: { maxPayload: MAX_BYTES, perMessageDeflate: false } });

  app.decorateRequest('user', null);
  // Where @fastify/websocket's README puts it: what this answers, the client gets instead of the 101.
  app.addHook('preValidation', async (request, reply) => {
    try {
      await handshakes.consume(request.ip);
    } catch {
      return reply.code(429).send({ error: 'too many handshakes' });
    }
    if (request.headers.origin !== ORIGIN) return reply.code(403).send({ error: 'not from there' });
    try {
      request.user = claimsOfHeader(request.headers.authorization).sub;
    } catch {
      return reply.code(401).send({ error: 'not authenticated' });
    }
  });

  app.get('/chat', { websocket: true }, (ws, { user }) => {
    ws.on('message', async (data, binary) => {
      try {
        await messages.consume(user);
        const { room, text } = Say.parse(JSON.parse(data));
        if (shape === 'echo') ws.send(data, { binary });
        else ws.send(JSON.stringify({ type: 'said', room, text }));
      } catch {
        ws.close(1008);
      }
    });
  });

  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address().port;
}
