// D7: an attacker with a million IPv4 and IPv6 addresses cannot grow a table of the guard beyond its bound, and cannot make the
// guard forget what any address, their own included, has used up.
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

// In a process of its own, so that Jest's memory is not measured. It takes about 8 s of CPU time.
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

test('handshakes and wrong tokens from a million addresses take less than 64 MiB and keep 10,000 bans', () => {
  // Measured: 37 MiB for the rates of handshakes and failed attempts, the offences and the bans. Unbounded tables take more
  // than 200 MiB here.
  expect(outcome.mebibytes).toBeLessThan(64);
  expect(outcome.bans).toBe(10_000);
  // Every table has been filled to its bound.
  expect(outcome.outcomes).toEqual({
    credential_invalid: expect.any(Number),
    auth_attempts: expect.any(Number),
    handshake_rate: expect.any(Number),
  });
  expect(Object.values(outcome.outcomes).reduce((sum, count) => sum + count)).toBe(1_000_000);
});

test('addresses that had used up their handshakes and attempts before the flood get none back early', () => {
  expect(outcome.first).toEqual(Array(4).fill({ handshakes: 60, guesses: 20 }));
  // Ten seconds have passed: two handshakes for each, and one attempt for every third.
  expect(outcome.again).toEqual(Array(4).fill({ handshakes: 20, guesses: 3 }));
});

test('the generated addresses are spelt as the guard spells them', () => {
  expect(outcome.spelt).toEqual([true, true, true, true]);
});
