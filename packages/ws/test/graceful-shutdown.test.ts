import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { anonymous, createGuard, PolicyError, Type } from '@sallyport/core';
import { gracefulShutdown, guardServer } from '@sallyport/ws';
import { WebSocket, WebSocketServer } from 'ws';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
});

async function serve() {
  const guard = createGuard({
    auth: [anonymous()],
    messages: { say: Type.Object({}) },
    logger: false,
    name: 'shutdown',
  });
  const server = createServer((_request, response) => void response.end('ok'));
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard, { path: '/chat' });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  const open = (): WebSocket =>
    new WebSocket(`ws://localhost:${port}/chat`, { origin: `http://localhost:${port}` });
  return { guard, server, open };
}

const opened = (socket: WebSocket) => new Promise((resolve) => socket.once('open', resolve));
const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve));

test('a signal ends the connections and the server, and the next one is the system’s again', async () => {
  const { guard, server, open } = await serve();
  const before = process.listenerCount('SIGTERM');
  const shutdown = gracefulShutdown(server, guard, { within: '2s', signals: ['SIGTERM'] });
  expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  const socket = open();
  await opened(socket);
  const code = closed(socket);
  process.emit('SIGTERM');
  expect(process.listenerCount('SIGTERM')).toBe(before);
  expect(await code).toBe(1001);
  await shutdown.close();
  expect(server.listening).toBe(false);
  expect(guard.stats().connections).toBe(0);
});

test('while connections end, a new handshake is answered and told to come back', async () => {
  const { guard, server, open } = await serve();
  const shutdown = gracefulShutdown(server, guard, { within: '2s' });
  const socket = open();
  await opened(socket);
  // It does not answer the close frame until it is read again.
  socket.pause();
  const done = shutdown.close();
  const late = open();
  const answer = await new Promise<{ statusCode?: number; headers: object }>((resolve, reject) => {
    late.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response);
    });
    late.on('open', () => reject(new Error('it was let in')));
  });
  expect([answer.statusCode, answer.headers]).toEqual([
    503,
    expect.objectContaining({ 'retry-after': expect.stringMatching(/^[1-6]$/) }),
  ]);
  socket.resume();
  await done;
});

test('forgotten, it listens for no signal', async () => {
  const { guard, server } = await serve();
  const before = process.listenerCount('SIGINT');
  const shutdown = gracefulShutdown(server, guard);
  shutdown.forget();
  expect(process.listenerCount('SIGINT')).toBe(before);
  await shutdown.close();
  await shutdown.close();
  expect(server.listening).toBe(false);
});

test('its time has to be one', async () => {
  const { guard, server } = await serve();
  expect(() => gracefulShutdown(server, guard, { within: 'soon' as never })).toThrow(PolicyError);
  await gracefulShutdown(server, guard).close();
});
