import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BanTable } from '../../src/limits/ban-table.ts';

const TERMS = { duration: 1_000, growth: 2, longest: 5_000, memory: 10_000 };

describe('a ban', () => {
  test('a ban is in force until its end', () => {
    const table = new BanTable(10);
    expect(table.add('a', TERMS, 100)).toEqual({ key: 'a', until: 1_100, count: 1 });
    expect([table.left('a', 100), table.left('a', 1_099), table.left('a', 1_100)]).toEqual([1_000, 1, 0]);
    expect(table.left('b', 100)).toBe(0);
  });

  test('a repeated ban grows while the earlier one is remembered, up to the longest', () => {
    const table = new BanTable(10);
    let now = 0;
    const lengths = Array.from({ length: 5 }, () => {
      const { until, count } = table.add('a', TERMS, now);
      const length = until - now;
      now = until + TERMS.memory - 1;
      return [count, length];
    });
    expect(lengths).toEqual([
      [1, 1_000],
      [2, 2_000],
      [3, 4_000],
      [4, 5_000],
      [5, 5_000],
    ]);
    // One millisecond later the history is forgotten.
    expect(table.add('a', TERMS, now + 1)).toMatchObject({ count: 1, until: now + 1_001 });
  });

  test('lifting a ban forgets its history as well', () => {
    const table = new BanTable(10);
    table.add('a', TERMS, 0);
    expect([table.delete('a', 500), table.delete('a', 500)]).toEqual([true, false]);
    expect(table.add('a', TERMS, 600)).toMatchObject({ count: 1 });
    // A ban that has ended cannot be lifted.
    expect(table.delete('a', 1_600)).toBe(false);
  });

  test('a ban of another node is copied unchanged, and a later one grows from it', () => {
    const table = new BanTable(10);
    table.put({ key: 'a', until: 3_000, count: 2 }, TERMS.memory, 0);
    expect(table.left('a', 0)).toBe(3_000);
    expect(table.add('a', TERMS, 5_000)).toEqual({ key: 'a', until: 9_000, count: 3 });
  });

  test('property: a ban lasts no longer than the longest and no shorter than the first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.integer({ min: 1, max: 1_000 }),
        (duration, growth, repetitions) => {
          const table = new BanTable(1);
          const terms = { duration, growth, longest: 2 * duration, memory: 1 };
          let earlier = 0;
          for (let i = 0; i < Math.min(repetitions, 50); i++) {
            const length = table.add('a', terms, 0).until;
            expect(length).toBeGreaterThanOrEqual(Math.max(duration, earlier));
            expect(length).toBeLessThanOrEqual(2 * duration);
            earlier = length;
          }
        },
      ),
    );
  });
});

describe('the bound', () => {
  test('at the bound a ban that ends soon is evicted, at a cost that does not grow with the table', () => {
    const table = new BanTable(10_000);
    for (let i = 0; i < 10_000; i++) table.add(`${i}`, { ...TERMS, duration: 1_000 + (i % 64) }, 0);
    for (let i = 0; i < 100; i++) table.add(`new ${i}`, { ...TERMS, duration: 4_000 }, 0);
    expect(table.size).toBe(10_000);
    const kept = new Set(table.list(0, 20_000).map(({ key }) => key));
    // Of each 64 compared, the one that ends first was evicted.
    expect(Array.from({ length: 10_000 }, (_, i) => i).filter((i) => !kept.has(`${i}`))).toEqual(
      Array.from({ length: 100 }, (_, i) => i * 64),
    );
  });

  test('of the bans that are compared, the one that ends first is evicted', () => {
    const table = new BanTable(3);
    table.add('long', { ...TERMS, duration: 3_000 }, 0);
    table.add('short', TERMS, 0);
    table.add('middle', { ...TERMS, duration: 2_000 }, 0);
    table.add('new', { ...TERMS, duration: 4_000 }, 0);
    expect(table.size).toBe(3);
    expect(table.list(0, 10).map(({ key }) => key)).toEqual(['long', 'middle', 'new']);
    // A repeated ban needs no room.
    table.add('middle', TERMS, 0);
    expect(table.size).toBe(3);
  });

  test('an entry that no longer matters is evicted before a ban in force', () => {
    const table = new BanTable(2);
    table.add('forgotten', { ...TERMS, memory: 1 }, 0);
    table.add('in force', { ...TERMS, duration: 100, longest: 100_000 }, 1_050);
    table.add('new', TERMS, 1_060);
    expect(table.list(1_060, 10).map(({ key }) => key)).toEqual(['in force', 'new']);
  });
});

test('the list holds bans in force, at most as many as asked for', () => {
  const table = new BanTable(10);
  table.add('over', TERMS, 0);
  for (const key of ['a', 'b', 'c']) table.add(key, TERMS, 500);
  expect(table.list(1_000, 10)).toEqual([
    { key: 'a', until: 1_500, count: 1 },
    { key: 'b', until: 1_500, count: 1 },
    { key: 'c', until: 1_500, count: 1 },
  ]);
  expect(table.list(1_000, 2)).toHaveLength(2);
});
