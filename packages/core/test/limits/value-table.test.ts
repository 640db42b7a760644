import { expect, test } from '@jest/globals';
import { ValueTable } from '../../src/limits/value-table.ts';

test('a value is taken once, and not after its end', () => {
  const table = new ValueTable(10);
  table.put('a', 'one', 0, 100);
  table.put('b', 'two', 0, 100);
  expect([table.redeem('a', 99), table.redeem('a', 99)]).toEqual(['one', undefined]);
  expect([table.redeem('b', 100), table.redeem('b', 50)]).toEqual([undefined, undefined]);
  expect(table.redeem('never', 0)).toBeUndefined();
});

test('a full table refuses values until one was taken or has expired', () => {
  const table = new ValueTable(2);
  table.put('a', '', 0, 100);
  table.put('b', '', 0, 200);
  expect(() => table.put('c', '', 99, 100)).toThrow(RangeError);
  table.redeem('b', 99);
  table.put('c', 'kept', 99, 100);
  expect(() => table.put('d', '', 99, 100)).toThrow('More than 2 values wait to be redeemed.');
  table.put('d', '', 100, 100);
  expect(table.redeem('c', 100)).toBe('kept');
});
