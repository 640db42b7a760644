// Applications that are built again: another one with the same guard, and another guard on the same server.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import websocket from '@fastify/websocket';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type AnyGuard, type Guard, PolicyError } from '@sallyport/core';
import * as onExpress from '@sallyport/express';
import sallyport from '@sallyport/fastify';
import * as onKoa from '@sallyport/koa';
import { connectionOf, guardServer } from '@sallyport/ws';
import express from 'express';
import Fastify, { type FastifyInstance } from 'fastify';
import Koa from 'koa';
import { WebSocketServer } from 'ws';
import { verdict } from '../support/applications.ts';
import { say } from '../support/auth-frames.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { servers } from '../support/served.ts';
import { Wire } from '../support/wire.ts';
import { type ChatHandler, echo } from './hosts/host.ts';

const { listen, open, refused } = servers();
const running: FastifyInstance[] = [];
const wires: Wire[] = [];
afterEach(async () => {
  for (const wire of wires.splice(0)) wire.destroy();
  await Promise.all(running.splice(0).map((app) => app.close()));
});

async function fastify(
  guard: AnyGuard,
  server?: Server,
  chat: ChatHandler = echo,
): Promise<{ app: FastifyInstance; port: number }> {
  const app = Fastify({ ...(server && { serverFactory: () => server }) });
  running.push(app);
  await app.register(websocket);
  await app.register(sallyport, { guard });
  app.get(
    '/chat',
    { websocket: true },
    (socket) => void chat(connectionOf(socket, guard), socket, undefined),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, port: (app.server.address() as AddressInfo).port };
}

const hosts: [string, (server: Server, guard: Guard) => void][] = [
  [
    'ws',
    (server, guard) => guardServer(server, new WebSocketServer({ noServer: true }), guard, { path: '/chat' }),
  ],
  [
    'express',
    (server, guard) => {
      const app = express();
      app.get(
        '/chat',
        onExpress.websocket(guard, () => {}),
      );
      onExpress.upgrade(server, app, guard);
    },
  ],
  [
    'koa',
    (server, guard) => {
      const app = new Koa();
      app.use(onKoa.websocket(guard, () => {}));
      onKoa.upgrade(server, app, guard);
    },
  ],
];

describe.each(hosts)('%s', (_name, build) => {
  test('a server whose guard was closed gets another one, which admits; the old one admits nobody', async () => {
    const server = createServer();
    const first = chatGuard() as Guard;
    build(server, first);
    const port = await listen(server);
    const headers = await goodHeaders();
    (await open(port, { headers })).destroy();
    await first.close({ within: 0 });
    expect(verdict(await refused(port, { headers }))).toBe('503 shutting_down');
    const second = chatGuard() as Guard;
    build(server, second);
    (await open(port, { headers })).destroy();
    expect([first.stats().admitted, second.stats().admitted]).toEqual([1, 1]);
    expect(server.listenerCount('upgrade')).toBe(1);
  });

  test('a server whose guard is open gets no guard of another family', () => {
    const server = createServer();
    build(server, chatGuard() as Guard);
    expect(() => build(server, chatGuard() as Guard)).toThrow(PolicyError);
  });
});

describe('fastify', () => {
  test('app.close() ends what its server served, and no more: the guard serves another application, before and after', async () => {
    const guard = chatGuard();
    const headers = await goodHeaders();
    const [first, second] = [await fastify(guard), await fastify(guard)];
    const closed = await open(first.port, { headers });
    const kept = await open(second.port, { headers });
    const ends = first.app.close();
    expect(await closed.closeCode()).toBe(1001);
    closed.destroy();
    await ends;
    kept.send(say('hi'));
    expect(await kept.messages(1)).toHaveLength(1);
    const third = await fastify(guard);
    (await open(third.port, { headers })).send(say('again'));
    await eventually(() => guard.stats().admitted === 3, 'the third');
  });

  test('app.close() handles and answers every message that was received', async () => {
    const guard = chatGuard();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = 0;
    const slowEcho: ChatHandler = (connection) => {
      connection.on('say', async (message) => {
        begun++;
        await released;
        connection.send('said', { text: (message as { text: string }).text });
      });
    };
    const { app, port } = await fastify(guard, undefined, slowEcho);
    const wire = await open(port, { headers: await goodHeaders() });
    const texts = Array.from({ length: 15 }, (_, i) => `${i}`);
    for (const text of texts) wire.send(say(text));
    await eventually(() => begun === 1, 'the handler');
    const ends = app.close();
    wire.send(say('last'));
    release();
    const answers = await wire.messages(16);
    expect(answers.map((answer) => (JSON.parse(answer) as { text: string }).text)).toEqual([
      ...texts,
      'last',
    ]);
    expect(await wire.closeCode()).toBe(1001);
    wire.destroy();
    await ends;
  });

  test('while an application closes, its server refuses handshakes with 503, and another server admits them', async () => {
    const guard = chatGuard();
    const headers = await goodHeaders();
    const [first, second] = [await fastify(guard), await fastify(guard)];
    const stubborn = await open(first.port, { headers });
    const late = await Wire.open(first.port);
    wires.push(late);
    const ends = first.app.close();
    await stubborn.closeCode();
    expect(verdict(await late.handshake({ headers }).answer())).toBe('503 shutting_down');
    (await open(second.port, { headers })).destroy();
    stubborn.destroy();
    await ends;
  });

  test('after app.close() no listener of it is left on the server, and another application is built on it', async () => {
    const guard = chatGuard();
    const headers = await goodHeaders();
    const server = createServer();
    const bare = server.listenerCount('upgrade');
    let handle: FastifyInstance['routing'] | undefined;
    server.on('request', (request, response) => handle?.(request, response));
    for (let i = 0; i < 3; i++) {
      const app = Fastify({
        serverFactory: (routing) => {
          handle = routing as never;
          return server;
        },
      });
      running.push(app);
      await app.register(websocket);
      await app.register(sallyport, { guard });
      app.get('/chat', { websocket: true }, () => {});
      await app.listen({ port: 0, host: '127.0.0.1' });
      const wire = await open((server.address() as AddressInfo).port, { headers });
      const ends = app.close();
      expect(await wire.closeCode()).toBe(1001);
      wire.destroy();
      await ends;
      expect(server.listenerCount('upgrade')).toBe(bare);
    }
    expect(guard.stats().admitted).toBe(3);
  });
});
