import { express4Host, express5Host } from './express.ts';
import { expressWsHost } from './express-ws.ts';
import { fastifyHost } from './fastify.ts';
import type { Host } from './host.ts';
import { koaHost } from './koa.ts';
import { koaWebSocketHost } from './koa-websocket.ts';
import { wsHost } from './ws.ts';

/** Every host that a guard can stand before. */
export const hosts: readonly Host[] = [
  wsHost,
  fastifyHost,
  express5Host,
  express4Host,
  expressWsHost,
  koaHost,
  koaWebSocketHost,
];
