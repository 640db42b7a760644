// Sallyport on Express.
import { createServer } from 'node:http';
import { refuseUnguarded, upgrade, websocket } from '@sallyport/express';
import express from 'express';
import { listen } from '../common.js';
import { guardOf, serve } from './guard.js';

/**
 * @param {'echo' | 'reply'} shape
 * @param {object} [options] as of `guardOf`
 */
export async function start(shape, options) {
  const guard = guardOf(options);
  const app = express();
  app.use(refuseUnguarded(guard));
  app.get(
    '/chat',
    websocket(guard, (chat, _request, ws) => serve(shape, ws, chat, options?.types)),
  );
  const server = createServer(app);
  upgrade(server, app, guard);
  return listen(server);
}
