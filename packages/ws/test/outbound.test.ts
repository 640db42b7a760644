import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type AnyGuard, anonymous, createGuard, Type } from '@sallyport/core';
import { WebSocket, WebSocketServer } from 'ws';
import { Wire } from '../../../test/support/wire.ts';
import { connectionOf, guardServer } from '../src/index.ts';

let server: Server;
afterEach(() => new Promise((done) => server.close(done)));

/** Runs `act` on a guarded server when a client's message arrives, and returns what the client saw, in order. */
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

test('two messages sent in one tick are sent together when it ends', async () => {
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

test('a ping and a close frame are sent in order with the messages of the same tick', async () => {
  const log = await seen((ws) => {
    ws.send('a');
    ws.ping();
    ws.send('b');
    ws.close(4000);
  });
  expect(log).toEqual(['a', 'ping', 'b', 'close 4000']);
});

test('messages sent before terminate() in the same tick reach the client', async () => {
  const log = await seen((ws) => {
    ws.send('a');
    ws.send('b');
    ws.terminate();
  });
  expect(log).toEqual(['a', 'b', 'close 1006']);
});

test('100 KB sent in one tick are flushed before it ends, so no more than 20 KB wait, and all arrives', async () => {
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

test('the callback of send() is called after sending, and bufferedAmount counts what is waiting', async () => {
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

test("onSlowConsumer: 'drop' drops a whole message, and closes with 1013 when it would drop a part of one", async () => {
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

test('connection.send and broadcast send nothing between the parts of a message, and work after the last part', async () => {
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

describe('a guarded socket', () => {
  const SIZES = [0, 1, 125, 126, 127, 16_383, 16_384, 16_385, 65_535, 65_536, 70_000];
  const contents: [string, unknown, object?][] = [
    ['Latin-1', 'grüße'],
    ['text beyond the BMP', '🏰 sallyport'],
    ['a lone surrogate', 'a\ud800b'],
    ['bytes', Buffer.from([0, 255, 128, 7])],
    ['a view of bytes', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
    ['bytes as text', Buffer.from('text'), { binary: false }],
    ['text as bytes', 'text', { binary: true }],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    ['words', new Uint16Array([1, 2, 3])],
    ['a number', 42],
    ['with options of ws', 'text', { compress: true }],
    ['in parts', 'first', { fin: false }],
    ...SIZES.map((size): [string, unknown] => [`${size} letters`, 'x'.repeat(size)]),
    ...SIZES.map((size): [string, unknown] => [`${size} bytes`, Buffer.alloc(size, 7)]),
    ...SIZES.map((size): [string, unknown] => [`${size} times two bytes`, 'ü'.repeat(Math.floor(size / 2))]),
  ];

  /** All bytes after the 101 from a server, guarded or not, that runs `act` on each connection. */
  async function sent(guarded: boolean, act: (ws: WebSocket) => void): Promise<Buffer> {
    server = createServer();
    if (guarded) {
      const wss = new WebSocketServer({ noServer: true });
      guardServer(
        server,
        wss,
        createGuard({ auth: [anonymous()], messages: { go: Type.Object({}) }, logger: false }),
      );
      wss.on('connection', act);
    } else new WebSocketServer({ server }).on('connection', act);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const wire = (await Wire.open(port)).handshake({ target: '/', headers: { Origin: 'http://localhost' } });
    const bytes = await wire.until((received) => wire.ended || received.includes('the end'), 'the end');
    wire.destroy();
    await new Promise((done) => server.close(done));
    return bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
  }

  test.each(contents)(
    'sends the same bytes as ws alone for %s',
    async (_what, content, options = undefined) => {
      const act = (ws: WebSocket): void => {
        ws.send(content as string, options as never);
        if ((options as { fin?: boolean } | undefined)?.fin === false) ws.send('rest');
        ws.send('the end');
      };
      const expected = await sent(false, act);
      expect(expected.includes('the end')).toBe(true);
      const got = await sent(true, act);
      expect([got.length, got.equals(expected)]).toEqual([expected.length, true]);
    },
  );

  test('calls the callbacks of send() in order and without an error', async () => {
    const called: [string, unknown][] = [];
    const act = (ws: WebSocket): void => {
      ws.send('a', (error) => called.push(['a', error]));
      ws.send('b', { binary: true }, (error) => called.push(['b', error]));
      ws.send('the end', (error) => called.push(['the end', error]));
    };
    await sent(true, act);
    expect(called.map(([what, error]) => [what, error ?? undefined])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['the end', undefined],
    ]);
  });
});
