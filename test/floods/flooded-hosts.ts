import { express5Host } from '../contract/hosts/express.ts';
import { expressWsHost } from '../contract/hosts/express-ws.ts';
import { fastifyHost } from '../contract/hosts/fastify.ts';
import type { Host } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { koaHost } from '../contract/hosts/koa.ts';
import { wsHost } from '../contract/hosts/ws.ts';
import { IN_FULL } from './flooder.ts';

/**
 * All hosts for a full run; else one for each way of reading from the network: Express 4 reads as Express 5, koa-websocket uses the
 * same ws as Koa, and express-ws has a ws of its own.
 */
export const floodedHosts: readonly Host[] = IN_FULL
  ? hosts
  : [wsHost, fastifyHost, express5Host, expressWsHost, koaHost];
