import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { packedMutations, textMutations } from './messages/byte-mutations.ts';
import { dialects } from './messages/dialect.ts';
import { SHARES } from './messages/generator.ts';
import { attacks } from './messages/hostile.ts';
import type { Report } from './messages/main.ts';
import { mutations } from './messages/mutations.ts';
import { messages } from './messages/policy.ts';

/** Messages for each dialect: without a network, and over a socket. */
const RUNS = Number(process.env.SALLYPORT_FUZZ_RUNS ?? 200_000);
const OVER_WIRE = Math.min(RUNS, 5_000);
const SEED = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_300_102);
/** In milliseconds. It takes under a minute on two idle cores. */
const PATIENCE = 400_000;
/**
 * Bytes of heap that the last three quarters of the messages may leave behind. Keeping 16 bytes of each would exceed it. The rest
 * is what V8 stores about its code.
 */
const GROWTH = 2 * 1_048_576;

/** The outcome of each dialect: a report, or the error with the message that caused it. */
const reports = new Map<string, Report | Error>();

/** Each of these must have happened in at least this share of the messages. */
function expectOften(
  counts: Readonly<Record<string, number>>,
  names: readonly string[],
  share: number,
): void {
  const rare = names.filter((name) => (counts[name] ?? 0) < RUNS * share);
  expect(rare.map((name) => `${name}: ${counts[name] ?? 0}`)).toEqual([]);
}

/** Fuzzes some dialects in a separate process. */
async function fuzz(names: readonly string[]): Promise<void> {
  const sources = pathToFileURL(join(import.meta.dirname, '../programs/sources.js')).href;
  const main = join(import.meta.dirname, 'messages/main.ts');
  // Malformed messages throw often, and nothing reads the stack traces.
  const options = ['--stack-trace-limit=0', '--import', sources, '--conditions=@sallyport/source'];
  const numbers = [RUNS, OVER_WIRE, SEED].map(String);
  const { stdout, failure } = await run(process.execPath, [...options, main, ...numbers, ...names]);
  for (const name of names) reports.set(name, failure ?? new Error('there is no report'));
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const report = JSON.parse(line) as Report;
    reports.set(report.name, report);
  }
}

function run(file: string, parameters: string[]): Promise<{ stdout: string; failure: Error | undefined }> {
  const options = { timeout: PATIENCE, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) =>
    execFile(file, parameters, options, (failure, stdout) =>
      resolve({ stdout, failure: failure ?? undefined }),
    ),
  );
}

function reportOf(name: string): Report {
  const report = reports.get(name);
  if (report === undefined || report instanceof Error) throw report ?? new Error('it has not begun');
  return report;
}

beforeAll(async () => {
  const names = dialects.map(({ name }) => name);
  await Promise.all([fuzz(names.slice(0, 2)), fuzz(names.slice(2))]);
}, PATIENCE + 10_000);

describe.each(dialects)('$name', ({ name, codec, envelope }) => {
  test(`${RUNS} generated messages end as the reference implementation says, and leave no memory behind`, () => {
    expect(reportOf(name).growth).toBeLessThan(GROWTH);
  });

  test('the generated messages are of every kind and have every possible outcome', () => {
    const { things, delivered, changed } = reportOf(name).tally;
    const { valid, mutated } = SHARES;
    expectOften(things, ['valid'], 0.9 * valid);
    expectOften(things, ['mutated'], 0.9 * mutated);
    expectOften(things, ['hostile'], 0.9 * (1 - valid - mutated));
    expectOften(things, Object.keys(mutations), 1 / 200);
    expectOften(things, Object.keys(codec === undefined ? textMutations : packedMutations), 1 / 250);
    expectOften(things, Object.keys(attacks), 1 / 200);
    expectOften(things, ['delivered'], 0.3);
    expectOften(things, ['message_malformed', 'message_invalid'], 0.08);
    expectOften(things, ['message_type_unknown', 'message_forbidden', 'sanitize'], 1 / 150);
    const { nobody: _never, ...deliverable } = messages;
    const types = Object.keys(deliverable).filter((type) => type !== 'wide' || envelope !== 'json-rpc');
    expectOften(delivered, types, 1 / 1_000);
    expectOften(changed, ['note', 'trim', 'loose', 'blend', 'zod', 'zodLoose'], 1 / 2_000);
  });
});
