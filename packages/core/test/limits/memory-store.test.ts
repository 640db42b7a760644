import { describe, expect, test } from '@jest/globals';
import { memoryStore } from '../../src/limits/memory-store.ts';
import type {
  Acquired,
  Ban,
  HitRequest,
  Lease,
  PrecheckAnswer,
  StoreListener,
} from '../../src/vocabulary/store-contract.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BAN_TERMS } from '../support/store-access.ts';

const LIMIT = { interval: 1_000, burst: 2 };
const of = (key: string, cost = 1): HitRequest => ({ keys: [key, 'wide'], limit: LIMIT, cost });

function bench(options: object = {}) {
  const clock = new ManualClock();
  const store = memoryStore({ clock, ...options });
  const precheck = (request: Partial<Parameters<typeof store.precheck>[0]>) =>
    store.precheck({ bans: [], hits: [], leases: [], ...request }) as PrecheckAnswer;
  const hit = (key: string, cost = 1) => precheck({ hits: [of(key, cost)] }).hits[0];
  const acquire = (leases: Parameters<typeof store.acquire>[0]) => store.acquire(leases) as Acquired;
  return { clock, store, precheck, hit, acquire };
}

function leaseOf(acquired: Acquired): Lease {
  if ('lease' in acquired) return acquired.lease;
  throw new Error('nothing was acquired');
}

/** Everything that it tells, in words. */
function listener(told: string[]): StoreListener {
  return {
    revoked: ({ subject }) => void told.push(`revoked ${subject}`),
    banned: ({ key, count }) => void told.push(`banned ${key} ${count}`),
    unbanned: (key) => void told.push(`unbanned ${key}`),
    known: () => [],
  };
}

describe('a precheck', () => {
  test('each key has its own bucket, which recovers with time', () => {
    const { clock, hit } = bench();
    expect(hit('a')).toEqual({ allowed: true, remaining: 1, retryAfter: 0 });
    expect(hit('a')).toEqual({ allowed: true, remaining: 0, retryAfter: 0 });
    expect(hit('a')).toEqual({ allowed: false, remaining: 0, retryAfter: 1_000 });
    expect(hit('b')).toMatchObject({ allowed: true });
    clock.advance(999);
    expect(hit('a')).toEqual({ allowed: false, remaining: 0, retryAfter: 1 });
    clock.advance(1);
    expect(hit('a')).toMatchObject({ allowed: true });
  });

  test('a hit with a cost of 0 gives the answer and spends nothing', () => {
    const { hit } = bench();
    for (let i = 0; i < 5; i++) expect(hit('a', 0)).toEqual({ allowed: true, remaining: 2, retryAfter: 0 });
    for (let i = 0; i < 2; i++) hit('a');
    for (let i = 0; i < 5; i++) {
      expect(hit('a', 0)).toEqual({ allowed: false, remaining: 0, retryAfter: 1_000 });
    }
  });

  test('hits are counted in order up to the first refused one, and those behind it cost nothing', () => {
    const { precheck, hit } = bench();
    for (let i = 0; i < 2; i++) hit('a');
    expect(precheck({ hits: [of('b'), of('a'), of('c')] }).hits.map(({ allowed }) => allowed)).toEqual([
      true,
      false,
    ]);
    expect([hit('b', 0), hit('c', 0)]).toMatchObject([{ remaining: 1 }, { remaining: 2 }]);
  });

  test('a precheck looks at slots without taking them, even if a hit is refused', () => {
    const { precheck, acquire, hit } = bench();
    const leases = [
      { key: 'all', cap: 2 },
      { key: 'mine', cap: 1 },
    ];
    for (let i = 0; i < 5; i++) expect(precheck({ leases }).full).toBe(-1);
    leaseOf(acquire(leases));
    expect(precheck({ leases }).full).toBe(1);
    for (let i = 0; i < 2; i++) hit('a');
    expect(precheck({ hits: [of('a')], leases })).toMatchObject({ hits: [{ allowed: false }], full: 1 });
  });

  test('a precheck of banned keys spends nothing and answers with the longest ban', () => {
    const { store, precheck, hit } = bench();
    void store.ban('address b', BAN_TERMS);
    void store.ban('address c', { ...BAN_TERMS, duration: 90_000 });
    const bans = ['address a', 'address b', 'address c'];
    expect(precheck({ bans, hits: [of('a')] })).toEqual({ bannedFor: 90_000, hits: [], full: -1 });
    expect(hit('a', 0)).toMatchObject({ remaining: 2 });
    expect(precheck({ bans: ['address a'], hits: [of('a')] })).toMatchObject({ bannedFor: 0, hits: [{}] });
  });
});

test('a charge counts hits that do not fit, up to a debt of one burst', () => {
  const { clock, store, hit } = bench();
  for (let i = 0; i < 50; i++) void store.charge(of('a'));
  expect(hit('a', 0)).toEqual({ allowed: false, remaining: 0, retryAfter: 1_000 });
  clock.advance(2_000);
  expect(hit('a', 0)).toMatchObject({ remaining: 2 });
});

describe('leases', () => {
  const one = (cap: number) => [{ key: 'all', cap }];

  test('leases are acquired all or none, and the answer names the first full one', () => {
    const { precheck, acquire } = bench();
    const both = [...one(5), { key: 'address', cap: 1 }];
    const held = leaseOf(acquire(both));
    expect(acquire(both)).toEqual({ full: 1 });
    expect(precheck({ leases: both }).full).toBe(1);
    // The refused lease holds no part of the first slot.
    for (let i = 0; i < 4; i++) leaseOf(acquire(one(5)));
    expect(acquire(one(5))).toEqual({ full: 0 });
    held.release();
    expect(precheck({ leases: both }).full).toBe(-1);
  });

  test('releasing a lease twice frees its slot once', () => {
    const { acquire } = bench();
    const first = leaseOf(acquire(one(2)));
    leaseOf(acquire(one(2)));
    for (let i = 0; i < 3; i++) first.release();
    leaseOf(acquire(one(2)));
    expect(acquire(one(2))).toEqual({ full: 0 });
  });
});

test('a value is redeemed once, and not after its end', () => {
  const { clock, store } = bench();
  void store.put('a', 'one', 1_000);
  void store.put('b', 'two', 1_000);
  expect([store.redeem('a'), store.redeem('a')]).toEqual(['one', undefined]);
  clock.advance(1_000);
  expect(store.redeem('b')).toBeUndefined();
});

describe('those who listen', () => {
  test('listeners are told of every revocation and ban until they unsubscribe', () => {
    const { store } = bench();
    const [told, other]: [string[], string[]] = [[], []];
    const stop = store.subscribe(listener(told));
    store.subscribe(listener(other));
    void store.revoke({ subject: 'alice', issuedBefore: 0 });
    void store.ban('identity alice', BAN_TERMS);
    void store.unban('identity alice');
    expect(told).toEqual(['revoked alice', 'banned identity alice 1', 'unbanned identity alice']);
    stop();
    void store.ban('identity alice', BAN_TERMS);
    expect([told.length, other.length]).toEqual([3, 4]);
  });

  test('the memory store is never stale', () => {
    const { store } = bench();
    expect(store.staleness()).toBe(0);
    expect(
      store.shares(
        [
          { key: 'a', hits: 5 },
          { key: 'b', hits: 0 },
        ],
        1_000,
      ),
    ).toEqual([1, 1]);
    expect(store.ping()).toBeUndefined();
  });
});

test('bans are listed while in force and lifted once', () => {
  const { clock, store } = bench();
  const ban = store.ban('address a', BAN_TERMS) as Ban;
  expect(ban).toEqual({ key: 'address a', until: clock.now() + 60_000, count: 1 });
  expect(store.bans(10)).toEqual([ban]);
  expect([store.unban('address a'), store.unban('address a')]).toEqual([true, false]);
  void store.ban('address b', BAN_TERMS);
  clock.advance(60_000);
  expect(store.bans(10)).toEqual([]);
});

test('each table holds as many entries as its option says', () => {
  const { store, hit } = bench({ maxKeys: 4, maxValues: 2, maxBans: 2 });
  for (let i = 0; i < 2; i++) void store.put(`${i}`, '', 1_000);
  expect(() => store.put('2', '', 1_000)).toThrow('More than 2 values');
  for (let i = 0; i < 5; i++) void store.ban(`address ${i}`, BAN_TERMS);
  expect(store.bans(10)).toHaveLength(2);
  for (let i = 0; i < 4; i++) hit(`${i}`);
  for (let i = 4; i < 6; i++) expect(hit(`${i}`)).toMatchObject({ allowed: true });
  expect(hit('6')).toMatchObject({ allowed: false });
});
