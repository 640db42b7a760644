import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export const root = dirname(import.meta.dirname);

/** @typedef {{ name: string, tarball: string, entries: string[] }} Packed the entries as an import names them */

/**
 * Builds every package and packs it as `pnpm publish` would, into `destination`.
 * @param {string} destination
 * @returns {Packed[]}
 */
export function packAll(destination) {
  mkdirSync(destination, { recursive: true });
  buildPackages();
  return packageFolders().map((folder) => {
    const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const tarball = join(destination, `${basename(folder)}.tgz`);
    pnpm(['pack', '--out', tarball], folder);
    return { name, tarball, entries: Object.keys(exports).map((key) => name + key.slice(1)) };
  });
}

/**
 * Runs the pnpm that started this process, or else the one that the README names.
 * @param {string[]} args
 * @param {string} cwd
 */
export function pnpm(args, cwd) {
  const current = process.env.npm_execpath ?? '';
  if (/pnpm\.[cm]?js$/.test(current)) return run(process.execPath, [current, ...args], cwd);
  return run('npx', ['-y', 'pnpm@10', ...args], cwd);
}

/**
 * Runs a program to its end, and returns what it wrote to stdout.
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 */
export function run(program, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} failed in ${cwd}: ${error ?? ''}\n${stdout}\n${stderr}`);
}

export function buildPackages() {
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', ...packageFolders()], root);
}

export function packageFolders() {
  const packages = join(root, 'packages');
  return readdirSync(packages).map((name) => join(packages, name));
}
