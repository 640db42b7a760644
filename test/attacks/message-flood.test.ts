// D2, D3: more messages or bytes than a connection, or all connections of an identity, may send. The policy closes the
// connection, drops the messages, or throttles: then the socket is not read, TCP pushes back, and nothing is lost or buffered.
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, type Clock, systemClock } from '@sallyport/core';
import type { WebSocket } from 'ws';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders, NOW, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { rawSocket, standstill } from '../support/raw-socket.ts';
import { frame, type Wire } from '../support/wire.ts';

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
const say = (text: string): Buffer => frame(JSON.stringify({ type: 'say', text }));
const flood = (texts: readonly string[]): Buffer => Buffer.concat(texts.map(say));
const CLOSE = frame(Buffer.from([0x03, 0xe8]), 0x8);

/** A clock that runs by itself, from the fixed time of the tests' tokens. */
const running: Clock = { ...systemClock, now: () => NOW * 1_000 };

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  /** A chat that notes what reached its handler, by subject. */
  async function chat(options: PolicyOverrides) {
    const guard: AnyGuard = chatGuard(options);
    const seen = new Map<string, string[]>();
    const sockets: WebSocket[] = [];
    const handler: ChatHandler = (connection, socket) => {
      const { subject } = connection.identity;
      sockets.push(socket);
      connection.on('say', (message) => {
        const { text } = message as { text: string };
        seen.set(subject, [...(seen.get(subject) ?? []), text]);
        connection.send('said', { text });
      });
    };
    const denied: string[] = [];
    guard.on('message.denied', ({ stage, reason, subject }) => denied.push(`${subject} ${stage} ${reason}`));
    const app = await start(host, { guard, chat: handler });
    const enter = async (subject: string): Promise<Wire> => {
      const before = sockets.length;
      const wire = await open(app, { headers: await goodHeaders(subject) });
      await eventually(() => sockets.length > before, 'the handler');
      return wire;
    };
    return { enter, denied, sockets, of: (subject: string) => seen.get(subject) ?? [] };
  }

  test('by default 2,000 messages at once close the connection with 4429, and another client is served', async () => {
    const { enter, of, denied } = await chat({ limits: { messages: { rate: '10/s', burst: 20 } } });
    const [mallory, bob] = [await enter('mallory'), await enter('bob')];
    mallory.send(flood(numbered(1, 2_000)));
    expect(await mallory.closeCode()).toBe(4429);
    bob.send(flood(numbered(1, 20)));
    await bob.messages(20);
    expect([of('mallory'), of('bob')]).toEqual([numbered(1, 20), numbered(1, 20)]);
    expect(denied).toEqual(['mallory message-rate message_rate']);
  });

  test("with onRate: 'drop', messages above the rate are dropped with one error reply a second, and later ones are handled", async () => {
    const clock = new ManualClock();
    const { enter, of, denied } = await chat({
      clock,
      onRate: 'drop',
      limits: { messages: { rate: '10/s', burst: 20 } },
    });
    const [mallory, bob] = [await enter('mallory'), await enter('bob')];
    mallory.send(flood(numbered(1, 2_000)));
    bob.send(flood(numbered(1, 20)));
    await bob.messages(20);
    expect((await mallory.messages(21)).at(-1)).toMatch(/"code":"message_rate"/);
    clock.advance(2_000);
    mallory.send(flood(['again']));
    expect((await mallory.messages(22)).at(-1)).toMatch(/"again"/);
    expect([of('mallory'), of('bob')]).toEqual([[...numbered(1, 20), 'again'], numbered(1, 20)]);
    expect(denied).toEqual(['mallory message-rate message_rate']);
  });

  test("with onRate: 'throttle', 400 messages at once are all handled in order, before the close frame behind them", async () => {
    const { enter, of, denied } = await chat({
      clock: running,
      onRate: 'throttle',
      limits: { messages: { rate: '1000/s', burst: 10 } },
    });
    const mallory = await enter('mallory');
    mallory.send(Buffer.concat([flood(numbered(1, 400)), CLOSE]));
    await eventually(() => of('mallory').length === 400, 'all of it');
    expect(of('mallory')).toEqual(numbered(1, 400));
    expect(await mallory.closeCode()).toBe(1000);
    expect(denied).toEqual([]);
  });

  test('a throttled flood of 4 MB is not read beyond two chunks, and closes with 4429 after limits.throttle', async () => {
    const clock = new ManualClock();
    const { enter, of, sockets } = await chat({
      clock,
      onRate: 'throttle',
      // A chunk of 64 KiB holds about 127 of these messages: more than five seconds allow, and not more than the queue holds.
      limits: { messages: { rate: '10/s', burst: 50 }, throttle: '5s' },
    });
    const handled = () => of('mallory').map((text) => text.trim());
    const [mallory, bob] = [await enter('mallory'), await enter('bob')];
    mallory.send(flood(numbered(1, 8_000).map((text) => text.padEnd(480))));
    const raw = rawSocket(sockets[0] as WebSocket);
    await eventually(() => handled().length === 50, 'the burst');
    expect(await standstill(raw)).toBeLessThan(250_000);
    // Another connection is served meanwhile.
    bob.send(flood(numbered(1, 10)));
    await bob.messages(10);
    clock.advance(4_900);
    expect(handled()).toEqual(numbered(1, 99));
    expect(await standstill(raw)).toBeLessThan(250_000);
    clock.advance(100);
    expect(await mallory.closeCode()).toBe(4429);
    expect(handled()).toEqual(numbered(1, 100));
    expect(of('bob')).toEqual(numbered(1, 10));
  });

  test('four connections of one identity share identityMessages: the rate closes those that exceed it', async () => {
    const { enter, of, denied } = await chat({
      limits: {
        messages: { rate: '10/s', burst: 20 },
        identityMessages: { rate: '10/s', burst: 50 },
        connectionsPerIdentity: 10,
      },
    });
    const wires = await Promise.all(Array.from({ length: 4 }, () => enter('mallory')));
    const bob = await enter('bob');
    for (const wire of wires) wire.send(flood(numbered(1, 20)));
    bob.send(flood(numbered(1, 20)));
    await bob.messages(20);
    await eventually(() => denied.length === 2, 'the end of those that came last');
    expect([of('mallory').length, of('bob').length]).toEqual([50, 20]);
    expect(denied).toEqual(Array(2).fill('mallory message-rate message_rate'));
  });
});
