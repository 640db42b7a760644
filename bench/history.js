// What the last full runs have measured. A machine like this has good and bad minutes, and one run says little.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const file = new URL('history.json', import.meta.url);
/** Runs in a row that a target is judged by. */
const RUNS = 3;

/** The medians of each target in the last runs, this one last. */
export function withEarlier(targets) {
  const earlier = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return targets.map((target) => ({
    ...target,
    runs: [...(earlier[target.what] ?? []), rounded(target.got.median)].slice(-RUNS),
  }));
}

export function remember(targets) {
  const entries = targets.map(({ what, runs }) => [what, runs]);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
}

function rounded(value) {
  return Math.round(value * 1_000) / 1_000;
}
