// D6: a peer that vanishes without closing (cable, battery, NAT) keeps its socket and its slot for hours (ws #1768). And a
// server whose event loop was blocked must not take healthy peers for gone because it has not read their answers yet.
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '@sallyport/core';
import type { WebSocket } from 'ws';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { wsHost } from '../contract/hosts/ws.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders, NOW, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { rawSocket, read } from '../support/raw-socket.ts';
import { frame, type Wire } from '../support/wire.ts';

const PONG = frame('', 0xa);
const pings = (wire: Wire): number => wire.frames().filter(({ opcode }) => opcode === 0x9).length;
const sees = (wire: Wire, count: number) => wire.until(() => pings(wire) >= count, `ping ${count}`);

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function chat(limits: PolicyOverrides['limits']) {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, limits });
    const closed: string[] = [];
    guard.on('connection.closed', ({ code, reason }) => closed.push(`${code} ${reason}`));
    const sockets: WebSocket[] = [];
    const handler: ChatHandler = (connection, socket) => {
      sockets.push(socket);
      connection.on('say', () => connection.send('said', { text: 'here' }));
    };
    const app = await start(host, { guard, chat: handler });
    const enter = async () => {
      const wire = await open(app, { headers: await goodHeaders() });
      await eventually(() => sockets.length > 0, 'the handler');
      const raw = rawSocket(sockets.at(-1) as WebSocket);
      /** Sends these bytes, and waits until the server has read them. */
      const say = async (bytes: Buffer) => {
        const arrived = read(raw, bytes.length);
        wire.send(bytes);
        await arrived;
      };
      return { wire, say };
    };
    return { clock, guard, closed, enter };
  }

  test('a peer that answers nothing is pinged after one heartbeat interval and terminated after the second', async () => {
    const { clock, guard, closed, enter } = await chat({ heartbeat: '25s' });
    const { wire } = await enter();
    clock.advance(25_000);
    await sees(wire, 1);
    expect([guard.stats().connections, wire.ended]).toEqual([1, false]);
    clock.advance(25_000);
    await eventually(() => guard.stats().connections === 0 && wire.ended, 'the end');
    expect(closed).toEqual(['1006 unresponsive']);
    // No close frame, since no peer is there to read it.
    expect(wire.frames().map(({ opcode }) => opcode)).toEqual([0x9]);
  });

  test('a peer that answers each ping stays connected without sending a message', async () => {
    const { clock, guard, closed, enter } = await chat({ heartbeat: '25s' });
    const { wire, say } = await enter();
    for (let interval = 1; interval <= 6; interval++) {
      clock.advance(25_000);
      await sees(wire, interval);
      await say(PONG);
      clock.advance(1_000);
    }
    // Half a frame is a sign of life as well.
    clock.advance(48_000);
    await say(frame('{"type":"say","text":"hi"}').subarray(0, 9));
    clock.advance(24_000);
    wire.send(frame('{"type":"say","text":"hi"}').subarray(9));
    expect(await wire.messages(1)).toHaveLength(1);
    expect([guard.stats().connections, closed]).toEqual([1, []]);
  });

  test('with limits.idle, a peer that only answers pings is closed with 4408', async () => {
    const { clock, closed, enter } = await chat({ heartbeat: '10s', idle: '60s' });
    const { wire, say } = await enter();
    await say(frame('{"type":"say","text":"hi"}'));
    await wire.messages(1);
    for (let i = 0; i < 12; i++) {
      clock.advance(4_900);
      expect(wire.frames().filter(({ opcode }) => opcode === 0x8)).toEqual([]);
      await say(PONG);
    }
    clock.advance(3_000);
    expect(await wire.closeCode()).toBe(4408);
    wire.destroy();
    await eventually(() => closed.length === 1, 'the end');
    expect(closed[0]).toMatch(/ idle$/);
  });

  test('after a stall of 10 s, peers whose pongs have arrived but are unread are not terminated', async () => {
    const { clock, guard, closed, enter } = await chat({ heartbeat: '5s' });
    const peers = [await enter(), await enter(), await enter()];
    clock.advance(5_000);
    for (const { wire } of peers) await sees(wire, 1);
    // The pongs are in the kernel's buffers. The timers that are due run before they are read.
    for (const { wire } of peers) wire.send(PONG);
    clock.stall(10_000);
    await wait(50);
    expect([guard.stats().connections, closed]).toEqual([3, []]);
    for (let second = 0; second < 4; second++) clock.advance(1_000);
    await eventually(() => peers.every(({ wire }) => !wire.ended), 'all of them');
    expect([guard.stats().connections, closed]).toEqual([3, []]);
  });
});

/** Peers in a thread of their own, which answer while this event loop is blocked. */
const PEERS = `
const { parentPort, workerData } = require('node:worker_threads');
const { WebSocket } = require(workerData.ws);
for (let i = 0; i < workerData.count; i++) {
  const socket = new WebSocket(workerData.url, { headers: workerData.headers });
  socket.on('open', () => parentPort.postMessage('open'));
  socket.on('ping', () => parentPort.postMessage('ping'));
  socket.on('close', (code) => parentPort.postMessage('closed ' + code));
  socket.on('error', (error) => parentPort.postMessage(String(error)));
}
`;

describe('an event loop that is blocked', () => {
  const { start } = applications();

  test('blocking the event loop for 10 s right after the pings terminates no peer that answers', async () => {
    let armed = false;
    let stalled = 0;
    const clock: Clock = {
      ...systemClock,
      now: () => NOW * 1_000,
      schedule: (ms, callback) =>
        systemClock.schedule(ms, () => {
          callback();
          if (!armed || ms !== 1_000) return;
          // Right after the tick that sent the pings: the answers arrive while this thread reads nothing.
          armed = false;
          stalled++;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
        }),
    };
    const guard = chatGuard({ clock, limits: { heartbeat: '2s' } });
    const { port } = await start(wsHost, { guard });
    const worker = new Worker(PEERS, {
      eval: true,
      workerData: {
        ws: import.meta.resolve('ws').replace('file://', '').replace('wrapper.mjs', 'index.js'),
        url: `ws://localhost:${port}/chat`,
        headers: await goodHeaders(),
        count: 5,
      },
    });
    const heard: string[] = [];
    worker.on('message', (text: string) => heard.push(text));
    try {
      await eventually(() => guard.stats().connections === 5, 'the peers');
      armed = true;
      await eventually(() => stalled === 1, 'the stall');
      await wait(4_500);
      expect(heard.filter((text) => text !== 'open' && text !== 'ping')).toEqual([]);
      expect(heard.filter((text) => text === 'ping').length).toBeGreaterThanOrEqual(5);
      expect(guard.stats().connections).toBe(5);
    } finally {
      await worker.terminate();
    }
  }, 40_000);
});
