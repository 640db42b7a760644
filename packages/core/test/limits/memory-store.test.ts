import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { memoryStore } from '../../src/limits/memory-store.ts';
import type { Acquired, Hit, Lease } from '../../src/ports.ts';
import { ManualClock } from '../support/manual-clock.ts';

const LIMIT = { interval: 1_000, burst: 2 };

function leaseOf(acquired: unknown): Lease {
  const { lease } = acquired as { lease?: Lease };
  if (lease === undefined) throw new Error('nothing was acquired');
  return lease;
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('rates', () => {
  test('each key has its own bucket, which recovers with time', () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    expect(store.hit('a', 'wide', LIMIT)).toEqual({ allowed: true });
    expect(store.hit('a', 'wide', LIMIT)).toEqual({ allowed: true });
    expect(store.hit('a', 'wide', LIMIT)).toEqual({ allowed: false, retryAfter: 1_000 });
    expect(store.hit('b', 'wide', LIMIT)).toEqual({ allowed: true });
    clock.advance(999);
    expect(store.hit('a', 'wide', LIMIT)).toEqual({ allowed: false, retryAfter: 1 });
    clock.advance(1);
    expect(store.hit('a', 'wide', LIMIT)).toEqual({ allowed: true });
  });

  test('peek answers as hit would, and takes nothing', () => {
    const store = memoryStore({ clock: new ManualClock() });
    for (let i = 0; i < 5; i++) expect(store.peek('a', 'wide', LIMIT)).toEqual({ allowed: true });
    store.hit('a', 'wide', LIMIT);
    store.hit('a', 'wide', LIMIT);
    for (let i = 0; i < 5; i++) {
      expect(store.peek('a', 'wide', LIMIT)).toEqual({ allowed: false, retryAfter: 1_000 });
    }
  });
});

describe('the bounded table', () => {
  test('a denied key stays denied however many other keys come', () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock, maxKeys: 10 });
    store.hit('mine', 'wide', LIMIT);
    store.hit('mine', 'wide', LIMIT);
    for (let i = 0; i < 1_000; i++) store.hit(`flood ${i}`, `net ${i % 40}`, LIMIT);
    expect(store.hit('mine', 'wide', LIMIT)).toMatchObject({ allowed: false });
  });

  test('at the bound new keys share the bucket of their coarser prefix, then one bucket of all', () => {
    const store = memoryStore({ clock: new ManualClock(), maxKeys: 4 });
    for (let i = 0; i < 4; i++) store.hit(`old ${i}`, 'old', LIMIT);
    expect(store.hit('new 1', 'net', LIMIT)).toEqual({ allowed: true });
    expect(store.hit('new 2', 'net', LIMIT)).toEqual({ allowed: true });
    expect(store.hit('new 3', 'net', LIMIT)).toMatchObject({ allowed: false });
    // The coarser table holds a quarter: one prefix here. Every other prefix shares one bucket.
    expect(store.hit('new 4', 'net b', LIMIT)).toEqual({ allowed: true });
    expect(store.hit('new 5', 'net c', LIMIT)).toEqual({ allowed: true });
    expect(store.hit('new 6', 'net d', LIMIT)).toMatchObject({ allowed: false });
    expect(store.hit('old 0', 'old', LIMIT)).toEqual({ allowed: true });
  });

  test('entries that have recovered make room', () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock, maxKeys: 2 });
    store.hit('a', 'net', LIMIT);
    store.hit('b', 'net', LIMIT);
    clock.advance(1_000);
    for (const key of ['c', 'd']) {
      expect(store.hit(key, 'net', LIMIT)).toEqual({ allowed: true });
      expect(store.hit(key, 'net', LIMIT)).toEqual({ allowed: true });
    }
  });

  test('nobody gets tokens back early, whatever else is in the table', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 1_500 })), {
          maxLength: 200,
        }),
        (maxKeys, steps) => {
          const clock = new ManualClock();
          const store = memoryStore({ clock, maxKeys });
          const passed = new Map<string, number[]>();
          for (const [key, wait] of steps) {
            clock.advance(wait);
            const name = `key ${key}`;
            const hit = store.hit(name, `net ${key % 3}`, LIMIT) as Hit;
            if (hit.allowed) passed.set(name, [...(passed.get(name) ?? []), clock.monotonic()]);
          }
          // A key may have had two buckets, one after the other: its coarser prefix's, and its own. Never more.
          for (const times of passed.values()) {
            for (const [first, start] of times.entries()) {
              for (const [last, end] of times.entries()) {
                if (last < first) continue;
                const allowance = 2 * LIMIT.burst + Math.floor((end - start) / LIMIT.interval) * 2;
                expect(last - first + 1).toBeLessThanOrEqual(allowance);
              }
            }
          }
        },
      ),
    );
  });

  test('a million distinct addresses cost a bounded amount of memory', () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock, maxKeys: 10_000 });
    const limit = { interval: 500, burst: 60 };
    for (let i = 0; i < 20_000; i++) store.hit(`warm ${i}`, `net ${i >> 8}`, limit);
    const before = heapAfterCollection();
    for (let i = 0; i < 1_000_000; i++) {
      if (i % 1_000 === 0) clock.advance(1);
      store.hit(`handshake 2001:db8:${i.toString(16)}::/64`, `handshake ${i >> 8}`, limit);
    }
    // A table without a bound holds more than 100 MiB here.
    expect(heapAfterCollection() - before).toBeLessThan(5 * 1_048_576);
  }, 30_000);
});

describe('leases', () => {
  const one = (cap: number) => [{ key: 'all', cap }];

  test('are acquired all or none, and the first full one is told', () => {
    const store = memoryStore({ clock: new ManualClock() });
    const held = leaseOf(store.acquire([...one(5), { key: 'address', cap: 1 }]));
    expect(store.acquire([...one(5), { key: 'address', cap: 1 }])).toEqual({ full: 1 });
    expect(store.full([...one(5), { key: 'address', cap: 1 }])).toBe(1);
    // The refused attempt holds nothing of the first slot.
    for (let i = 0; i < 4; i++) leaseOf(store.acquire(one(5)));
    expect(store.acquire(one(5))).toEqual({ full: 0 });
    held.release();
    expect(store.full([...one(5), { key: 'address', cap: 1 }])).toBe(-1);
  });

  test('a release counts once however often it is called', () => {
    const store = memoryStore({ clock: new ManualClock() });
    const first = leaseOf(store.acquire(one(2)));
    leaseOf(store.acquire(one(2)));
    first.release();
    first.release();
    first.release();
    leaseOf(store.acquire(one(2)));
    expect(store.acquire(one(2))).toEqual({ full: 0 });
  });

  test('any sequence holds at most the cap, and nothing once all is released', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 100 }),
        (cap, steps) => {
          const store = memoryStore({ clock: new ManualClock() });
          const held: Lease[] = [];
          for (const take of steps) {
            if (!take) held.pop()?.release();
            else {
              const acquired = store.acquire(one(cap)) as Acquired;
              expect('lease' in acquired).toBe(held.length < cap);
              if ('lease' in acquired) held.push(acquired.lease);
            }
          }
          for (const lease of held) lease.release();
          expect(store.full(one(1))).toBe(-1);
        },
      ),
    );
  });
});
