// Runs Jest on the Node that runs this file: `node scripts/test.js [jest options] [patterns]`. With `--inspect-brk` (or
// `--inspect`, each with or without `=port`) a debugger can attach to the one process that runs Jest and its tests.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const jest = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url));
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const given = process.argv.slice(2);
const inspect = given.filter(isInspect);
const others = given.filter((argument) => !isInspect(argument));
// A test at a breakpoint takes as long as a person does.
const debugging = inspect.length > 0 ? ['--runInBand', '--testTimeout=2147483647'] : [];
const args = [...flags, ...inspect, jest, ...debugging, ...others];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exitCode = status ?? 1;

function isInspect(argument) {
  return /^--inspect(-brk)?(=|$)/.test(argument);
}
