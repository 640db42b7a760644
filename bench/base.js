// A revision of the project, checked out, installed and built in a directory of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The commit that a revision names, as `git` spells it. Throws where there is none. */
export function commitOf(revision) {
  try {
    return git('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`).trim();
  } catch {
    throw new Error(`--against: '${revision}' is not a commit of this repository`);
  }
}

/**
 * Calls `use(directory)` with a worktree of the commit, built, and removes it afterwards, also where the run is interrupted.
 * Packages come from pnpm's store; only what is not there is fetched.
 */
export async function withBase(commit, use) {
  const parent = mkdtempSync(join(tmpdir(), 'sallyport-base-'));
  const directory = join(parent, 'base');
  const remove = () => {
    rmSync(parent, { recursive: true, force: true });
    git('worktree', 'prune');
  };
  const interrupted = () => {
    remove();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    git('worktree', 'add', '--detach', '--quiet', directory, commit);
    for (const step of [
      ['install', '--frozen-lockfile', '--prefer-offline'],
      ['run', 'build'],
    ])
      pnpm(step, directory);
    return await use(directory);
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    remove();
  }
}

function git(...words) {
  return execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function pnpm(words, cwd) {
  // Its output goes to stderr: what is printed is the comparison alone.
  execFileSync('npx', ['-y', 'pnpm@10', ...words], { cwd, stdio: ['ignore', 2, 2] });
}
