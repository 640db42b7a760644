import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SlotTable } from '../../src/limits/slot-table.ts';
import type { Lease } from '../../src/vocabulary/store-contract.ts';

const one = (cap: number) => [{ key: 'all', cap }];

test('property: at most the cap is held, and nothing once all is released', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean(), { maxLength: 100 }), (cap, steps) => {
      const table = new SlotTable();
      const held: Lease[] = [];
      for (const take of steps) {
        if (!take) held.pop()?.release();
        else {
          const acquired = table.acquire(one(cap));
          expect('lease' in acquired).toBe(held.length < cap);
          if ('lease' in acquired) held.push(acquired.lease);
        }
      }
      for (const lease of held) lease.release();
      expect(table.full(one(1))).toBe(-1);
    }),
  );
});

test('of several slots all are held or none', () => {
  const table = new SlotTable();
  const both = [...one(5), { key: 'mine', cap: 1 }];
  table.acquire(both);
  expect(table.acquire(both)).toEqual({ full: 1 });
  expect([table.full(one(2)), table.full(one(1)), table.full(both)]).toEqual([-1, 0, 1]);
});

test('a lease granted elsewhere is counted beyond the cap and released once', () => {
  const table = new SlotTable();
  const leases = Array.from({ length: 3 }, () => table.hold(one(2)));
  expect(table.acquire(one(3))).toEqual({ full: 0 });
  for (let i = 0; i < 5; i++) leases[0]?.release();
  expect(table.acquire(one(3))).toHaveProperty('lease');
  expect(table.acquire(one(3))).toEqual({ full: 0 });
});

test('a million keys that are released take no memory, and a held key is not forgotten', () => {
  const table = new SlotTable();
  const lease = table.hold(one(1));
  const crowd = Array.from({ length: 1_000 }, (_, i) => table.hold([{ key: `early ${i}`, cap: 1 }]));
  for (let i = 0; i < 1_000_000; i++) table.hold([{ key: `late ${i}`, cap: 1 }]).release();
  for (const early of crowd) early.release();
  expect(table.size).toBeLessThan(100);
  expect(table.full(one(1))).toBe(0);
  lease.release();
  expect(table.full(one(1))).toBe(-1);
});
