import type { AddressInfo } from 'node:net';
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import { afterEach } from '@jest/globals';
import { anonymous, createGuard, custom, type PolicyOptions, query, Type } from '@sallyport/core';
import { type OpenOptions, openSocket } from '@sallyport/ws/testing';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { WebSocket } from 'ws';
import { type HandshakeOptions, Wire } from '../../../../test/support/wire.ts';
import sallyport, { type SallyportOptions } from '../../src/index.ts';

/** A credential that only the guard may see. */
export const token = 'open-sesame-7f3a';

const messages = { say: Type.Object({ text: Type.String({ maxLength: 20 }) }) };

/** A guard that admits clients with the token, and anonymous ones. */
export function guardFor(policy: Partial<PolicyOptions<never, typeof messages, never>> = {}) {
  return createGuard({
    auth: [
      custom({
        scheme: 'token',
        from: [query('token')],
        authenticate: ({ credential }) => (credential === token ? { subject: 'alice' } : undefined),
      }),
      anonymous(),
    ],
    messages,
    logger: false,
    ...(policy as object),
  });
}

/** The order in which the two plugins are registered. */
export type Order = '@fastify/websocket first' | 'sallyport first';
export const orders: readonly Order[] = ['@fastify/websocket first', 'sallyport first'];

export interface ApplicationOptions extends SallyportOptions {
  readonly order?: Order;
  readonly fastify?: FastifyServerOptions;
  readonly websocket?: WebsocketPluginOptions;
}

const running: FastifyInstance[] = [];
const wires: Wire[] = [];

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.destroy();
  await Promise.all(running.splice(0).map((app) => app.close()));
});

/** Fastify with both plugins and no routes yet. It is closed after the test. */
export async function application({ order, fastify, websocket: own, ...options }: ApplicationOptions) {
  const app = Fastify(fastify ?? {});
  running.push(app);
  if (order === 'sallyport first') await app.register(sallyport, options);
  await app.register(websocket, own ?? {});
  if (order !== 'sallyport first') await app.register(sallyport, options);
  return app;
}

const ORIGIN = 'http://localhost';

/** Opens a socket in the process, from a page of the same origin. */
export const open = (app: FastifyInstance, path: string, options: OpenOptions = {}): Promise<WebSocket> =>
  openSocket(app.server, { path, origin: ORIGIN, ...options });

/** A connection to an application that listens on a port of its own, on which nothing has been sent. */
export async function dial(app: FastifyInstance): Promise<Wire> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' });
  const wire = await Wire.open((app.server.address() as AddressInfo).port);
  wires.push(wire);
  return wire;
}

/** An ordinary request, for which Fastify's `inject` needs a module that Jest cannot load. */
export async function request(app: FastifyInstance, path: string, init?: RequestInit): Promise<Response> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' });
  return fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}${path}`, init);
}

/** Sends a handshake from a page of the same origin. */
export async function shake(app: FastifyInstance, options: HandshakeOptions = {}): Promise<Wire> {
  const headers = { Origin: ORIGIN, ...options.headers };
  return (await dial(app)).handshake({ ...options, headers });
}

export const nextMessage = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));

export const closing = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.once('close', resolve));
