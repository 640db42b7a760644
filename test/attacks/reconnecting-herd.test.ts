// D10: a node that drops all clients at once when it ends sends them all to the next node at the same moment
// (fastify-websocket #45). And a handler at work, or a client that never answers a close, must not keep the node from ending.
import { describe, expect, test } from '@jest/globals';
import type { Connection } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { frame, type Wire } from '../support/wire.ts';

const CLIENTS = 80;
const say = (text: string) => frame(JSON.stringify({ type: 'say', text }));

describe.each(hosts)('$name', (host) => {
  const { start, open, dial, refused } = applications();

  async function chat(limits: object = {}) {
    const clock = new ManualClock();
    const guard = chatGuard({
      clock,
      limits: { closeTimeout: '1h', connectionsPerIdentity: 1_000, ...limits },
    });
    const begun: string[] = [];
    let answer: (() => void) | undefined;
    const handler: ChatHandler = (connection: Connection) => {
      connection.on('say', async (message) => {
        const { text } = message as { text: string };
        begun.push(text);
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        connection.send('said', { text });
      });
    };
    const app = await start(host, { guard, chat: handler });
    const headers = await goodHeaders();
    const enter = async () => open(app, { headers });
    const inside = (count: number) =>
      eventually(() => guard.stats().connections === count, `${count} connections`);
    return { app, clock, guard, begun, answer: () => answer?.(), headers, enter, inside };
  }

  const closed = (wires: readonly Wire[]) =>
    wires.filter((wire) => wire.frames().some(({ opcode }) => opcode === 0x8));

  test('guard.close({ within }) closes 80 connections with 1001 in steps spread over the window', async () => {
    const { clock, guard, enter, inside } = await chat();
    const wires = await Promise.all(Array.from({ length: CLIENTS }, enter));
    await inside(CLIENTS);
    const ended = guard.close({ within: '1s' });
    const told = (count: number) => eventually(() => closed(wires).length === count, `${count} closes`);
    // Ten in each step, and the steps take the first eight tenths of the window.
    await told(10);
    clock.advance(300);
    await told(CLIENTS / 2);
    clock.advance(99);
    expect(guard.stats().connections).toBe(CLIENTS);
    clock.advance(401);
    await told(CLIENTS);
    for (const wire of wires) {
      expect(await wire.closeCode()).toBe(1001);
      wire.destroy();
    }
    await ended;
    expect([guard.stats().connections, clock.pending]).toEqual([0, 0]);
  });

  test('during a shutdown new handshakes, and one that is half sent, get 503 with Retry-After', async () => {
    const { app, guard, enter, inside, headers } = await chat();
    const wire = await enter();
    await inside(1);
    const half = await dial(app);
    half.send('GET /chat HTTP/1.1\r\nHost: localhost\r\n');
    const ended = guard.close({ within: '10s' });
    for (let i = 0; i < 3; i++) {
      const answer = await refused(app, { headers });
      expect(verdict(answer)).toBe('503 shutting_down');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    const rest = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    half.send(
      `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${rest.join('')}\r\n`,
    );
    expect(verdict(await half.answer())).toBe('503 shutting_down');
    wire.destroy();
    await ended;
    expect(guard.stats()).toMatchObject({ connections: 0, denied: { shutting_down: 4 } });
  });

  test('during a shutdown every message that was received before the close is handled and answered', async () => {
    const { guard, clock, begun, answer, enter, inside } = await chat();
    const [wire, idle] = [await enter(), await enter()];
    await inside(2);
    wire.send(say('first'));
    await eventually(() => begun.length === 1, 'the handler');
    wire.send(say('second'));
    const ended = guard.close({ within: '10s' });
    expect(await idle.closeCode()).toBe(1001);
    wire.send(say('third'));
    for (const [index, text] of ['first', 'second', 'third'].entries()) {
      expect(closed([wire])).toEqual([]);
      await eventually(() => begun.length === index + 1, text);
      answer();
      expect(JSON.parse((await wire.messages(index + 1))[index] ?? '')).toEqual({ type: 'said', text });
    }
    expect(await wire.closeCode()).toBe(1001);
    expect(wire.frames().map(({ opcode }) => opcode)).toEqual([0x1, 0x1, 0x1, 0x8]);
    for (const one of [wire, idle]) one.destroy();
    await ended;
    expect([begun, clock.pending]).toEqual([['first', 'second', 'third'], 0]);
  });

  test('near the deadline of a shutdown, messages that wait are answered with shutting_down, and are not handled', async () => {
    const { guard, clock, begun, answer, enter, inside } = await chat();
    const wire = await enter();
    await inside(1);
    for (const text of ['first', 'second', 'third']) wire.send(say(text));
    await eventually(() => begun.length === 1, 'the handler');
    const ended = guard.close({ within: '10s' });
    clock.advance(9_000);
    const codes = (await wire.messages(2)).map((text) => (JSON.parse(text) as { code: string }).code);
    expect(codes).toEqual(['shutting_down', 'shutting_down']);
    answer();
    expect(JSON.parse((await wire.messages(3))[2] ?? '')).toEqual({ type: 'said', text: 'first' });
    expect(await wire.closeCode()).toBe(1001);
    wire.destroy();
    await ended;
    expect([begun, clock.pending]).toEqual([['first'], 0]);
  });

  test('at the deadline a shutdown drops a peer that never answers its close and one whose handler never ends', async () => {
    const caps = { connections: 2, connectionsPerAddress: 2, connectionsPerIdentity: 2 };
    const { app, guard, clock, begun, enter, inside, headers } = await chat(caps);
    const [silent, busy] = [await enter(), await enter()];
    await inside(2);
    expect(verdict(await refused(app, { headers }))).toMatch(/^(429|503) /);
    busy.send(say('forever'));
    await eventually(() => begun.length === 1, 'the handler');
    const ended = guard.close({ within: '3s' });
    expect(await silent.closeCode()).toBe(1001);
    clock.advance(2_999);
    expect([silent.ended, busy.ended, closed([busy])]).toEqual([false, false, []]);
    clock.advance(1);
    await ended;
    for (const wire of [silent, busy]) {
      expect(await wire.closeCode()).toBe(1001);
      await wire.until(() => wire.ended, 'the end');
    }
    expect([guard.stats().connections, clock.pending]).toEqual([0, 0]);
  });
});
