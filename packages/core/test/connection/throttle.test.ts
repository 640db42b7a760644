import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { passthrough } from '../../src/message/passthrough.ts';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf, SAY } from '../support/guards.ts';
import { Held, replies, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
/** One every 100 ms, and two at once. */
const RATE = { messages: { rate: '10/s', burst: 2 } } as const;

async function open({ limits = {}, ...options }: { limits?: object; [option: string]: unknown } = {}) {
  const clock = new ManualClock();
  const guard = guardOf({ clock, onRate: 'throttle', limits: { ...RATE, ...limits }, ...options });
  const socket = new RecordingSocket();
  const connection = connect(await admitted(guard, REQUEST), socket);
  const seen: string[] = [];
  const on = connection.on.bind(connection) as unknown as (
    type: string,
    handler: (message: { text: string }) => unknown,
  ) => void;
  const denied = collect<'message.denied'>(guard, 'message.denied');
  const send = (from: number, to: number) => {
    for (let i = from; i <= to; i++) connection.receive(say(`${i}`), false);
  };
  return { clock, guard, socket, connection, on, seen, denied, send };
}

const upTo = (n: number): string[] => Array.from({ length: n }, (_, i) => `${i + 1}`);

describe("onRate: 'throttle'", () => {
  test('messages too many wait in order, and the socket is not read until the last one is handled', async () => {
    const { clock, socket, on, seen, send, denied } = await open();
    on('say', ({ text }) => void seen.push(text));
    send(1, 5);
    expect([seen, socket.calls]).toEqual([upTo(2), ['pause']]);
    clock.advance(99);
    expect(seen).toEqual(upTo(2));
    clock.advance(1);
    expect(seen).toEqual(upTo(3));
    clock.advance(199);
    expect([seen, socket.calls]).toEqual([upTo(4), ['pause']]);
    clock.advance(1);
    expect([seen, socket.calls]).toEqual([upTo(5), ['pause', 'resume']]);
    expect([socket.sent, socket.closes, denied]).toEqual([[], [], []]);
  });

  test('waiting messages need one timer, and there is none otherwise', async () => {
    const { clock, send, connection } = await open();
    const before = clock.pending;
    send(1, 2);
    expect(clock.pending).toBe(before);
    send(3, 12);
    expect(clock.pending).toBe(before + 1);
    clock.advance(300);
    expect(clock.pending).toBe(before + 1);
    clock.advance(900);
    expect(clock.pending).toBe(before);
    send(13, 20);
    connection.closed(1006);
    expect(clock.pending).toBe(0);
  });

  test('messages that arrive later do not overtake waiting ones', async () => {
    const { clock, on, seen, send } = await open();
    on('say', ({ text }) => void seen.push(text));
    send(1, 3);
    clock.advance(1_000);
    send(4, 5);
    send(6, 7);
    clock.advance(150);
    send(8, 8);
    clock.advance(1_000);
    expect(seen).toEqual(upTo(8));
  });

  test('messages also wait for the rate of limits.bytes', async () => {
    const { clock, connection, socket } = await open({
      messages: passthrough({ text: true }),
      limits: { messages: { rate: '100/s', burst: 100 }, bytes: { rate: '10B/s', burst: '10B' } },
    });
    for (const text of ['a'.repeat(10), 'b'.repeat(5), 'c']) connection.receive(text, false);
    expect(socket.delivered).toEqual(['aaaaaaaaaa']);
    clock.advance(499);
    expect(socket.delivered).toHaveLength(1);
    clock.advance(1);
    expect(socket.delivered).toHaveLength(2);
    clock.advance(100);
    expect(socket.delivered).toHaveLength(3);
  });

  test('throttled messages keep their order behind a slow handler', async () => {
    const held = new Held<void>();
    const { clock, on, seen, send, socket } = await open({ limits: { queuedMessages: 2 } });
    on('say', ({ text }) => {
      seen.push(text);
      return held.ask();
    });
    send(1, 6);
    clock.advance(5_000);
    // All have their tokens; now the handler is what they wait for, and why the socket is not read.
    expect([seen, socket.calls]).toEqual([['1'], ['pause']]);
    for (let i = 0; i < 6; i++) await held.answer();
    expect([seen, socket.calls]).toEqual([upTo(6), ['pause', 'resume']]);
  });

  test('a throttled message is checked when its turn comes: first its size, then its content', async () => {
    const { clock, connection, socket } = await open({ limits: { message: '100B' } });
    connection.receive(say('a'), false);
    connection.receive(say('b'), false);
    connection.receive('junk', false);
    connection.receive(say('x'.repeat(200)), false);
    clock.advance(100);
    expect(replies(socket)).toEqual(['message_malformed']);
    clock.advance(100);
    expect(socket.closes.map(({ code }) => code)).toEqual([1009]);
  });

  test('with a report-only rate, messages are not delayed', async () => {
    const { on, seen, send, socket } = await open({ report: ['message-rate'] });
    on('say', ({ text }) => void seen.push(text));
    send(1, 50);
    expect([seen, socket.calls]).toEqual([upTo(50), []]);
  });
});

describe('limits.throttle', () => {
  test('after limits.throttle without a break the connection ends with message_rate', async () => {
    const { clock, on, seen, send, socket, denied } = await open({ limits: { throttle: '1s' } });
    on('say', ({ text }) => void seen.push(text));
    send(1, 2);
    // More than the rate gives in a second, and not more than are kept.
    send(3, 14);
    clock.advance(999);
    expect([seen.length, socket.closes]).toEqual([11, []]);
    clock.advance(1);
    expect(seen).toEqual(upTo(12));
    expect(socket.closes).toEqual([{ code: 4429, reason: 'Too many messages.' }]);
    expect(denied).toEqual([expect.objectContaining({ reason: 'message_rate', stage: 'message-rate' })]);
    // The answer to the close frame has to be read.
    expect(socket.calls).toEqual(['pause', 'resume']);
  });

  test('with breaks in between a throttled connection stays open', async () => {
    const { clock, on, seen, send, socket } = await open({ limits: { throttle: '1s' } });
    on('say', ({ text }) => void seen.push(text));
    for (let i = 0; i < 60; i++) {
      send(i * 8 + 1, i * 8 + 8);
      clock.advance(800);
    }
    expect([seen, socket.closes]).toEqual([upTo(480), []]);
  });

  test('more waiting messages than could be handled in time end the connection at once', async () => {
    const { clock, send, socket, denied } = await open({ limits: { throttle: '1s' } });
    send(1, 14);
    expect(socket.closes).toEqual([]);
    send(15, 15);
    expect(socket.closes.map(({ code }) => code)).toEqual([4429]);
    expect(denied).toHaveLength(1);
    send(16, 40);
    clock.advance(1_000);
    expect(denied).toHaveLength(1);
  });

  test('waiting messages are not handled once the connection has ended', async () => {
    const { clock, on, seen, send, connection, socket } = await open();
    on('say', ({ text }) => void seen.push(text));
    send(1, 5);
    connection.close();
    clock.advance(1_000);
    expect([seen, socket.calls]).toEqual([upTo(2), ['pause', 'resume']]);
  });

  test('if a waiting message ends the connection, later ones are not handled', async () => {
    const { clock, on, seen, send, connection, socket } = await open();
    on('say', ({ text }) => {
      seen.push(text);
      if (text === '3') connection.close(4000);
    });
    send(1, 5);
    clock.advance(10_000);
    expect([seen, socket.closes]).toEqual([upTo(3), [{ code: 4000, reason: '' }]]);
  });
});

describe('a message whose type costs more than there are tokens', () => {
  const costly = { messages: { say: SAY, search: { schema: SAY, cost: 5 } } };
  const search = (text: string) => JSON.stringify({ type: 'search', text });
  const limits = { messages: { rate: '10/s', burst: 6 } } as const;

  test('a message waits for the tokens of its cost, and none overtakes it', async () => {
    const { clock, on, seen, connection, socket } = await open({ ...costly, limits });
    on('say', ({ text }) => void seen.push(text));
    on('search', ({ text }) => void seen.push(text));
    for (const text of ['1', '2', '3']) connection.receive(say(text), false);
    connection.receive(search('4'), false);
    connection.receive(say('5'), false);
    await settle();
    expect([seen, socket.calls]).toEqual([upTo(3), ['pause']]);
    // One of its five was paid as it came; of the six there are two left.
    clock.advance(199);
    await settle();
    expect(seen).toEqual(upTo(3));
    clock.advance(1);
    await settle();
    expect(seen).toEqual(upTo(4));
    clock.advance(100);
    await settle();
    expect([seen, socket.calls]).toEqual([upTo(5), ['pause', 'resume']]);
  });

  test('a message that waits too long for its cost ends the connection after limits.throttle', async () => {
    const { clock, connection, socket, seen, on } = await open({
      ...costly,
      limits: { messages: { rate: '1/m', burst: 6 }, throttle: '2s' },
    });
    on('search', ({ text }) => void seen.push(text));
    connection.receive(search('1'), false);
    connection.receive(search('2'), false);
    await settle();
    clock.advance(1_999);
    await settle();
    expect(socket.closes).toEqual([]);
    clock.advance(1);
    await settle();
    expect([seen, socket.closes.map(({ code }) => code)]).toEqual([['1'], [4429]]);
  });

  test('a message beyond the rate of its type is answered, and others do not wait', async () => {
    const { on, seen, connection, socket } = await open({
      messages: { say: SAY, search: { schema: SAY, rate: '1/m' } },
      limits: { messages: { rate: '10/s', burst: 10 } },
    });
    on('say', ({ text }) => void seen.push(text));
    connection.receive(search('1'), false);
    connection.receive(search('2'), false);
    connection.receive(say('3'), false);
    expect([seen, replies(socket), socket.calls]).toEqual([['3'], ['message_rate'], []]);
  });
});

test('property: at any arrival times, all messages are handled in order and within the rate', () => {
  const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 9 })), {
    maxLength: 10,
  });
  return fc.assert(
    fc.asyncProperty(arrivals, fc.boolean(), async (bursts, slow) => {
      const held = new Held<void>();
      const { clock, on, send, connection } = await open({ limits: { throttle: '1h' } });
      const handled: [at: number, text: string][] = [];
      on('say', ({ text }) => {
        handled.push([clock.monotonic(), text]);
        return slow && Number(text) % 3 === 0 ? held.ask() : undefined;
      });
      let sent = 0;
      for (const [wait, count] of bursts) {
        clock.advance(wait);
        send(sent + 1, sent + count);
        sent += count;
        await held.answer();
      }
      for (let i = 0; i < 6; i++) {
        clock.advance(2_000);
        await held.answer();
        while (held.count > 0) await held.answer();
      }
      expect(handled.map(([, text]) => text)).toEqual(upTo(sent));
      expect(connection.state).toBe('open');
      if (slow) return;
      // Of a burst of two and one every 100 ms, no window lets through more.
      for (let i = 0; i < handled.length; i++) {
        for (let j = i; j < handled.length; j++) {
          const window = (handled[j]?.[0] ?? 0) - (handled[i]?.[0] ?? 0);
          expect(j - i + 1).toBeLessThanOrEqual(2 + window / 100 + 1e-6);
        }
      }
    }),
    { numRuns: 20 },
  );
});
