import { expressHosts } from './express.ts';
import { expressWsHost } from './express-ws.ts';
import { fastifyHost } from './fastify.ts';
import type { SessionHost } from './host.ts';
import { koaHost, koaWebsocketHost } from './koa.ts';
import { passportHost } from './passport.ts';

/** Every host with sessions, each with the library that is common there. */
export const hosts: readonly SessionHost[] = [
  ...expressHosts,
  expressWsHost,
  passportHost,
  fastifyHost,
  koaHost,
  koaWebsocketHost,
];
