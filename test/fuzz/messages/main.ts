/**
 * The fuzz of one dialect as a process of its own, for `messages.test.ts`: the names of globals are slow in Jest, and
 * its heap is full of Jest. Prints a report, or the message that something is wrong with.
 */
import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../random.ts';
import { must, show } from './checks.ts';
import { dialects } from './dialect.ts';
import { endToEnd } from './end-to-end.ts';
import { InProcess } from './in-process.ts';

const [name, runs, overWire, seed] = process.argv.slice(2);
const RUNS = Number(runs);
/** From here on everything that is there once is there. */
const WARM = Math.floor(RUNS / 4);

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const dialect = dialects.find((one) => one.name === name);
if (dialect === undefined) throw new RangeError(`There is no dialect ${name}.`);
const run = await InProcess.open(dialect, new Random(Number(seed)));
let before = 0;
for (let index = 0; index < RUNS; index++) {
  const late = run.send(index);
  if (late !== undefined) await late;
  if (index === WARM) before = heap();
  // Where it hangs, the last of these lines says after what.
  if (index % 20_000 === 0) writeSync(2, `${name}: message ${index}\n`);
}
await run.finish();
const growth = (heap() - before) / (RUNS - WARM);
await endToEnd(dialect, new Random(Number(seed) + 1), Number(overWire));
must(run.faults.length === 0, () => `there were faults: ${show(run.faults)}`);
must(unhandled.length === 0, () => `there were unhandled rejections: ${unhandled.map(String).join('\n')}`);
must(Object.keys(Object.prototype).length === 0 && !('isAdmin' in {}), () => 'a prototype is poisoned');
process.stdout.write(JSON.stringify({ counts: Object.fromEntries(run.tally.counts), growth }));
