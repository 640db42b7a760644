// Builds what has changed, quietly, and starts the demo in this process: Node 20 does not run TypeScript.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const build = spawnSync(process.execPath, [tsc, '-b', import.meta.dirname], { encoding: 'utf8' });
if (build.status === 0) {
  const { main } = await import('./dist/demo.js');
  await main(process.argv.slice(2));
  if (process.env.npm_lifecycle_event === 'demo') endWithShell();
} else {
  console.error(build.stdout, build.stderr);
  process.exitCode = 1;
}

/** A SIGTERM to pnpm ends only the shell in between, so that this process notices by the loss of its parent. */
function endWithShell() {
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}
