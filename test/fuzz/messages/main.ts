/**
 * Fuzzes some dialects in a process of its own, for `messages.test.ts`: in Jest each access to a global takes a hundred times as
 * long, and the heap is full of Jest's own data. Prints a report for each dialect, or the error with its message.
 */
import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../random.ts';
import { must, show } from './checks.ts';
import { type Dialect, dialects } from './dialect.ts';
import { endToEnd } from './end-to-end.ts';
import { InProcess } from './in-process.ts';
import type { Tally } from './tally.ts';

/** The outcome of one dialect. */
export interface Report {
  readonly name: string;
  readonly tally: Tally;
  /** Bytes of heap that the last three quarters of the messages left behind. */
  readonly growth: number;
}

const [runs = 0, overWire = 0, seed = 0] = process.argv.slice(2, 5).map(Number);
const names = process.argv.slice(5);

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function fuzz(dialect: Dialect): Promise<Report> {
  const run = await InProcess.open(dialect, new Random(seed));
  let before = 0;
  for (let index = 0; index < runs; index++) {
    const late = run.send(index);
    if (late !== undefined) await late;
    if (index === Math.floor(runs / 4)) before = heap();
    // If the process hangs, the last of these lines shows after which message.
    if (index % 10_000 === 0) writeSync(2, `${dialect.name}: message ${index}\n`);
  }
  await run.finish();
  const growth = heap() - before;
  await endToEnd(dialect, new Random(seed + 1), overWire);
  must(run.faults.length === 0, () => `there were faults: ${show(run.faults)}`);
  must(unhandled.length === 0, () => `nobody handled rejections: ${unhandled.map(String).join('\n')}`);
  must(Object.keys(Object.prototype).length === 0 && !('isAdmin' in {}), () => 'a prototype is poisoned');
  return { name: dialect.name, tally: run.tally, growth };
}

for (const name of names) {
  const dialect = dialects.find((one) => one.name === name);
  if (dialect === undefined) throw new RangeError(`There is no dialect ${name}.`);
  process.stdout.write(`${JSON.stringify(await fuzz(dialect))}\n`);
}
