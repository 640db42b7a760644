// Builds what has changed, and starts the demo in this process. Node 20 does not run TypeScript itself.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const runners = process.env.npm_lifecycle_event === 'demo' ? lineage() : [];
const build = spawnSync(process.execPath, [tsc, '-b', import.meta.dirname], { encoding: 'utf8' });
if (build.status === 0) {
  const { main } = await import('./dist/demo.js');
  await main(process.argv.slice(2));
  endWith(runners);
} else {
  console.error(build.stdout, build.stderr);
  process.exitCode = 1;
}

/** Ends this process with its runner: a SIGTERM to npx or pnpm ends only a shell, which is noticed by a changed parent. */
function endWith(links) {
  const watch = setInterval(() => {
    if (links.every(([pid, parent]) => parentOf(pid) === parent)) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

/** This process and its ancestors up to pnpm or npx, each with its parent. Without /proc, only this process. */
function lineage() {
  const links = [[process.pid, process.ppid]];
  for (let pid = process.ppid; isRunner(pid); pid = parentOf(pid)) links.push([pid, parentOf(pid)]);
  return links;
}

/** Whether pnpm or npx has started a process. */
function isRunner(pid) {
  return /(^|\0)npm_lifecycle_event=(demo|npx)\0/.test(readProcess(pid, 'environ'));
}

function parentOf(pid) {
  if (pid === process.pid) return process.ppid;
  // The second field is a name in parentheses, which may contain parentheses and spaces.
  return Number(/^.*\) \S (\d+)/s.exec(readProcess(pid, 'stat'))?.[1]);
}

function readProcess(pid, what) {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8');
  } catch {
    return '';
  }
}
