// D7: whoever has many addresses, of IPv4 or IPv6, fills no table of the guard beyond its bound, and washes away nobody's
// history, their own included.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';

interface Used {
  readonly handshakes: number;
  readonly guesses: number;
}

interface Outcome {
  readonly mebibytes: number;
  readonly first: readonly Used[];
  readonly again: readonly Used[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly bans: number;
  readonly spelt: readonly boolean[];
}

const root = join(import.meta.dirname, '..', '..');
let outcome: Outcome;

// In a process of its own: what Jest keeps would be measured along. It takes some 8 s of a processor.
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--expose-gc',
      '--import',
      './test/programs/sources.js',
      '--conditions',
      '@sallyport/source',
      './test/programs/million-addresses.ts',
    ],
    { cwd: root, timeout: 110_000 },
  );
  outcome = JSON.parse(stdout) as Outcome;
}, 120_000);

test('a million addresses cost a bounded amount of memory', () => {
  // Measured: 37 MiB, with the buckets of handshakes and of failed attempts, the offences, and all the bans that are kept.
  // Tables without a bound hold more than 200 MiB here.
  expect(outcome.mebibytes).toBeLessThan(64);
  expect(outcome.bans).toBe(10_000);
  // Every kind of table has been filled to its bound.
  expect(outcome.outcomes).toEqual({
    credential_invalid: expect.any(Number),
    auth_attempts: expect.any(Number),
    handshake_rate: expect.any(Number),
  });
  expect(Object.values(outcome.outcomes).reduce((sum, count) => sum + count)).toBe(1_000_000);
});

test('nobody who had used up their handshakes or guesses before gets one of them back early', () => {
  expect(outcome.first).toEqual(Array(4).fill({ handshakes: 60, guesses: 20 }));
  // 2 handshakes for each of the 10 seconds that it has taken, and a guess for every third of them.
  expect(outcome.again).toEqual(Array(4).fill({ handshakes: 20, guesses: 3 }));
});

test('the addresses were those that the guard itself would have read', () => {
  expect(outcome.spelt).toEqual([true, true, true, true]);
});
