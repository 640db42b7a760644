import { expect, test } from '@jest/globals';
import { TatTable } from '../../src/limits/tat-table.ts';

test('a key that is not in the table has no debt', () => {
  const table = new TatTable(2);
  expect([table.get('a'), table.has('a'), table.size]).toEqual([0, false, 0]);
  table.set('a', 5);
  expect([table.get('a'), table.has('a'), table.size]).toEqual([5, true, 1]);
  table.delete('a');
  expect([table.get('a'), table.has('a'), table.size]).toEqual([0, false, 0]);
});

test('a full table takes a key only in the place of a recovered one', () => {
  const table = new TatTable(2);
  expect(table.hasRoomFor('a', 0)).toBe(true);
  table.set('a', 10);
  table.set('b', 20);
  expect([table.hasRoomFor('a', 9), table.hasRoomFor('c', 9)]).toEqual([true, false]);
  expect(table.hasRoomFor('c', 10)).toBe(true);
  expect([table.has('a'), table.has('b'), table.size]).toEqual([false, true, 1]);
});

test('keys in long debt do not hide a recovered one', () => {
  const table = new TatTable(1_000);
  for (let i = 0; i < 500; i++) table.set(`long ${i}`, 1_000_000);
  for (let i = 0; i < 500; i++) table.set(`short ${i}`, 10);
  let found = 0;
  for (let i = 0; i < 200; i++) {
    if (!table.hasRoomFor(`new ${i}`, 100)) continue;
    table.set(`new ${i}`, 1_000_000);
    found++;
  }
  // The search passes 500 keys in debt, 4 at a time.
  expect(found).toBe(75);
  expect(table.size).toBeLessThanOrEqual(1_000);
});

test('asking for room costs the same in a table of any size', () => {
  const table = new TatTable(100_000);
  for (let i = 0; i < 100_000; i++) table.set(`key ${i}`, 1_000_000);
  let looked = 0;
  const iterator = Object.getPrototypeOf(new Map().keys()) as { next: () => unknown };
  const { next } = iterator;
  iterator.next = function count(this: unknown) {
    looked++;
    return next.call(this);
  };
  try {
    for (let i = 0; i < 100; i++) table.hasRoomFor(`new ${i}`, 0);
  } finally {
    iterator.next = next;
  }
  expect(looked).toBe(400);
});
