import { createServer, type Server, type ServerOptions } from 'node:http';
import { expect, test } from '@jest/globals';
import { anonymous, createGuard, type Duration, passthrough } from '@sallyport/core';
import { WebSocketServer } from 'ws';
import { servers } from '../../../test/support/served.ts';
import { guardServer } from '../src/index.ts';

const { listen } = servers();

type Timed = Server & { connectionsCheckingInterval: number };

function guarded(server: Server, handshakeTimeout?: Duration) {
  const lines: string[] = [];
  const guard = createGuard({
    auth: [anonymous()],
    messages: passthrough({ text: true }),
    logger: { warn: (_details, text) => void lines.push(text) },
    ...(handshakeTimeout && { limits: { handshakeTimeout } }),
  });
  guardServer(server, new WebSocketServer({ noServer: true }), guard, { path: '/chat' });
  const timed = server as Timed;
  return { lines, values: () => [timed.headersTimeout, timed.connectionsCheckingInterval] };
}

test.each<[Duration | undefined, number, number]>([
  [undefined, 10_000, 1_000],
  ['20s', 20_000, 2_000],
  // Headers may come over a slow network.
  ['40ms', 5_000, 500],
  // Never longer than without the guard.
  ['10m', 60_000, 30_000],
])(
  'with handshakeTimeout %s headers may take %d ms, and are looked at every %d ms',
  async (limit, ...expected) => {
    const server = createServer();
    const { lines, values } = guarded(server, limit);
    await listen(server);
    expect(values()).toEqual(expected);
    expect(lines).toEqual([]);
  },
);

test.each<[string, ServerOptions, number[]]>([
  ['shorter values', { headersTimeout: 3_000, connectionsCheckingInterval: 200 }, [3_000, 200]],
  ['a shorter deadline alone', { headersTimeout: 3_000 }, [3_000, 1_000]],
  [
    'a requestTimeout instead',
    { headersTimeout: 0, requestTimeout: 8_000, connectionsCheckingInterval: 500 },
    [0, 500],
  ],
])('what the application sets stays, without a warning: %s', async (_what, options, expected) => {
  const server = createServer(options);
  const { lines, values } = guarded(server);
  await listen(server);
  expect(values()).toEqual(expected);
  expect(lines).toEqual([]);
});

const LINE = 'createServer({ headersTimeout: 10000, connectionsCheckingInterval: 1000 })';

test.each<[string, ServerOptions, string]>([
  ['a longer deadline', { headersTimeout: 45_000 }, 'after up to 46 s'],
  ['a longer interval', { connectionsCheckingInterval: 40_000 }, 'after up to 50 s'],
  ['no deadline', { headersTimeout: 0, requestTimeout: 0 }, 'never'],
  ['a deadline for whole requests only', { headersTimeout: 0 }, 'after up to 301 s'],
])('what the application sets stays, and the log tells what to write: %s', async (_what, options, after) => {
  const server = createServer(options);
  const { lines, values } = guarded(server);
  const before = values();
  await listen(server);
  expect(values()).toEqual(before);
  expect(lines).toEqual([expect.stringContaining(`cut ${after}`)]);
  expect(lines[0]).toContain(LINE);
});

test('a property that the application sets after the guard counts, and is looked at when the server listens', async () => {
  const server = createServer();
  const { lines, values } = guarded(server);
  server.headersTimeout = 120_000;
  await listen(server);
  expect(values()).toEqual([120_000, 1_000]);
  expect(lines).toEqual([expect.stringContaining('cut after up to 121 s')]);
});

test('a server that is guarded right after listen() is bounded, without a warning', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const { lines, values } = guarded(server);
  await listen(server);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(values()).toEqual([10_000, 1_000]);
  expect(lines).toEqual([]);
});

test('a server that listened before is warned of: Node has read the interval already', async () => {
  const server = createServer();
  await listen(server);
  await new Promise(setImmediate);
  const { lines } = guarded(server);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(lines).toEqual([expect.stringContaining('cut after up to 40 s')]);
  expect(lines[0]).toContain('guard the server before it listens');
});
