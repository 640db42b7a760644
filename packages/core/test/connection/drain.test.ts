import { describe, expect, test } from '@jest/globals';
import type { Connection } from '@sallyport/core';
import { admitted, connect, decide } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
const SAY = JSON.stringify({ type: 'say', text: 'hello' });
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function bench(count: number) {
  const clock = new ManualClock();
  const rate = { rate: '100000/s', burst: 100_000 };
  const limits = { handshakes: rate, connectionsPerAddress: 100_000, connections: 100_000, heartbeat: false };
  const guard = guardOf({ clock, limits });
  const open: { connection: Connection; socket: RecordingSocket }[] = [];
  for (let i = 0; i < count; i++) {
    const socket = new RecordingSocket();
    open.push({ connection: connect(await admitted(guard, REQUEST), socket), socket });
  }
  const closed = (): number => open.filter(({ socket }) => socket.closes.length > 0).length;
  const leave = (): void => {
    for (const { connection, socket } of open) if (socket.closes.length > 0) connection.closed(1001);
  };
  return { clock, guard, open, closed, leave };
}

test('a few are closed at once, and nobody waits', async () => {
  const { clock, guard, closed, leave } = await bench(10);
  const done = guard.close({ within: '1m' });
  expect(closed()).toBe(10);
  leave();
  await done;
  expect(clock.pending).toBe(0);
});

test('many are closed evenly over four fifths of the window', async () => {
  const { clock, guard, closed, leave } = await bench(2_000);
  const done = guard.close({ within: '10s' });
  expect(closed()).toBe(25);
  const seen: number[] = [];
  for (let second = 1; second <= 8; second++) {
    clock.advance(1_000);
    seen.push(closed());
  }
  expect(seen).toEqual([275, 525, 775, 1_025, 1_275, 1_525, 1_775, 2_000]);
  leave();
  await done;
  expect(clock.pending).toBe(0);
});

test('who goes by itself takes nobody else’s turn', async () => {
  const { clock, guard, open, closed, leave } = await bench(30);
  const done = guard.close({ within: '10s' });
  for (const { connection } of open.slice(10, 20)) connection.closed(1000);
  clock.advance(100);
  expect(closed()).toBe(20);
  leave();
  await done;
});

describe('a handler at work', () => {
  const busy = async () => {
    const all = await bench(1);
    const [{ connection, socket }] = all.open as [(typeof all.open)[0]];
    const calls: string[] = [];
    let finish = (): void => {};
    connection.on('say', async () => {
      calls.push('begun');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      connection.send('said', { text: 'done' });
    });
    connection.receive(SAY, false);
    connection.receive(SAY, false);
    return { ...all, connection, socket, calls, finish: () => finish() };
  };

  test('ends first, with its answer, and what waits behind it is not handled', async () => {
    const { clock, guard, connection, socket, calls, finish } = await busy();
    const done = guard.close({ within: '5s' });
    connection.receive(SAY, false);
    clock.advance(1_000);
    expect(socket.closes).toEqual([]);
    finish();
    await settle();
    expect(socket.sent).toEqual([{ type: 'said', text: 'done' }]);
    expect(socket.closes).toEqual([{ code: 1001, reason: 'The service is shutting down.' }]);
    expect(calls).toEqual(['begun']);
    connection.closed(1001);
    await done;
    expect(clock.pending).toBe(0);
  });

  test('that does not end is cut with the window', async () => {
    const { clock, guard, connection, socket } = await busy();
    const done = guard.close({ within: '5s' });
    clock.advance(4_999);
    expect(socket.calls).not.toContain('terminate');
    clock.advance(1);
    expect(socket.calls).toContain('terminate');
    connection.closed(1006);
    await done;
  });
});

test('a second call is the same end, and hastens it', async () => {
  const { clock, guard, open, closed, leave } = await bench(100);
  const first = guard.close({ within: '1m' });
  const second = guard.close({ within: '2s' });
  void guard.close({ within: '1h' });
  expect(closed()).toBe(10);
  clock.advance(2_000);
  expect(open.every(({ socket }) => socket.calls.includes('terminate'))).toBe(true);
  leave();
  await Promise.all([first, second]);
  expect(clock.pending).toBe(0);
});

test('who is told to come back is told so at different times', async () => {
  const { guard } = await bench(0);
  await guard.close();
  const waits = new Set<number | undefined>();
  for (let i = 0; i < 50; i++) {
    const denial = await decide(guard, REQUEST);
    if (!denial.denied) throw new Error('admitted');
    waits.add(denial.retryAfter);
    expect(denial.retryAfter).toBeGreaterThanOrEqual(1_000);
    expect(denial.retryAfter).toBeLessThan(6_000);
  }
  expect(waits.size).toBeGreaterThan(10);
});
