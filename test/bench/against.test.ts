import { expect, test } from '@jest/globals';
import { againstText } from '../../bench/against.js';
import { argumentsOf } from '../../bench/arguments.js';
import { commitOf } from '../../bench/base.js';
import { ratios, spread } from '../../bench/statistics.js';

test('the bench takes a look, a revision to compare with, both, or neither', () => {
  expect(argumentsOf([])).toEqual({ quick: false, against: undefined });
  expect(argumentsOf(['--quick'])).toEqual({ quick: true, against: undefined });
  expect(argumentsOf(['--', '--against', 'main'])).toEqual({ quick: false, against: 'main' });
  expect(argumentsOf(['--against=HEAD~1', '--quick'])).toEqual({ quick: true, against: 'HEAD~1' });
});

test.each([[['--against']], [['--against', '--quick']], [['--against=']]])(
  'the bench asks for the revision that is missing in %j',
  (words) => {
    expect(() => argumentsOf(words)).toThrow('--against needs a revision');
  },
);

test('the bench refuses an option that it does not know, instead of running everything', () => {
  expect(() => argumentsOf(['--quik'])).toThrow("'--quik' is not an option");
});

test('a revision that does not exist is refused before anything is built', () => {
  expect(() => commitOf('no-such-branch')).toThrow("'no-such-branch' is not a commit");
});

test('a ratio is taken within each round, so that a slow round is slow for both', () => {
  expect(ratios([2, 20, 4], [1, 10, 2])).toEqual([2, 2, 2]);
  expect(spread([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual({ low: 2, median: 6, high: 10 });
});

test('a comparison gives both medians, the ratio with its spread, and what it left out', () => {
  const one = { low: 1, median: 2, high: 3 };
  const text = againstText({
    revision: 'main',
    commit: '0123456789abcdef',
    effort: { rounds: 7, handshakes: 50, messageRounds: 3, slice: 80 },
    rows: [
      {
        what: 'work',
        tree: one,
        base: { low: 3, median: 4, high: 5 },
        ratio: { low: 0.4, median: 0.5, high: 1.25 },
      },
    ],
    missing: ['guard-express'],
  });
  expect(text).toContain('| work | 2.0 µs | 4.0 µs | **0.50** (0.40 to 1.25) |');
  expect(text).toContain('main (0123456789ab)');
  expect(text).toContain('Left out, since main has no such server: guard-express.');
});
