// Sallyport on Fastify and @fastify/websocket.
import websocket from '@fastify/websocket';
import sallyport, { connectionOf } from '@sallyport/fastify';
import Fastify from 'fastify';
import { guardOf, serve } from './guard.js';

/**
 * @param {'echo' | 'reply'} shape
 * @param {object} [options] as of `guardOf`
 */
export async function start(shape, options) {
  const guard = guardOf(options);
  const app = Fastify();
  await app.register(websocket);
  await app.register(sallyport, { guard });
  app.get('/chat', { websocket: true }, (ws) => serve(shape, ws, connectionOf(ws, guard), options?.types));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address().port;
}
