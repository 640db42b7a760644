import { expect, test } from '@jest/globals';
import { freshnessOf } from '../../src/auth/key-freshness.ts';

const MINUTE = 60_000;

test.each<[string | null, string | null, number]>([
  [null, null, 10 * MINUTE],
  ['', null, 10 * MINUTE],
  ['public', '5', 10 * MINUTE],
  ['max-age=1800', null, 30 * MINUTE],
  ['public, max-age=1800, must-revalidate', null, 30 * MINUTE],
  ['PUBLIC,MAX-AGE=1800', null, 30 * MINUTE],
  ['max-age="1800"', null, 30 * MINUTE],
  ['max-age=1800', '600', 20 * MINUTE],
  ['max-age=1800', '1800', MINUTE],
  ['max-age=1800', 'x', 30 * MINUTE],
  ['max-age=1800', '-5', 30 * MINUTE],
  ['s-maxage=7', null, 10 * MINUTE],
  ['max-age=120, max-age=600', null, 2 * MINUTE],
  // Bounds.
  ['max-age=0', null, MINUTE],
  ['max-age=59', null, MINUTE],
  ['no-cache', null, MINUTE],
  ['no-store, max-age=3600', null, MINUTE],
  ['max-age=3601', null, 60 * MINUTE],
  [`max-age=${'9'.repeat(400)}`, null, 60 * MINUTE],
  [`max-age=${'9'.repeat(400)}`, '9'.repeat(400), 10 * MINUTE],
  // Nothing that can be read.
  ['max-age=-1', null, 10 * MINUTE],
  ['max-age=1.5', null, 10 * MINUTE],
  ['max-age=', null, 10 * MINUTE],
  ['max-age', null, 10 * MINUTE],
])('keys with Cache-Control %j and Age %j are fresh for %d ms', (cacheControl, age, expected) => {
  expect(freshnessOf(cacheControl, age)).toBe(expected);
});
