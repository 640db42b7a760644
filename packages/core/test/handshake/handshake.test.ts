import { describe, expect, test } from '@jest/globals';
import { custom } from '@sallyport/core';
import { type Denial, hostGuard } from '@sallyport/core/host';
import type { Handshake } from '../../src/handshake/handshake.ts';
import { collect, guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SharedStore } from '../support/shared-store.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });

/** A guard whose authenticator answers when the test says so. */
function slow(options: object = {}) {
  const clock = new ManualClock();
  const store = new SharedStore(clock, { behaviour: 'at once' });
  const answers: ((subject: string) => void)[] = [];
  const signals: AbortSignal[] = [];
  const authenticator = custom({
    scheme: 'slow',
    authenticate: ({ signal }) => {
      signals.push(signal);
      return new Promise<{ subject: string }>((resolve) => answers.push((subject) => resolve({ subject })));
    },
  });
  const guard = guardOf({ auth: [authenticator], clock, store, ...options });
  const expired: Denial[] = [];
  const begin = () => {
    const handshake = hostGuard(guard).begin(REQUEST, (denial) => expired.push(denial));
    expect(hostGuard(guard).enter(handshake)).toBeUndefined();
    return { handshake, decision: Promise.resolve(hostGuard(guard).admit(handshake, undefined)) };
  };
  const free = () => store.slots.length === 0;
  return { clock, store, guard, answers, signals, expired, begin, free };
}

describe('the deadline', () => {
  test('an authenticator that never settles is denied with auth_timeout at the deadline', async () => {
    const { clock, guard, expired, signals, answers, begin, free } = slow({
      limits: { handshakeTimeout: '3s' },
    });
    const denied = collect(guard, 'handshake.denied');
    const { handshake, decision } = begin();
    clock.advance(2_999);
    expect(expired).toEqual([]);
    expect(signals[0]?.aborted).toBe(false);
    clock.advance(1);
    expect(expired).toEqual([expect.objectContaining({ reason: 'auth_timeout', stage: 'deadline' })]);
    expect(signals[0]?.aborted).toBe(true);
    expect(handshake.ended).toBe(true);
    expect(denied).toHaveLength(1);
    expect(guard.stats().denied).toEqual({ auth_timeout: 1 });
    // The late answer gets no slot and is not reported.
    answers[0]?.('late');
    expect(await decision).toMatchObject({ denied: true });
    expect(free()).toBe(true);
    expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0, denied: { auth_timeout: 1 } });
    expect(denied).toHaveLength(1);
  });

  test('a shutdown within the same turn refuses a handshake that has no timer yet', () => {
    const { guard, expired } = slow();
    const handshake = hostGuard(guard).begin(REQUEST, (denial) => expired.push(denial));
    expect(hostGuard(guard).enter(handshake)).toBeUndefined();
    void guard.close();
    expect(expired).toEqual([expect.objectContaining({ reason: 'shutting_down', stage: 'shutdown' })]);
    expect(hostGuard(guard).admit(handshake, undefined)).toMatchObject({
      denied: true,
      reason: 'shutting_down',
    });
  });

  test('the deadline expires while the application holds the request between the doors', async () => {
    const { clock, guard, expired } = slow();
    const handshake = hostGuard(guard).begin(REQUEST, (denial) => expired.push(denial));
    await hostGuard(guard).enter(handshake);
    clock.advance(10_000);
    expect(expired).toHaveLength(1);
    expect(hostGuard(guard).admit(handshake, undefined)).toMatchObject({ denied: true });
  });

  test('a decision cancels the deadline', async () => {
    const { clock, answers, expired, begin } = slow();
    const { decision } = begin();
    answers[0]?.('alice');
    expect(await decision).toMatchObject({ denied: false, identity: { subject: 'alice' } });
    expect(clock.pending).toBe(0);
    clock.advance(60_000);
    expect(expired).toEqual([]);
  });
});

describe('a client that leaves', () => {
  test('a client that leaves during authentication aborts it, and no slot stays taken', async () => {
    const { clock, guard, answers, signals, expired, begin, free } = slow();
    const { handshake, decision } = begin();
    handshake.abandon();
    expect(signals[0]?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
    answers[0]?.('alice');
    expect(await decision).toMatchObject({ denied: true });
    expect(free()).toBe(true);
    expect(expired).toEqual([]);
    expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0, denied: {} });
  });

  test('a client that leaves while the store reserves slots gives them back', async () => {
    const clock = new ManualClock();
    const store = new SharedStore(clock);
    store.behave('lags', 'acquire');
    const guard = guardOf({ clock, store });
    const handshake = hostGuard(guard).begin(REQUEST, () => {});
    await hostGuard(guard).enter(handshake);
    const decision = hostGuard(guard).admit(handshake, undefined);
    expect(store.slots).toEqual(['connections', 'address 127.0.0.1']);
    handshake.abandon();
    store.wake();
    expect(await decision).toMatchObject({ denied: true });
    expect(store.slots).toEqual([]);
  });

  test('a handshake whose client left before the outer door is denied without a timer', () => {
    const { clock, guard } = slow();
    const handshake = hostGuard(guard).begin(REQUEST, () => {});
    handshake.abandon();
    expect(hostGuard(guard).enter(handshake)).toMatchObject({ denied: true });
    expect(clock.pending).toBe(0);
  });

  test('the signal of a handshake is aborted even if it is first read after the client left', () => {
    const { guard } = slow();
    const handshake = hostGuard(guard).begin(REQUEST, () => {});
    handshake.abandon();
    expect((handshake as Handshake).context.signal.aborted).toBe(true);
  });
});

describe('the order of the doors', () => {
  test('the inner door denies a handshake that has not been through the outer one', () => {
    const guard = guardOf({});
    const handshake = hostGuard(guard).begin(REQUEST, () => {});
    expect(hostGuard(guard).admit(handshake, undefined)).toMatchObject({ denied: true, reason: 'internal' });
  });

  test('the inner door denies a handshake while the outer one is still deciding', async () => {
    const clock = new ManualClock();
    const guard = guardOf({ clock, store: new SharedStore(clock) });
    const handshake = hostGuard(guard).begin(REQUEST, () => {});
    const entered = hostGuard(guard).enter(handshake);
    expect(hostGuard(guard).admit(handshake, undefined)).toMatchObject({ denied: true, reason: 'internal' });
    expect(await entered).toMatchObject({ denied: true });
  });

  test("the inner door denies a handshake that another guard's outer door passed", () => {
    const open = guardOf({});
    const handshake = hostGuard(open).begin(REQUEST, () => {});
    expect(hostGuard(open).enter(handshake)).toBeUndefined();
    expect(hostGuard(guardOf({})).admit(handshake, undefined)).toMatchObject({
      denied: true,
      reason: 'internal',
    });
  });

  test('a handshake that was denied cannot be admitted afterwards', () => {
    const guard = guardOf({});
    const handshake = hostGuard(guard).begin(upgradeRequest({ method: 'POST' }), () => {});
    expect(hostGuard(guard).enter(handshake)).toMatchObject({
      reason: 'request_malformed',
      stage: 'request',
    });
    expect(handshake.ended).toBe(true);
    expect(hostGuard(guard).admit(handshake, undefined)).toMatchObject({ denied: true });
    expect(guard.stats().denied).toEqual({ request_malformed: 1 });
  });
});

describe('a store that fails', () => {
  const CLOSED = { handshakes: 'closed', connections: 'closed' } as const;

  const run = async (failing: 'precheck' | 'acquire', onStoreFailure: object) => {
    const clock = new ManualClock();
    const store = new SharedStore(clock);
    const guard = guardOf({ clock, store, onStoreFailure });
    const faults = collect(guard, 'fault');
    store.behave('rejects', failing);
    const handshake = hostGuard(guard).begin(REQUEST, () => {});
    const decision =
      (await hostGuard(guard).enter(handshake)) ?? (await hostGuard(guard).admit(handshake, undefined));
    return { decision, faults, clock };
  };

  test.each([
    ['precheck', 'rate'],
    ['acquire', 'admission'],
  ] as const)(
    'a store that fails at %s denies with store_unavailable if its check is closed, and reports no fault',
    async (failing, stage) => {
      const { decision, faults, clock } = await run(failing, CLOSED);
      expect(decision).toMatchObject({ reason: 'store_unavailable', stage });
      expect([faults, clock.pending]).toEqual([[], 0]);
    },
  );

  test.each(['precheck', 'acquire'] as const)(
    'a store that fails at %s leaves the check to this process by default',
    async (failing) => {
      const { decision, faults } = await run(failing, {});
      expect([decision.denied, faults]).toEqual([false, []]);
    },
  );
});
