// H12: a route that upgrades without a policy stops the program at start-up, unless it is public by name
// (marimo CVE-2026-39987; in Fastify, a sibling scope has hooks of its own).
import { createServer, type Server } from 'node:http';
import websocket from '@fastify/websocket';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import { sallyport } from '@sallyport/fastify';
import { guardServer } from '@sallyport/ws';
import fastify from 'fastify';
import { WebSocketServer } from 'ws';
import { serve } from '../contract/hosts/host.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { admitted, refusal } from '../support/wire.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('ws', () => {
  const guarded = (server: Server, path = '/chat') =>
    guardServer(server, new WebSocketServer({ noServer: true }), chatGuard(), { path });

  test('another upgrade listener beside the guard throws PolicyError when the server starts listening', () => {
    const server = createServer();
    guarded(server);
    new WebSocketServer({ server, path: '/admin' });
    closing.push(() => server.close());
    // The error is thrown in the 'listening' event, so that the program ends.
    expect(() => server.emit('listening')).toThrow(PolicyError);
  });

  test('an upgrade listener added after the start is never called, and its path gets 404', async () => {
    const server = createServer();
    guarded(server);
    const { port, close } = await serve(server);
    closing.push(close);
    const seen: unknown[] = [];
    server.on('upgrade', (request) => seen.push(request));
    const answer = await refusal(port, { target: '/admin', headers: await goodHeaders() });
    expect(answer.status).toBe(404);
    expect(seen).toEqual([]);
  });

  test("otherUpgrades: 'public' lets another listener answer, but only behind the outer door", async () => {
    const server = createServer();
    const guard = chatGuard();
    guardServer(server, new WebSocketServer({ noServer: true }), guard, {
      path: '/chat',
      otherUpgrades: 'public',
    });
    const stranger = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => stranger.handleUpgrade(request, socket, head, () => {}));
    const { port, close } = await serve(server);
    closing.push(close);
    closing.push(() => wire.destroy());
    const wire = await admitted(port, { target: '/public' });
    expect((await refusal(port, { target: '/public', headers: { Host: 'evil.example' } })).status).toBe(403);
    expect((await refusal(port, { target: '/chat' })).status).toBe(401);
  });

  test('guardServer() with a ws server that listens by itself throws, naming noServer: true', () => {
    const server = createServer();
    const wss = new WebSocketServer({ server });
    expect(() => guardServer(server, wss, chatGuard())).toThrow(/noServer: true/);
  });
});

describe('fastify', () => {
  const application = async (options: { guard?: AnyGuard } = { guard: chatGuard() }) => {
    const app = fastify();
    closing.push(() => app.close());
    await app.register(websocket);
    await app.register(sallyport, options);
    return app;
  };

  test('a WebSocket route without a guard makes app.ready() reject, naming the route', async () => {
    const app = await application({});
    app.get('/chat', { websocket: true, config: { guard: chatGuard() } }, () => {});
    app.get('/admin', { websocket: true }, () => {});
    await expect(app.ready()).rejects.toThrow(/\/admin.*without a guard/);
  });

  test('a WebSocket route in a sibling scope is guarded: 401 without a credential', async () => {
    const guard = chatGuard();
    const app = await application({ guard });
    let calls = 0;
    await app.register(async (scope) => {
      scope.get('/sibling', { websocket: true }, () => void calls++);
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as { port: number };
    expect((await refusal(port, { target: '/sibling' })).status).toBe(401);
    expect(calls).toBe(0);
  });

  test("config.guard: 'public' admits without a credential, but only behind the outer door", async () => {
    const app = await application();
    app.get('/public', { websocket: true, config: { guard: 'public' } }, () => {});
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as { port: number };
    const wire = await admitted(port, { target: '/public' });
    wire.destroy();
    expect((await refusal(port, { target: '/public', headers: { Host: 'evil.example' } })).status).toBe(403);
  });
});
