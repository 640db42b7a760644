import { describe, expect, test } from '@jest/globals';
import {
  parseBudget,
  parseByteRate,
  parseCount,
  parseDuration,
  parseRate,
  parseSize,
} from '../../src/vocabulary/units.ts';

test.each([
  [250, 250],
  ['250ms', 250],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['12h', 43_200_000],
  ['1d', 86_400_000],
])('the duration %j is %d ms', (value, expected) => {
  expect(parseDuration(value, 'o')).toBe(expected);
});

test.each([
  [512, 512],
  ['512B', 512],
  ['16KiB', 16_384],
  ['1.5MiB', 1_572_864],
])('the size %j is %d bytes', (value, expected) => {
  expect(parseSize(value, 'o')).toBe(expected);
});

test.each([
  ['20/s', 50, 20],
  ['120/m', 500, 2],
  ['60/h', 60_000, 1],
  ['0.5/s', 2_000, 1],
  [{ rate: '20/s' }, 50, 20],
  [{ rate: '20/s', burst: 40 }, 50, 40],
])('the rate %j has an interval of %d ms and a burst of %d', (value, interval, burst) => {
  expect(parseRate(value, 'o')).toEqual({ interval, burst });
});

test.each([
  [10, 60_000, 10],
  ['5/m', 12_000, 5],
  ['0.5/s', 2_000, 1],
  [{ rate: '60/h' }, 60_000, 1],
  [{ rate: '60/h', burst: 20 }, 60_000, 20],
])('the budget %j has an interval of %d ms and a burst of %d', (value, interval, burst) => {
  expect(parseBudget(value, 'o')).toEqual({ interval, burst });
});

test.each([0, 1.5, '5', null, { rate: '5' }])('%j is refused as a budget', (value) => {
  expect(() => parseBudget(value, 'policy.limits.violations')).toThrow(/^policy\.limits\.violations: /);
});

test.each([
  ['1KiB/s', 1_000 / 1_024, 1_024],
  [{ rate: '1000B/s', burst: '2KiB' }, 1, 2_048],
  [{ rate: '60B/m', burst: 10 }, 1_000, 10],
])('the byte rate %j has an interval of %d ms and a burst of %d', (value, interval, burst) => {
  expect(parseByteRate(value, 'o')).toEqual({ interval, burst });
});

describe('refused, with the option and what it should be', () => {
  const wrong = [
    '',
    '10',
    '10 s',
    '10S',
    '-1s',
    '0s',
    '1e3s',
    's',
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    {},
    [],
    true,
  ];
  test.each(wrong)('the duration %j is refused', (value) => {
    expect(() => parseDuration(value, 'limits.x')).toThrow(/^limits\.x: .*Give a duration/);
  });
  test.each(['', '16', '16KB', '16kib', '-1B', '0B', 0, Number.NaN, null])(
    'the size %j is refused',
    (value) => {
      expect(() => parseSize(value, 'limits.x')).toThrow(/^limits\.x: .*Give a size/);
    },
  );
  test.each(['20', '20/d', '20/sec', '/s', '0/s', '-1/s', 20, null, {}, { burst: 5 }, { rate: 20 }])(
    'the rate %j is refused',
    (value) => {
      expect(() => parseRate(value, 'limits.x')).toThrow(/^limits\.x: .*Give a rate/);
    },
  );
  test.each(['20/s', '1KB/s', '0B/s', '256KiB'])('the byte rate %j is refused', (value) => {
    expect(() => parseByteRate(value, 'limits.x')).toThrow(/^limits\.x: .*Give a byte rate/);
  });
  test.each([0, -1, 1.5, '5', Number.POSITIVE_INFINITY, null, undefined])(
    'the count %j is refused',
    (value) => {
      expect(() => parseCount(value, 'limits.x')).toThrow(/^limits\.x: .*positive whole number/);
    },
  );
  test('an unknown part of a rate and a burst of 0 are refused', () => {
    expect(() => parseRate({ rate: '1/s', bust: 5 }, 'limits.x')).toThrow(
      /limits\.x\.bust: unknown option. Did you mean 'burst'/,
    );
    expect(() => parseRate({ rate: '1/s', burst: 0 }, 'limits.x')).toThrow(/limits\.x\.burst/);
    expect(() => parseByteRate({ rate: '1B/s', burst: '0B' }, 'limits.x')).toThrow(/limits\.x\.burst/);
  });
  test('a size below one byte is refused', () => {
    expect(() => parseSize('0.5B', 'limits.x')).toThrow(/^limits\.x/);
    expect(() => parseSize(0.5, 'limits.x')).toThrow(/^limits\.x/);
  });
});
