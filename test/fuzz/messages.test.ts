import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { packedMutations, textMutations } from './messages/byte-mutations.ts';
import { dialects } from './messages/dialect.ts';
import { SHARES } from './messages/generator.ts';
import { attacks } from './messages/hostile.ts';
import { mutations } from './messages/mutations.ts';
import { messages } from './messages/policy.ts';

/** Per dialect; without a network, and over a socket. */
const RUNS = Number(process.env.SALLYPORT_FUZZ_RUNS ?? 200_000);
const OVER_WIRE = Math.min(RUNS, 5_000);
const SEED = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_300_102);
/** Processes at once. */
const LANES = 2;
/** Bytes of heap a message, which is a hundredth of what keeping one would take. */
const GROWTH = 4;

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly growth: number;
}

const reports = new Map<string, Report>();

/** Every kind of thing has to have happened, often enough to mean something. */
function expectOften(counts: Report['counts'], names: readonly string[], share: number): void {
  const rare = names.filter((name) => (counts[name] ?? 0) < RUNS * share);
  expect(rare.map((name) => `${name}: ${counts[name] ?? 0}`)).toEqual([]);
}

async function fuzz(name: string): Promise<void> {
  const sources = pathToFileURL(join(import.meta.dirname, '../support/run-sources.js')).href;
  const main = join(import.meta.dirname, 'messages/main.ts');
  const options = ['--import', sources, '--conditions=@sallyport/source'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...options, main, name, String(RUNS), String(OVER_WIRE), String(SEED)],
    { timeout: 170_000, killSignal: 'SIGKILL' },
  );
  reports.set(name, JSON.parse(stdout) as Report);
}

beforeAll(async () => {
  const waiting = dialects.map(({ name }) => name);
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await fuzz(name);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}, 180_000);

describe.each(dialects)(`${RUNS} generated messages, $name`, ({ name, codec, envelope }) => {
  test('end as the reference says', () => {
    expect(reports.get(name)).toBeDefined();
  });

  test('take no memory that lasts', () => {
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
    expectOften(counts, ['message_malformed', 'message_invalid'], 0.1);
    expectOften(counts, ['message_type_unknown', 'message_forbidden'], 0.02);
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
