import { describe, expect, test } from '@jest/globals';
import type { HandshakePrecheckAnswer } from '../../src/limits/precheck.ts';
import { UNAVAILABLE } from '../../src/limits/precheck.ts';
import type { StoreAccess } from '../../src/limits/store-access.ts';
import type { Acquired, HitRequest, Lease } from '../../src/vocabulary/store-contract.ts';
import { settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Behaviour, type Operation, SharedStore } from '../support/shared-store.ts';
import { accessTo } from '../support/store-access.ts';

const LIMIT = { interval: 1_000, burst: 2 };
const of = (key: string, cost: number): HitRequest => ({ keys: [key], limit: LIMIT, cost });
const PRECHECK = {
  bans: ['address a'],
  handshake: of('handshake a', 1),
  failures: of('attempt a', 0),
  slots: [{ key: 'connections', cap: 2 }],
};
const SLOTS = [
  { key: 'connections', cap: 2 },
  { key: 'address a', cap: 2 },
];

async function bench(options: Parameters<typeof accessTo>[2] = {}, behaviour: Behaviour = 'later') {
  const clock = new ManualClock();
  const store = new SharedStore(clock, { behaviour });
  const { access, told, faults } = accessTo(store, clock, options);
  await settle();
  store.takeAsked();
  /** The store fails until it is not asked any more. */
  const lose = async (how: Behaviour = 'rejects') => {
    store.behave(how);
    for (let i = 0; i < 3; i++) {
      const looked = access.precheck({ ...PRECHECK, handshake: of('somebody', 1) });
      clock.advance(500);
      await looked;
    }
    expect(access.isAvailable).toBe(false);
    told.splice(0);
    store.takeAsked();
  };
  const bring = async () => {
    store.wake();
    clock.advance(1_000);
    await settle();
    expect(access.isAvailable).toBe(true);
  };
  return { clock, store, access, told, faults, lose, bring };
}

function leaseOf(acquired: Acquired | typeof UNAVAILABLE): Lease {
  if (acquired !== UNAVAILABLE && 'lease' in acquired) return acquired.lease;
  throw new Error('nothing was acquired');
}

const precheck = async (access: StoreAccess) => (await access.precheck(PRECHECK)) as HandshakePrecheckAnswer;

describe('without a shared store', () => {
  test('without a shared store, this process answers everything synchronously', async () => {
    const clock = new ManualClock();
    const { access, told } = accessTo(undefined, clock);
    expect(access.precheck(PRECHECK)).toMatchObject({ bannedFor: 0, handshake: { allowed: true }, full: -1 });
    expect(access.failures(PRECHECK.failures)).toMatchObject({ allowed: true });
    const { lease } = access.acquire(SLOTS) as { lease: Lease };
    leaseOf(access.acquire(SLOTS) as Acquired);
    expect([access.acquire(SLOTS), access.precheck(PRECHECK)]).toMatchObject([{ full: 0 }, { full: 0 }]);
    lease.release();
    expect(access.acquire(SLOTS)).toHaveProperty('lease');
    await access.put('ticket', 'alice', 1_000);
    expect([access.redeem('ticket'), access.redeem('ticket')]).toEqual(['alice', undefined]);
    void access.revoke({ subject: 'alice', issuedBefore: 0 });
    void access.ban('address a');
    expect(told).toEqual(['revoked alice', 'banned address a 1']);
    expect(access.bannedFor('address a')).toBe(60_000);
    expect(await access.bans(10)).toHaveLength(1);
    expect(await access.unban('address a')).toBe(true);
    expect([access.bannedFor('address a'), access.staleness(), access.isShared, access.isAvailable]).toEqual([
      0,
      0,
      false,
      true,
    ]);
    expect([await access.shares([], 1_000), clock.pending]).toEqual([undefined, 0]);
  });
});

describe('a shared store', () => {
  test('a shared store is asked once for each operation', async () => {
    const { access, store } = await bench();
    await precheck(access);
    leaseOf(await access.acquire(SLOTS));
    await access.failures(PRECHECK.failures);
    await access.put('ticket', 'alice', 1_000);
    expect(await access.redeem('ticket')).toBe('alice');
    expect(await access.shares([{ key: 'a', hits: 1 }], 1_000)).toEqual([1]);
    expect(store.takeAsked()).toEqual(['precheck', 'acquire', 'precheck', 'put', 'redeem', 'shares']);
  });

  test('a shared store is asked for its bans at the start', async () => {
    const clock = new ManualClock();
    const store = new SharedStore(clock);
    await store.memory.ban('identity alice', { duration: 5_000, growth: 1, longest: 5_000, memory: 1 });
    const { access } = accessTo(store, clock);
    await settle();
    expect([access.bannedFor('identity alice'), store.asked]).toEqual([5_000, ['bans']]);
  });

  test('a failure is counted in this process at once and in the store without waiting', async () => {
    const { access, store } = await bench();
    access.chargeFailure(of('attempt a', 1));
    expect(access.localFailures(PRECHECK.failures)).toMatchObject({ remaining: 1 });
    await settle();
    expect(await access.failures(PRECHECK.failures)).toMatchObject({ remaining: 1 });
    store.behave('rejects', 'charge');
    access.chargeFailure(of('attempt a', 1));
    await settle();
    expect(access.localFailures(PRECHECK.failures)).toMatchObject({ remaining: 0 });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('odd');
      },
      Number.POSITIVE_INFINITY,
    ],
    ['says', () => 1_234, 1_234],
  ])('the staleness of a store that %s it', async (_what, staleness, expected) => {
    const clock = new ManualClock();
    const { access } = accessTo(new SharedStore(clock, { overrides: { staleness } }), clock);
    expect(access.staleness()).toBe(expected);
  });

  test('a store whose answer lacks a hit counts as failing', async () => {
    const clock = new ManualClock();
    const overrides = { precheck: async () => ({ bannedFor: 0, hits: [], full: -1 }) };
    const { access } = accessTo(new SharedStore(clock, { overrides }), clock, {
      modes: { handshakes: 'closed', authFailures: 'closed' },
    });
    expect(await access.precheck(PRECHECK)).toBe(UNAVAILABLE);
    expect(await access.failures(PRECHECK.failures)).toBe(UNAVAILABLE);
  });
});

describe.each<Behaviour>(['throws', 'rejects', 'hangs'])('a store that %s', (how) => {
  const each = async (
    modes: Parameters<typeof accessTo>[2],
    operation: Operation,
    ask: (access: StoreAccess) => unknown,
  ) => {
    const of = await bench(modes);
    of.store.behave(how, operation);
    // Once while the store is still asked, and once with the breaker open.
    const first = ask(of.access);
    of.clock.advance(500);
    const outcomes = [await first];
    await of.lose(how);
    outcomes.push(await ask(of.access));
    return outcomes;
  };

  test('a failing store with a closed check denies', async () => {
    for (const check of ['handshakes', 'bans', 'connections'] as const) {
      const outcomes = await each({ modes: { [check]: 'closed' } }, 'precheck', (access) =>
        access.precheck(PRECHECK),
      );
      expect(outcomes).toEqual([UNAVAILABLE, UNAVAILABLE]);
    }
    const acquired = await each({ modes: { connections: 'closed' } }, 'acquire', (access) =>
      access.acquire(SLOTS),
    );
    expect(acquired).toEqual([UNAVAILABLE, UNAVAILABLE]);
    const closed = { modes: { authFailures: 'closed' } } as const;
    const failures = await each(closed, 'precheck', (access) => access.failures(PRECHECK.failures));
    expect(failures).toEqual([UNAVAILABLE, UNAVAILABLE]);
    // The precheck passes: only a handshake with a credential is denied, later.
    const answer = await each(closed, 'precheck', (access) => access.precheck(PRECHECK));
    expect(answer).toMatchObject(
      Array(2).fill({ bannedFor: 0, handshake: { allowed: true }, failures: UNAVAILABLE }),
    );
  });

  test('a failing store with open checks denies nothing', async () => {
    const modes = { handshakes: 'open', authFailures: 'open', bans: 'open', connections: 'open' } as const;
    const { access, lose, store } = await bench({ modes });
    void store.memory.ban('address a', { duration: 60_000, growth: 1, longest: 60_000, memory: 1 });
    for (let i = 0; i < 5; i++) access.chargeFailure(of('attempt a', 1));
    await lose(how);
    for (let i = 0; i < 10; i++) {
      expect(await precheck(access)).toMatchObject({ bannedFor: 0, handshake: { allowed: true }, full: -1 });
      expect(access.localFailures(PRECHECK.failures)).toMatchObject({ allowed: true });
      expect(await access.failures(PRECHECK.failures)).toMatchObject({ allowed: true });
      leaseOf(await access.acquire(SLOTS));
    }
  });

  test('a failing store with local checks counts in this process, with the leases that it had granted', async () => {
    const { access, lose, store } = await bench();
    const before = leaseOf(await access.acquire(SLOTS));
    await lose(how);
    access.chargeFailure(of('attempt a', 1));
    expect([(await precheck(access)).handshake, (await precheck(access)).handshake]).toMatchObject([
      { allowed: true },
      { allowed: true },
    ]);
    expect((await precheck(access)).handshake).toMatchObject({ allowed: false, retryAfter: 1_000 });
    expect(access.localFailures(PRECHECK.failures)).toMatchObject({ remaining: 1 });
    // The store's earlier lease counts towards the cap.
    leaseOf(await access.acquire(SLOTS));
    expect(await access.acquire(SLOTS)).toEqual({ full: 0 });
    expect((await precheck(access)).full).toBe(0);
    before.release();
    leaseOf(await access.acquire(SLOTS));
    expect(store.asked).toEqual([]);
  });

  test('with a failing store, tickets are not stored or redeemed and no ban is lifted', async () => {
    const { access, lose } = await bench();
    await access.put('ticket', 'alice', 60_000);
    await lose(how);
    expect(await access.redeem('ticket')).toBe(UNAVAILABLE);
    await expect(access.put('ticket', 'alice', 60_000)).rejects.toThrow('not available');
    await expect(access.unban('address a')).rejects.toThrow('the ban stays');
    expect(await access.shares([{ key: 'a', hits: 1 }], 1_000)).toBeUndefined();
  });
});

describe('a lease that the store has granted too late', () => {
  test.each<Behaviour>(['lags', 'hangs'])(
    'a lease granted after the deadline by a store that %s is released',
    async (how) => {
      const { access, store, clock } = await bench();
      store.behave(how, 'acquire');
      const asked = access.acquire(SLOTS);
      clock.advance(500);
      const here = leaseOf(await asked);
      store.wake();
      await settle();
      expect([store.count('acquire'), store.held]).toEqual([1, 0]);
      here.release();
      for (let i = 0; i < 2; i++) leaseOf(await access.acquire(SLOTS));
      expect(store.held).toBe(2);
    },
  );

  test('a lease granted after the guard was closed is released', async () => {
    const { access, store } = await bench();
    store.behave('lags', 'acquire');
    const asked = access.acquire(SLOTS);
    access.close();
    leaseOf(await asked).release();
    expect(store.held).toBe(1);
    store.wake();
    await settle();
    expect(store.held).toBe(0);
  });
});

describe('a lease', () => {
  test('releasing a lease twice releases it once, in the store and in this process', async () => {
    const { access, store } = await bench();
    const lease = leaseOf(await access.acquire(SLOTS));
    leaseOf(await access.acquire(SLOTS));
    for (let i = 0; i < 3; i++) lease.release();
    expect(store.held).toBe(1);
    store.behave('rejects', 'acquire');
    leaseOf(await access.acquire(SLOTS));
    expect(await access.acquire(SLOTS)).toEqual({ full: 0 });
  });

  test('a lease whose release throws is freed in this process, and the fault is reported', async () => {
    const clock = new ManualClock();
    const release = () => {
      throw new Error('odd');
    };
    const overrides = { acquire: async () => ({ lease: { release, onLost: () => {} } }) };
    const { access, faults } = accessTo(new SharedStore(clock, { overrides }), clock);
    leaseOf(await access.acquire(SLOTS)).release();
    expect(faults).toMatchObject([{ message: 'odd' }]);
  });

  test('a lease that the store loses is reported', async () => {
    const { access, store } = await bench();
    let lost = 0;
    leaseOf(await access.acquire(SLOTS)).onLost(() => lost++);
    store.loseAll();
    expect(lost).toBe(1);
  });
});

describe('the turns', () => {
  test('an outage and its end are reported once each, with its length', async () => {
    const { access, store, told, clock } = await bench();
    store.behave('rejects');
    for (let i = 0; i < 10; i++) await precheck(access);
    expect(told).toEqual(['failing']);
    clock.advance(1_000);
    await settle();
    store.wake();
    clock.advance(1_000);
    await settle();
    expect([told, access.isAvailable]).toEqual([['failing', 'recovered 2000'], true]);
    expect(await precheck(access)).toMatchObject({ handshake: { allowed: true } });
  });

  test('once the store works again, waiting revocations are sent in order, and bans as well', async () => {
    const { access, store, lose, bring, clock } = await bench();
    await lose();
    const revoked = ['alice', 'bob'].map((subject) => access.revoke({ subject, issuedBefore: 0 }));
    const ban = await access.ban('address a');
    expect([access.outbox, access.bannedFor('address a'), ban.count]).toEqual([2, 60_000, 1]);
    expect(await access.bans(10)).toEqual([ban]);
    expect(await precheck(access)).toMatchObject({ bannedFor: 60_000 });
    const other = accessTo(store, clock);
    await bring();
    clock.advance(1_000);
    await Promise.all(revoked);
    await settle();
    expect(other.told).toEqual(['revoked alice', 'revoked bob', 'banned address a 1']);
    expect([access.outbox, await store.memory.bans(10)]).toMatchObject([0, [{ key: 'address a' }]]);
  });

  test('a ban that the store did not take is enforced in this process until it does', async () => {
    const { access, store, clock } = await bench();
    store.behave('rejects', 'ban');
    await access.ban('address a');
    expect(access.isAvailable).toBe(true);
    expect(await precheck(access)).toMatchObject({ bannedFor: 60_000 });
    store.behave('later', 'ban');
    clock.advance(1_000);
    await settle();
    expect(await store.memory.bans(10)).toMatchObject([{ key: 'address a' }]);
    // Now the store decides: a ban that is lifted there ends here.
    await store.memory.unban('address a');
    expect(await precheck(access)).toMatchObject({ bannedFor: 0 });
  });

  test.each<[Behaviour, string]>([
    // The news of the ban comes before the deadline, or the answer comes after it.
    ['lags', 'and told'],
    ['hangs', 'too late'],
  ])('a ban that was stored although its answer %s (%s) counts once', async (how) => {
    const { access, store, clock } = await bench();
    store.behave(how, 'ban');
    const banned = access.ban('address a');
    clock.advance(500);
    expect(await banned).toMatchObject({ key: 'address a', count: 1 });
    store.wake();
    await settle();
    clock.advance(10_000);
    await settle();
    expect(await store.memory.bans(10)).toMatchObject([{ key: 'address a', count: 1 }]);
    expect(store.count('ban')).toBe(1);
  });
});

test('news of other nodes are known here, and a listener that throws is no failure of the store', async () => {
  const thrower = {
    revoked: () => {
      throw new Error('full');
    },
    banned: () => {
      throw new Error('odd');
    },
    unbanned: () => {
      throw new Error('odd');
    },
    known: () => [],
  };
  const { access, store, faults } = await bench({ listener: thrower });
  for (let i = 0; i < 5; i++) await access.revoke({ subject: 'alice', issuedBefore: 0 });
  await store.memory.ban('identity alice', { duration: 9_000, growth: 1, longest: 9_000, memory: 1 });
  expect(access.bannedFor('identity alice')).toBe(9_000);
  await store.memory.unban('identity alice');
  expect(access.bannedFor('identity alice')).toBe(0);
  expect([access.isAvailable, faults.length]).toEqual([true, 7]);
});

describe('once closed', () => {
  test('after close nothing is asked, received or waited for, and no timer is left', async () => {
    const { access, store, clock, lose, told } = await bench();
    await lose('hangs');
    const waiting = access.revoke({ subject: 'alice', issuedBefore: 0 });
    access.close();
    access.close();
    await expect(waiting).rejects.toThrow('The guard was closed');
    store.wake();
    clock.advance(60_000);
    await settle();
    await store.memory.revoke({ subject: 'bob', issuedBefore: 0 });
    expect([store.asked, store.listeners, told, clock.pending]).toEqual([[], 0, [], 0]);
    expect(await precheck(access)).toMatchObject({ bannedFor: 0 });
    expect(store.asked).toEqual([]);
  });

  test('close ends calls in progress with the fallback', async () => {
    const { access, store, clock } = await bench({ modes: { handshakes: 'closed' } });
    store.behave('hangs');
    const waiting = access.precheck(PRECHECK);
    access.close();
    expect(await waiting).toBe(UNAVAILABLE);
    expect(clock.pending).toBe(0);
  });
});
