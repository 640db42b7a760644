import { express5Host } from '../contract/hosts/express.ts';
import { expressWsHost } from '../contract/hosts/express-ws.ts';
import { fastifyHost } from '../contract/hosts/fastify.ts';
import type { Host } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { koaHost } from '../contract/hosts/koa.ts';
import { wsHost } from '../contract/hosts/ws.ts';
import { IN_FULL } from './flooder.ts';

/**
 * Every host in full; else every way in which one reads from the network, once: Express 4 reads as Express 5 does, koa-websocket by
 * the same ws as Koa, and express-ws by a ws of its own.
 */
export const floodedHosts: readonly Host[] = IN_FULL
  ? hosts
  : [wsHost, fastifyHost, express5Host, expressWsHost, koaHost];
