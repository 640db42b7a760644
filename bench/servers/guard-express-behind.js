// Sallyport on Express, on a route behind ten middlewares that do nothing: what an application runs before a refusal.
import { createServer } from 'node:http';
import { refuseUnguarded, upgrade, websocket } from '@sallyport/express';
import express from 'express';
import { listen } from '../common.js';
import { guardOf, serve } from './guard.js';

/** @param {'echo' | 'reply'} shape */
export async function start(shape) {
  const guard = guardOf();
  const app = express();
  for (let i = 0; i < 10; i++) app.use((_request, _response, next) => next());
  app.use(refuseUnguarded(guard));
  app.get(
    '/chat',
    websocket(guard, (chat, _request, ws) => serve(shape, ws, chat)),
  );
  const server = createServer(app);
  upgrade(server, app, guard);
  return listen(server);
}
