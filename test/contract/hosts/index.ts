import { express4Host, express5Host } from './express.ts';
import { expressWsHost } from './express-ws.ts';
import { fastifyHost } from './fastify.ts';
import type { Host } from './host.ts';
import { koaHost } from './koa.ts';
import { koaWebSocketHost } from './koa-websocket.ts';
import { wsHost } from './ws.ts';

/** Every host. */
const all: readonly Host[] = [
  wsHost,
  fastifyHost,
  express5Host,
  express4Host,
  expressWsHost,
  koaHost,
  koaWebSocketHost,
];

/** Comma-separated names of hosts, for a run that has no time for all of them. */
const wanted = process.env.SALLYPORT_HOSTS?.split(',');
for (const name of wanted ?? [])
  if (!all.some((host) => host.name === name))
    throw new RangeError(`SALLYPORT_HOSTS: there is no host '${name}'.`);

export const hosts = wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
