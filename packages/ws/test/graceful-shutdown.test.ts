import { createServer, get } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { PolicyError } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import { type GracefulShutdown, gracefulShutdown, guardServer } from '@sallyport/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';
import { servers } from '../../../test/support/served.ts';
import { guardOf } from '../../core/test/support/guards.ts';
import { ManualClock } from '../../core/test/support/manual-clock.ts';

const HEADERS = { Origin: 'http://localhost' };
const SIGNALS = ['SIGUSR2', 'SIGWINCH'] as const;
const { listen, dial, open } = servers();

let shutdown: GracefulShutdown | undefined;
const held: (() => void)[] = [];
afterEach(() => {
  for (const release of held.splice(0)) release();
  for (const signal of SIGNALS) process.removeAllListeners(signal);
});

async function chat(options: { within?: `${number}s` | 0; signals?: readonly NodeJS.Signals[] } = {}) {
  const clock = new ManualClock();
  const guard = guardOf({ clock, limits: { heartbeat: false } });
  const server = createServer((request, response) => {
    if (request.url === '/slow') held.push(() => response.end('late'));
    else response.end('plain');
  });
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  const sockets: WebSocket[] = [];
  wss.on('connection', (socket) => sockets.push(socket));
  shutdown = gracefulShutdown(server, guard, { signals: [], ...options });
  const port = await listen(server);
  return { clock, guard, server, shutdown, port, sockets };
}

function refusing(port: number): Promise<boolean> {
  return dial(port).then(
    () => false,
    () => true,
  );
}

const listeners = () => SIGNALS.map((signal) => process.listenerCount(signal));

test('a signal starts the shutdown, and a second signal has its default effect', async () => {
  const { port, guard, shutdown: running } = await chat({ signals: SIGNALS });
  const wire = await open(port, { headers: HEADERS });
  await eventually(() => guard.stats().connections === 1, 'the connection');
  expect(listeners()).toEqual([1, 1]);
  process.emit('SIGUSR2');
  expect(listeners()).toEqual([0, 0]);
  expect(await wire.closeCode()).toBe(1001);
  wire.destroy();
  await running.closed;
  expect(await refusing(port)).toBe(true);
});

test('the end of one server leaves the connections of another with the same guard open; the last one closes the guard', async () => {
  const clock = new ManualClock();
  const guard = guardOf({ clock, limits: { heartbeat: false } });
  const serve = async () => {
    const server = createServer();
    guardServer(server, new WebSocketServer({ noServer: true }), guard);
    return { port: await listen(server), shutdown: gracefulShutdown(server, guard, { signals: [] }) };
  };
  const [first, second] = [await serve(), await serve()];
  const closed = await open(first.port, { headers: HEADERS });
  const kept = await open(second.port, { headers: HEADERS });
  await eventually(() => guard.stats().connections === 2, 'the connections');
  const ends = first.shutdown.close();
  expect(await closed.closeCode()).toBe(1001);
  closed.destroy();
  await ends;
  expect([guard.stats().connections, kept.ended]).toEqual([1, false]);
  (await open(second.port, { headers: HEADERS })).destroy();
  const last = second.shutdown.close();
  expect(await kept.closeCode()).toBe(1001);
  kept.destroy();
  await last;
  expect(hostGuard(guard).isClosed).toBe(true);
});

test('twelve servers of a process have one listener for each signal, and one signal ends them all', async () => {
  const warnings: unknown[] = [];
  const warned = (warning: unknown) => void warnings.push(warning);
  process.on('warning', warned);
  const servers = [];
  for (let i = 0; i < 12; i++) servers.push(await chat({ signals: SIGNALS }));
  expect(listeners()).toEqual([1, 1]);
  process.emit('SIGWINCH');
  await Promise.all(servers.map(({ shutdown }) => shutdown.closed));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  expect([listeners(), warnings]).toEqual([[0, 0], []]);
});

test('a server that has closed by itself waits for no signal, until it listens again', async () => {
  const { server, shutdown: running } = await chat({ signals: SIGNALS });
  await new Promise((resolve) => server.close(resolve));
  expect(listeners()).toEqual([0, 0]);
  await listen(server);
  expect(listeners()).toEqual([1, 1]);
  process.emit('SIGUSR2');
  await running.closed;
  expect([listeners(), server.listening]).toEqual([[0, 0], false]);
});

test('close() shuts down once for two calls, and removes the signal listeners and timers', async () => {
  const { shutdown: running, clock } = await chat({ signals: SIGNALS });
  await Promise.all([running.close(), running.close()]);
  expect([listeners(), clock.pending]).toEqual([[0, 0], 0]);
  await running.closed;
});

test('while connections end, the server answers requests and refuses handshakes with 503', async () => {
  const { port, guard, shutdown: running } = await chat();
  const wire = await open(port, { headers: HEADERS });
  await eventually(() => guard.stats().connections === 1, 'the connection');
  void running.close();
  const late = (await dial(port)).handshake({ headers: HEADERS });
  const { status, headers } = await late.answer();
  expect([status, Number(headers['retry-after']) >= 1]).toEqual([503, true]);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('plain');
  wire.destroy();
  await running.closed;
});

test('a request in progress is answered, and its keep-alive connection then closes before the deadline', async () => {
  const { port, clock, shutdown: running } = await chat();
  const answer = new Promise<string>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/slow', headers: { Connection: 'keep-alive' } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
  await eventually(() => held.length === 1, 'the request');
  const closed = running.close();
  await eventually(() => refusing(port), 'the end of listening');
  held.shift()?.();
  expect(await answer).toBe('late');
  let over = false;
  void closed.then(() => {
    over = true;
  });
  await eventually(() => {
    clock.advance(10);
    return over;
  }, 'the end');
  // Long before the deadline.
  expect(clock.monotonic()).toBeLessThan(5_000);
  expect(clock.pending).toBe(0);
});

test('at the deadline, unanswered requests and silent TCP connections are destroyed', async () => {
  const { port, clock, guard, shutdown: running } = await chat({ within: '2s' });
  const silent = await dial(port);
  const asking = (await dial(port)).send('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const wire = await open(port, { headers: HEADERS });
  await eventually(() => held.length === 1 && guard.stats().connections === 1, 'all of them');
  const closed = running.close();
  clock.advance(1_999);
  expect([silent.ended, asking.ended]).toEqual([false, false]);
  clock.advance(1);
  await closed;
  expect(await wire.closeCode()).toBe(1001);
  for (const left of [silent, asking, wire]) await left.until(() => left.ended, 'the end');
  expect(clock.pending).toBe(0);
});

test('close() resolves for a server that never listened', async () => {
  const guard = guardOf({ clock: new ManualClock() });
  await gracefulShutdown(createServer(), guard, { signals: [] }).close();
});

test('an unknown option and a wrong duration throw a PolicyError', () => {
  const begin = (options: object) => () =>
    gracefulShutdown(createServer(), guardOf({}), { signals: [], ...options });
  expect(begin({ timeout: 5 })).toThrow(PolicyError);
  expect(begin({ whitin: 5 })).toThrow(
    /^gracefulShutdown\(…, \{ whitin \}\): unknown option\. Did you mean 'within'\?/,
  );
  expect(begin({ within: 'soon' })).toThrow(/gracefulShutdown\(…, \{ within \}\)/);
});
