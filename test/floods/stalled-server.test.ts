// D6: a server whose event loop is blocked for ten heartbeat intervals terminates no peer that answered meanwhile, and afterwards
// still finds peers that are gone.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { GuardedChat } from '../programs/guarded-chat.ts';
import { goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { Forked } from '../support/forked.ts';
import { IN_FULL } from './flooder.ts';

const HEALTHY = 50;
/** Milliseconds. */
const LONG_WAY = 300;
const STALL = IN_FULL ? 10_000 : 3_000;
const limits = { heartbeat: '1s', connectionsPerIdentity: 100 } as const;
const NAMES = ['ws', 'fastify'] as const;

let servers: Forked<GuardedChat>[] = [];
const sockets: WebSocket[] = [];
beforeAll(async () => {
  servers = await Promise.all(NAMES.map(() => Forked.start<GuardedChat>('guarded-chat')));
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  expect(await Promise.all(servers.map((server) => server.end()))).toEqual(NAMES.map(() => ''));
});

/** Clients that answer pings after a long network delay. */
async function enter(port: number, count: number): Promise<WebSocket[]> {
  const headers = { Host: 'localhost', ...(await goodHeaders()) };
  const entering = Array.from({ length: count }, () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers, autoPong: false });
    socket.on('ping', () => setTimeout(() => socket.readyState === socket.OPEN && socket.pong(), LONG_WAY));
    sockets.push(socket);
    return new Promise<WebSocket>((resolve, reject) =>
      socket.once('open', () => resolve(socket)).once('error', reject),
    );
  });
  return Promise.all(entering);
}

async function standsStill(server: Forked<GuardedChat>, name: string): Promise<void> {
  const port = await server.ask('start', name, { limits });
  const healthy = await enter(port, HEALTHY);
  const answers: string[] = [];
  let closed = 0;
  let pings = 0;
  for (const socket of healthy) {
    socket.on('message', (data) => answers.push(String(data)));
    socket.on('close', () => closed++);
    socket.on('ping', () => pings++);
  }
  await eventually(() => pings >= HEALTHY, 'a ping for each client');
  // The answers arrive during the stall, and wait in the kernel.
  await server.ask('stall', STALL);

  // Waits for as many intervals as it takes to find a peer that is gone: a healthy peer taken for gone would be found as well.
  const [gone] = await enter(port, 1);
  gone?.pause();
  const goneAt = performance.now();
  await eventually(
    async () => (await server.ask('connections')) === HEALTHY,
    'the end of the dead peer',
    20_000,
  );
  // Two intervals and a tick, and some time for a busy machine.
  expect(performance.now() - goneAt).toBeLessThan(10_000);
  expect(closed).toBe(0);
  for (const [i, socket] of healthy.entries()) socket.send(JSON.stringify({ type: 'say', text: `${i}` }));
  await eventually(() => answers.length === HEALTHY, 'the answers');
  expect(await server.ask('counts')).toEqual({ handled: HEALTHY, '1006 unresponsive': 1 });
}

test('after a stall of ten heartbeat intervals no healthy peer is terminated, and a dead one is terminated in time', async () => {
  await Promise.all(servers.map((server, i) => standsStill(server, NAMES[i] as string)));
}, 120_000);
