import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { packedMutations, textMutations } from './messages/byte-mutations.ts';
import { dialects } from './messages/dialect.ts';
import { SHARES } from './messages/generator.ts';
import { attacks } from './messages/hostile.ts';
import type { Report } from './messages/main.ts';
import { mutations } from './messages/mutations.ts';
import { messages } from './messages/policy.ts';

/** Per dialect; without a network, and over a socket. */
const RUNS = Number(process.env.SALLYPORT_FUZZ_RUNS ?? 200_000);
const OVER_WIRE = Math.min(RUNS, 5_000);
const SEED = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_300_102);
/**
 * Bytes of heap that the last three quarters of the messages may leave behind, whatever became of them: keeping 16 bytes of
 * each would be more. What is measured is what the engine learns about its code, and ends.
 */
const GROWTH = 2 * 1_048_576;

const reports = new Map<string, Report>();

/** Every kind of thing has to have happened, often enough to mean something. */
function expectOften(counts: Report['counts'], names: readonly string[], share: number): void {
  const rare = names.filter((name) => (counts[name] ?? 0) < RUNS * share);
  expect(rare.map((name) => `${name}: ${counts[name] ?? 0}`)).toEqual([]);
}

/** Fuzzes some dialects in a process of their own. */
async function fuzz(names: readonly string[]): Promise<void> {
  const sources = pathToFileURL(join(import.meta.dirname, '../support/run-sources.js')).href;
  const main = join(import.meta.dirname, 'messages/main.ts');
  const options = ['--import', sources, '--conditions=@sallyport/source'];
  const numbers = [RUNS, OVER_WIRE, SEED].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [...options, main, ...numbers, ...names], {
    timeout: 600_000,
    killSignal: 'SIGKILL',
  });
  for (const line of stdout.trim().split('\n')) {
    const report = JSON.parse(line) as Report;
    reports.set(report.name, report);
  }
}

beforeAll(async () => {
  const names = dialects.map(({ name }) => name);
  await Promise.all([fuzz(names.slice(0, 2)), fuzz(names.slice(2))]);
}, 620_000);

describe.each(dialects)(`${RUNS} generated messages, $name`, ({ name, codec, envelope }) => {
  test('end as the reference says, and leave nothing behind', () => {
    expect(reports.get(name)?.growth).toBeLessThan(GROWTH);
  });

  test('are of every kind, and meet everything that can become of them', () => {
    const { counts } = reports.get(name) as Report;
    const { valid, mutated } = SHARES;
    expectOften(counts, ['valid'], 0.9 * valid);
    expectOften(counts, ['mutated'], 0.9 * mutated);
    expectOften(counts, ['hostile'], 0.9 * (1 - valid - mutated));
    const ofEnvelope = ['an odd version', 'an odd id', 'an odd body'];
    const changes = Object.keys(mutations).filter((mutation) => !ofEnvelope.includes(mutation));
    expectOften(counts, changes, 1 / 200);
    expectOften(counts, Object.keys(codec === undefined ? textMutations : packedMutations), 1 / 200);
    expectOften(counts, Object.keys(attacks), 1 / 200);
    expectOften(counts, ['delivered'], 0.3);
    expectOften(counts, ['message_malformed', 'message_invalid'], 0.08);
    expectOften(counts, ['message_type_unknown', 'message_forbidden'], 0.01);
    expectOften(counts, ['refused at sanitize'], 1 / 1_000);
    const changing = ['note', 'trim', 'loose', 'blend', 'zod', 'zodLoose'];
    expectOften(
      counts,
      changing.map((type) => `changed: ${type}`),
      1 / 2_000,
    );
    const { nobody: _never, ...deliverable } = messages;
    const types = Object.keys(deliverable).filter((type) => type !== 'wide' || envelope !== 'json-rpc');
    expectOften(
      counts,
      types.map((type) => `delivered: ${type}`),
      1 / 1_000,
    );
  });
});
