// `guard.close`: whom it reaches, whom it waits for, and that nothing is left of the guard afterwards.
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, type Clock, systemClock } from '@sallyport/core';
import { type Denial, hostGuard, type Receiver, refusalOf } from '@sallyport/core/host';
import { admitted, connect, decide, outcomeOf } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { auth, byName, Held, keys, retired, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { SharedStore } from '../support/shared-store.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const APP = 'https://app.example.com';
const LIMITS = {
  handshakes: { rate: '100000/s', burst: 100_000 },
  connectionsPerAddress: 20_000,
  connectionsPerIdentity: 20_000,
};
const as = (name: string) =>
  upgradeRequest({ peer: { encrypted: true }, headers: { Origin: APP, Authorization: `Bearer ${name}` } });

function bench(options: object = {}, answers = byName) {
  const clock = new ManualClock();
  const store = new SharedStore(clock);
  const guard = guardOf({
    clock,
    store,
    origins: [APP],
    auth: [keys(answers).authenticator],
    ...options,
    limits: { ...LIMITS, ...(options as { limits?: object }).limits },
  });
  return { clock, store, guard };
}

async function enter(guard: AnyGuard, name: string) {
  const socket = new RecordingSocket();
  return { socket, connection: connect(await admitted(guard, as(name)), socket) };
}

/** Whether something has been settled, once all that could happen without a timer has. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  void promise.then(() => {
    is = true;
  });
  await settle();
  return is;
}

describe('what guard.close ends', () => {
  test('guard.close refuses handshakes in progress at once, and they hold no slot later', async () => {
    const held = new Held<{ subject: string }>();
    let aborted = 0;
    const { guard, store, clock } = bench({}, (_credential, signal) => {
      signal.addEventListener('abort', () => void aborted++);
      return held.ask();
    });
    const denied = collect(guard, 'handshake.denied');
    const told: Denial[] = [];
    const handshake = hostGuard(guard).begin(as('alice'), (denial) => void told.push(denial));
    await hostGuard(guard).enter(handshake);
    const deciding = hostGuard(guard).admit(handshake, undefined) as Promise<Denial>;
    await settle();
    await guard.close();
    expect(told).toMatchObject([{ reason: 'shutting_down', stage: 'shutdown' }]);
    expect(denied).toMatchObject([{ reason: 'shutting_down' }]);
    expect([aborted, clock.pending, store.listeners]).toEqual([1, 0, 0]);
    await held.answer({ subject: 'alice' });
    expect(await deciding).toMatchObject({ reason: 'shutting_down' });
    expect([store.held, clock.pending, guard.stats().admitted]).toEqual([0, 0, 0]);
  });

  test('the end of an extension refuses the handshakes in progress on its own route alone', async () => {
    const answers = new Map<string, Held<{ subject: string }>>();
    const { guard } = bench({}, (credential) => {
      const held = new Held<{ subject: string }>();
      answers.set(credential, held);
      return held.ask();
    });
    const route = guard.extend({ name: 'route' });
    const [ofBase, ofRoute] = [outcomeOf(guard, as('alice')), outcomeOf(route, as('bob'))];
    await settle();
    await route.close();
    for (const [subject, held] of answers) await held.answer({ subject });
    expect(await Promise.all([ofBase, ofRoute])).toEqual(['admitted', 'shutting_down']);
  });

  test('slots granted after guard.close are released', async () => {
    const { guard, store } = bench();
    const told: string[] = [];
    const handshake = hostGuard(guard).begin(as('alice'), ({ reason }) => void told.push(reason));
    await hostGuard(guard).enter(handshake);
    store.behave('hangs', 'acquire');
    const deciding = hostGuard(guard).admit(handshake, undefined) as Promise<Denial>;
    await settle();
    await guard.close();
    store.wake();
    expect(await deciding).toMatchObject({ reason: 'shutting_down' });
    await settle();
    expect([told, store.held]).toEqual([['shutting_down'], 0]);
  });

  test('refused handshakes get a random Retry-After of one to ten seconds', async () => {
    const { guard } = bench();
    await guard.close();
    const seconds = new Set<string | undefined>();
    for (let i = 0; i < 200; i++) {
      const denial = (await decide(guard, as('alice'))) as Denial;
      const { status, headers } = refusalOf(denial);
      expect([status, denial.reason]).toEqual([503, 'shutting_down']);
      seconds.add(headers['Retry-After']);
    }
    expect([...seconds].map(Number).every((number) => number >= 1 && number <= 10)).toBe(true);
    expect(seconds.size).toBeGreaterThan(5);
  });

  test('guard.close waits for an admitted socket, and closes it as soon as it opens', async () => {
    const { guard, store, clock } = bench();
    const admission = await admitted(guard, as('alice'));
    const closed = guard.close();
    expect(await isSettled(closed)).toBe(false);
    const socket = new RecordingSocket();
    const receiver = admission.open(socket, () => {
      throw new Error('no handler may run');
    });
    expect(socket.closes).toMatchObject([{ code: 1001 }]);
    receiver.closed(1001);
    await closed;
    expect([store.held, clock.pending]).toEqual([0, 0]);
  });

  test('guard.close does not wait for an admission that is released', async () => {
    const { guard, store, clock } = bench();
    const admission = await admitted(guard, as('alice'));
    const closed = guard.close();
    admission.release();
    await closed;
    expect([store.held, clock.pending]).toEqual([0, 0]);
  });

  test('a socket that opens after the deadline of guard.close is terminated and holds no slot', async () => {
    const { guard, store, clock } = bench();
    const admission = await admitted(guard, as('alice'));
    const closed = guard.close({ within: '2s' });
    clock.advance(2_000);
    await closed;
    expect(store.held).toBe(0);
    const socket = new RecordingSocket();
    const receiver = admission.open(socket, () => {
      throw new Error('no handler may run');
    });
    expect([socket.closes.map(({ code }) => code), socket.calls]).toEqual([[1001], ['terminate']]);
    receiver.closed(1006);
    await settle();
    expect([store.held, clock.pending]).toEqual([0, 0]);
  });

  test('a pending connection that does not answer its close is terminated at the deadline', async () => {
    const { guard, store, clock } = bench({ firstMessage: true });
    const socket = new RecordingSocket();
    const request = upgradeRequest({ peer: { encrypted: true }, headers: { Origin: APP } });
    const receiver = (await admitted(guard, request)).open(socket, () => {});
    const closed = guard.close({ within: '2s' });
    expect([socket.closes.map(({ code }) => code), store.held]).toEqual([[1001], 0]);
    clock.advance(2_000);
    expect(socket.calls).toEqual(['terminate']);
    expect(await isSettled(closed)).toBe(false);
    receiver.closed(1006);
    await closed;
    expect(clock.pending).toBe(0);
  });
});

describe('guard.close({ within })', () => {
  test('of two thousand connections, half are closed after half of the spread, and all before its end', async () => {
    const { guard, clock } = bench();
    const sockets: RecordingSocket[] = [];
    const receivers: Receiver[] = [];
    for (let i = 0; i < 2_000; i++) {
      const { socket, connection } = await enter(guard, 'alice');
      sockets.push(socket);
      receivers.push(connection);
    }
    const closedSoFar = () => sockets.filter(({ closes }) => closes.length > 0).length;
    const before = clock.pending;
    const done = guard.close({ within: '10s' });
    await retired();
    expect(closedSoFar()).toBeLessThan(50);
    clock.advance(4_000);
    await retired();
    expect(closedSoFar()).toBeGreaterThan(950);
    expect(closedSoFar()).toBeLessThan(1_050);
    // Beside those of the closing handshakes, which every close has.
    expect(clock.pending - before - closedSoFar()).toBe(2);
    clock.advance(4_000);
    await retired();
    expect(closedSoFar()).toBe(2_000);
    for (const receiver of receivers) receiver.closed(1001);
    await done;
    expect(clock.pending).toBe(0);
  }, 30_000);

  test('guard.close does not wait longer than within for a handler', async () => {
    const { guard, clock, store } = bench();
    const { socket, connection } = await enter(guard, 'alice');
    connection.on('say', () => new Promise(() => {}));
    connection.receive(say('hi'), false);
    const done = guard.close({ within: '2s' });
    clock.advance(1_999);
    expect([socket.closes, socket.calls]).toEqual([[], []]);
    clock.advance(1);
    expect([socket.closes.map(({ code }) => code), socket.calls]).toEqual([[1001], ['terminate']]);
    connection.closed(1006);
    await done;
    expect([store.held, clock.pending]).toEqual([0, 0]);
  });

  test('of two calls of guard.close the shorter deadline counts, and both resolve together', async () => {
    const { guard, clock } = bench();
    const { socket, connection } = await enter(guard, 'alice');
    const [first, second] = [guard.close({ within: '1m' }), guard.extend({}).family.close({ within: '1s' })];
    const third = guard.close({ within: '1h' });
    clock.advance(1_000);
    expect(socket.calls).toEqual(['terminate']);
    expect(await isSettled(first)).toBe(false);
    connection.closed(1006);
    await Promise.all([first, second, third]);
    await guard.close();
    expect(clock.pending).toBe(0);
  });

  test('guard.close({ within: 0 }) terminates all connections within the call', async () => {
    const { guard } = bench();
    const { socket, connection } = await enter(guard, 'alice');
    connection.on('say', () => new Promise(() => {}));
    connection.receive(say('hi'), false);
    const done = guard.close({ within: 0 });
    expect([socket.closes.map(({ code }) => code), socket.calls]).toEqual([[1001], ['terminate']]);
    connection.closed(1006);
    await done;
  });
});

describe('after guard.close', () => {
  test('after guard.close no timer waits for an application that never answers', async () => {
    const never = new Held<{ subject: string }>();
    const { guard, clock } = bench(
      {
        renewal: true,
        auth: [keys((name) => (name === 'never' ? never.ask() : { subject: name })).authenticator],
      },
      byName,
    );
    const { connection } = await enter(guard, 'alice');
    connection.receive(auth('never'), false);
    await settle();
    expect(never.count).toBe(1);
    const done = guard.close({ within: '1s' });
    clock.advance(1_000);
    connection.closed(1006);
    await done;
    expect(clock.pending).toBe(0);
  });

  test('after guard.close nothing keeps the event loop alive', async () => {
    const running = new Set<object>();
    const clock: Clock = {
      ...systemClock,
      schedule(ms, callback) {
        const timer = {};
        running.add(timer);
        const cancel = systemClock.schedule(ms, () => {
          running.delete(timer);
          callback();
        });
        return () => {
          running.delete(timer);
          cancel();
        };
      },
    };
    const { guard } = bench({ clock });
    const { connection } = await enter(guard, 'alice');
    const done = guard.close({ within: '1s' });
    connection.closed(1001);
    await done;
    expect(running.size).toBe(0);
  });
});
