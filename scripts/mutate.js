// Switches off one protection after another, in copies of the sources, and looks which tests turn red. One that turns
// none red is not tested, and fails the run; so does one whose place in the sources is not found exactly once.
// `node scripts/mutate.js [--each-stage] [part of a stage's name or of its description]`
// With `--each-stage`: one of every stage, the first, and without trying first whether the tests are green as
// they are. For a run that has just seen to that, and has no hour.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutations } from '../test/mutations/index.js';
import { copyTo } from './copy-workspace.js';

const root = join(import.meta.dirname, '..');
const EVERYTHING = ['test/contract/', 'test/attacks/'];
const COPIES = 2;
/** A mutated program may hang; the slowest honest run takes a fraction of this. */
const TIME_LIMIT = 180_000;
/** For half of all test files one after another, or all of those that cross packages. */
const ALL_AT_ONCE = 900_000;

const eachStage = process.argv.includes('--each-stage');
const wanted = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? '';
const matching = mutations.filter((mutation) => nameOf(mutation).includes(wanted));
const chosen = eachStage ? oneOfEachStage(matching) : matching;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-mutate-'));
const started = Date.now();
try {
  const problems = [...unmatched(matching), ...(wanted === '' ? uncovered() : [])];
  if (problems.length === 0) problems.push(...(await tryAll()));
  for (const problem of problems) console.error(`\n${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  const seconds = Math.round((Date.now() - started) / 1_000);
  console.log(
    `\n${chosen.length} protections switched off in turn, ${problems.length} problems, in ${seconds} s`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function nameOf({ stage, what }) {
  return what === undefined ? stage : `${stage}: ${what}`;
}

function oneOfEachStage(list) {
  return [...new Map(list.toReversed().map((mutation) => [mutation.stage, mutation])).values()].toReversed();
}

/** Mutations that no longer fit the sources: what they stood for may have lost its test. */
function unmatched(list) {
  return list.flatMap((mutation) => {
    const count = occurrences(readFileSync(join(root, mutation.file), 'utf8'), mutation.find);
    return count === 1
      ? []
      : [`${nameOf(mutation)}: found ${count} times in ${mutation.file}: ${mutation.find}`];
  });
}

/** Stages by the names that the sources give them: a new one needs its mutation. */
function uncovered() {
  const source = readFileSync(join(root, 'packages/core/src/vocabulary/decision.ts'), 'utf8');
  return ['HandshakeStage', 'MessageStage'].flatMap((type) => {
    const union = new RegExp(`export type ${type} =([^;]*);`).exec(source)?.[1] ?? '';
    const stages = [...union.matchAll(/'([^']+)'/g)].map(([, stage]) => stage);
    if (stages.length === 0) return [`decision.ts has no union ${type}`];
    return stages
      .filter((stage) => !mutations.some((mutation) => mutation.stage === stage))
      .map((stage) => `the stage '${stage}' has no mutation in test/mutations`);
  });
}

function occurrences(text, find) {
  return find instanceof RegExp
    ? [...text.matchAll(new RegExp(find, 'g'))].length
    : text.split(find).length - 1;
}

async function tryAll() {
  const copies = Array.from({ length: COPIES }, (_, i) => failFast(copyTo(join(folder, String(i)))));
  const tests = [...new Set(chosen.flatMap((mutation) => mutation.tests))];
  const problems = eachStage
    ? []
    : (await Promise.all(halves(tests).map((half, i) => untouched(copies[i], half)))).flat();
  if (problems.length > 0) return problems;
  const waiting = [...chosen];
  await Promise.all(
    copies.map(async (copy) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        problems.push(...(await attempt(copy, next)));
    }),
  );
  return problems;
}

function halves(list) {
  return Array.from({ length: COPIES }, (_, i) => list.filter((_entry, at) => at % COPIES === i));
}

/** A test that is red without any mutation would prove nothing. */
async function untouched(copy, tests) {
  if (tests.length === 0) return [];
  const { red, output } = await run(copy, tests, ALL_AT_ONCE);
  return red?.length === 0 ? [] : [`without any mutation the tests are red:\n${output}`];
}

async function attempt(copy, mutation) {
  const path = join(copy, mutation.file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    original.replace(mutation.find, () => mutation.replace),
  );
  try {
    let { red, output } = await run(copy, mutation.tests);
    if (red?.length === 0) ({ red, output } = await run(copy, EVERYTHING, ALL_AT_ONCE));
    if (red === undefined) return [`${nameOf(mutation)}: the tests did not load, or did not end\n${output}`];
    if (red.length === 0) return [`${nameOf(mutation)}: switched off, and no test turned red`];
    console.log(`\n${nameOf(mutation)}\n${red.map((test) => `  red: ${test}`).join('\n')}`);
    return [];
  } finally {
    writeFileSync(path, original);
  }
}

/** Runs test files, each until its first failure; the names of the tests that failed, if the run came to its end. */
async function run(copy, tests, limit = TIME_LIMIT) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const args = ['scripts/test.js', '--runInBand', '--json', `--outputFile=${report}`, ...tests];
  const child = spawn(process.execPath, args, {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output = `${output}${chunk}`.slice(-20_000);
  });
  // The whole group: test.js runs Jest as a child of its own.
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), limit);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return { red: existsSync(report) ? redTests(report) : undefined, output };
}

function redTests(report) {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  // A file that does not even load says nothing about the protection.
  if (testResults.some((file) => file.status === 'failed' && file.assertionResults.length === 0))
    return undefined;
  return testResults.flatMap(({ name, status, assertionResults }) => {
    const path = name.slice(name.indexOf('/test/') + 1);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // An error that belongs to no test, and would have ended the process.
    if (failed.length === 0 && status === 'failed') return [`${path}, by an uncaught error`];
    return failed.map(({ fullName }) => `${path} › ${fullName}`);
  });
}

/** Jest bails between files only; the first red test of a file is enough, and the others may wait for what never comes. */
function failFast(copy) {
  const resolved = ['jest', 'jest-cli', 'jest-config', 'jest-environment-node'].reduce(
    (from, name) => createRequire(from).resolve(name),
    join(root, 'package.json'),
  );
  writeFileSync(
    join(copy, 'fail-fast.cjs'),
    `const { TestEnvironment } = require(${JSON.stringify(resolved)});
     module.exports = class extends TestEnvironment {
       handleTestEvent({ name, test }) {
         if (name === 'test_done' && test.errors.length > 0) this.failed = true;
         if (name === 'test_start' && this.failed) test.mode = 'skip';
       }
     };`,
  );
  const config = join(copy, 'jest.config.js');
  const text = readFileSync(config, 'utf8').replace(
    "testEnvironment: 'node'",
    "testEnvironment: '<rootDir>/fail-fast.cjs'",
  );
  writeFileSync(config, text);
  return copy;
}
