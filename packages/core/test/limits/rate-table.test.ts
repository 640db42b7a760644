import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RateTables } from '../../src/limits/rate-table.ts';

const LIMIT = { interval: 1_000, burst: 2 };

function bench(maxKeys: number, levels?: number) {
  const tables = new RateTables(maxKeys, levels);
  const hit = (now: number, ...keys: [string, ...string[]]) =>
    tables.hit({ keys, limit: LIMIT, cost: 1 }, now);
  const allowed = (now: number, ...keys: [string, ...string[]]) => hit(now, ...keys).allowed;
  return { tables, hit, allowed };
}

test('a denied key stays denied while many other keys come', () => {
  const { allowed } = bench(10);
  for (let i = 0; i < 2; i++) expect(allowed(0, 'mine', 'wide')).toBe(true);
  for (let i = 0; i < 1_000; i++) allowed(0, `flood ${i}`, `net ${i % 40}`);
  expect(allowed(0, 'mine', 'wide')).toBe(false);
});

describe('at the bound', () => {
  test('in full tables new keys share the bucket of their wider prefix, then the next, then one for all', () => {
    const { allowed } = bench(16);
    for (let i = 0; i < 16; i++) allowed(0, `old ${i}`, 'old', 'older');
    // Four prefixes have a bucket, in which new keys find the debt of others.
    expect([1, 2, 3].map((i) => allowed(0, `a${i}`, 'net a', 'wide a'))).toEqual([true, true, false]);
    for (const net of ['b', 'c', 'd']) expect(allowed(0, net, `net ${net}`, 'wide b')).toBe(true);
    // One wider prefix has a bucket.
    expect([1, 2, 3].map((i) => allowed(0, `e${i}`, `net e${i}`, 'wide e'))).toEqual([true, true, false]);
    // All others share one bucket.
    expect([1, 2, 3].map((i) => allowed(0, `f${i}`, `net f${i}`, `wide f${i}`))).toEqual([true, true, false]);
    expect(allowed(0, 'old 0', 'old', 'older')).toBe(true);
  });

  test('a key without wider prefixes has its own place in each table', () => {
    const { allowed } = bench(4);
    for (let i = 0; i < 4; i++) allowed(0, `old ${i}`);
    expect([1, 2, 3].map(() => allowed(0, 'new'))).toEqual([true, true, false]);
  });

  test('keys of different limits do not share the bucket for all', () => {
    const { tables, allowed } = bench(1);
    for (let i = 0; i < 3; i++) allowed(0, `old ${i}`, `net ${i}`, `wide ${i}`);
    const slow = { interval: 60_000, burst: 20 };
    for (let i = 0; i < 50; i++) tables.charge({ keys: [`slow ${i}`], limit: slow, cost: 1 }, 0);
    expect(allowed(0, 'quick', 'net', 'wide')).toBe(true);
  });

  test('entries that have recovered make room for new keys', () => {
    const { allowed } = bench(2);
    allowed(0, 'a', 'net');
    allowed(0, 'b', 'net');
    for (const key of ['c', 'd']) {
      expect([1, 2, 3].map(() => allowed(1_000, key, 'net'))).toEqual([true, true, false]);
    }
  });

  test('a key that gets its own bucket inherits the debt of the shared one', () => {
    const { allowed } = bench(1, 2);
    allowed(0, 'old', 'elsewhere');
    expect([1, 2, 3].map(() => allowed(500, 'mine', 'net'))).toEqual([true, true, false]);
    // At 1,000 the old key has recovered and frees its place; at 1,500 the shared bucket has one token again.
    expect(allowed(1_000, 'mine', 'net')).toBe(false);
    expect([1, 2].map(() => allowed(1_500, 'mine', 'net'))).toEqual([true, false]);
  });
});

describe('a charge', () => {
  const charge = (tables: RateTables, cost: number, now: number) =>
    tables.charge({ keys: ['a'], limit: LIMIT, cost }, now);
  const look = (tables: RateTables, now: number) => tables.hit({ keys: ['a'], limit: LIMIT, cost: 0 }, now);

  test('a charge goes into debt up to one burst', () => {
    const tables = new RateTables(10);
    charge(tables, 100, 0);
    expect(look(tables, 0)).toEqual({ allowed: false, remaining: 0, retryAfter: 1_000 });
    expect(look(tables, 1_000)).toMatchObject({ remaining: 1 });
  });

  test('a charge never reduces a debt that a hit above the burst has made', () => {
    const tables = new RateTables(10);
    expect(tables.hit({ keys: ['a'], limit: LIMIT, cost: 10 }, 0)).toMatchObject({ allowed: true });
    charge(tables, 1, 0);
    expect(look(tables, 8_999).allowed).toBe(false);
    expect(look(tables, 9_000).allowed).toBe(true);
  });
});

test('property: other keys never give a key its tokens back early', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 1_500 })), {
        maxLength: 300,
      }),
      (maxKeys, steps) => {
        const { allowed } = bench(maxKeys);
        const passed = new Map<number, number[]>();
        let now = 0;
        for (const [key, wait] of steps) {
          now += wait;
          if (!allowed(now, `key ${key}`, `net ${key % 4}`, `wide ${key % 2}`)) continue;
          passed.set(key, [...(passed.get(key) ?? []), now]);
        }
        for (const times of passed.values()) {
          for (const [first, start] of times.entries()) {
            for (const [last, end] of times.entries()) {
              if (last < first) continue;
              // As much as in a table without a bound.
              const allowance = LIMIT.burst + Math.floor((end - start) / LIMIT.interval);
              expect(last - first + 1).toBeLessThanOrEqual(allowance);
            }
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('property: a key in a table that is not full has exactly its burst and rate', () => {
  const { allowed } = bench(100);
  expect(Array.from({ length: 6 }, (_, i) => allowed(i * 500, 'a', 'net'))).toEqual([
    true,
    true,
    true,
    false,
    true,
    false,
  ]);
});

test('property: the tables stay within their bounds', () => {
  const limits = [LIMIT, { interval: 5_000, burst: 10 }];
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 64 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(200), fc.nat(200), fc.boolean(), fc.nat(300)), { maxLength: 300 }),
      (maxKeys, steps) => {
        const tables = new RateTables(maxKeys);
        const bound = maxKeys + Math.ceil(maxKeys / 4) + Math.ceil(maxKeys / 16) + limits.length;
        let now = 0;
        for (const [key, net, wide, charges, wait] of steps) {
          now += wait;
          const limit = limits[key % 2] as typeof LIMIT;
          const request = { keys: [`${key}`, `net ${net}`, `wide ${wide}`] as const, limit, cost: 1 };
          if (charges) tables.charge(request, now);
          else tables.hit(request, now);
          expect(tables.size).toBeLessThanOrEqual(bound);
        }
      },
    ),
  );
});
