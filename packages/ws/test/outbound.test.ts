import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type AnyGuard, anonymous, createGuard, Type } from '@sallyport/core';
import { WebSocket, WebSocketServer } from 'ws';
import { connectionOf, guardServer } from '../src/index.ts';

let server: Server;
afterEach(() => new Promise((done) => server.close(done)));

/** A guarded server on a real port that does one thing as a message comes, and what a client then saw, in order. */
async function seen(
  act: (ws: WebSocket, raw: Socket, guard: AnyGuard) => void,
  policy: object = {},
): Promise<string[]> {
  const basics = { auth: [anonymous()], messages: { go: Type.Object({}) }, logger: false } as const;
  const guard: AnyGuard = createGuard({ ...basics, ...policy });
  server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  wss.on('connection', (ws: WebSocket & { _socket?: Socket }) => {
    connectionOf(ws, guard).on('go', () => act(ws, ws._socket as Socket, guard));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { origin: `http://127.0.0.1:${port}` });
  const log: string[] = [];
  client.on('open', () => client.send('{"type":"go"}'));
  client.on('message', (data) => log.push(String(data).slice(0, 10)));
  client.on('ping', () => log.push('ping'));
  await new Promise<void>((done) =>
    client.on('close', (code) => {
      log.push(`close ${code}`);
      done();
    }),
  );
  return log;
}

test('what a tick sends waits for its end, and leaves then', async () => {
  const corked: number[] = [];
  const log = await seen((ws, raw) => {
    ws.send('a');
    ws.send('b');
    corked.push(raw.writableCorked);
    process.nextTick(() => {
      corked.push(raw.writableCorked);
      ws.close(1000);
    });
  });
  expect(corked).toEqual([1, 0]);
  expect(log).toEqual(['a', 'b', 'close 1000']);
});

test('pings and the close frame keep their place among the messages', async () => {
  const log = await seen((ws) => {
    ws.send('a');
    ws.ping();
    ws.send('b');
    ws.close(4000);
  });
  expect(log).toEqual(['a', 'ping', 'b', 'close 4000']);
});

test('dropping the socket does not take back what was sent before', async () => {
  const log = await seen((ws) => {
    ws.send('a');
    ws.send('b');
    ws.terminate();
  });
  expect(log).toEqual(['a', 'b', 'close 1006']);
});

test('much is handed on before the tick ends, and nothing is lost', async () => {
  const waiting: number[] = [];
  const log = await seen((ws, raw) => {
    for (let i = 0; i < 100; i++) {
      ws.send(String(i).padEnd(1_000));
      waiting.push(raw.writableLength);
    }
    ws.close(1000);
  });
  expect(Math.max(...waiting)).toBeLessThan(20_000);
  expect(log).toEqual([...Array.from({ length: 100 }, (_, i) => String(i).padEnd(10)), 'close 1000']);
});

test('the callback of a send is called, and bufferedAmount counts what waits', async () => {
  const told: unknown[] = [];
  await seen((ws) => {
    ws.send('a', (error) => {
      told.push(error ?? 'sent');
      ws.close(1000);
    });
    told.push(ws.bufferedAmount > 0);
  });
  expect(told).toEqual([true, 'sent']);
});

const tight = { onSlowConsumer: 'drop', limits: { buffered: '1KiB' } };

test('of a message in parts none is dropped alone: what is left would mean something else', async () => {
  const errors: unknown[] = [];
  const log = await seen((ws) => {
    ws.send('whole'.padEnd(600));
    ws.send('dropped'.padEnd(600), (error) => errors.push(error));
    ws.send('begin', { fin: false });
    ws.send('end'.padEnd(600), { fin: true }, (error) => errors.push(error));
  }, tight);
  expect(log).toEqual(['whole     ', 'close 1013']);
  expect(errors).toEqual([expect.any(Error), expect.any(Error)]);
});

test('nor is what the guard itself says taken for a part of it', async () => {
  const taken: unknown[] = [];
  const log = await seen((ws, _raw, guard) => {
    const connection = connectionOf(ws, guard);
    const speak = (): unknown => [connection.send('said', {}), guard.broadcast('said', {})];
    ws.send('begin ', { fin: false });
    taken.push(speak());
    ws.send('mid', { fin: false });
    taken.push(speak());
    ws.send('end', { fin: true });
    taken.push(speak());
    ws.close(1000);
  });
  expect(log).toEqual(['begin mide', '{"type":"s', '{"type":"s', 'close 1000']);
  expect(taken).toEqual([
    [false, 0],
    [false, 0],
    [true, 1],
  ]);
});
