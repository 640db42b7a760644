// Bundles TypeBox into a few files instead of 700, for Jest alone. Jest reads every module of a library again for each test file,
// which took half of the time of a small one. It is the same code, and all entries share its classes.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const entry = fileURLToPath(import.meta.resolve('typebox'));
const { version } = JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8'));
const folder = join(root, '.cache/typebox', version);

/** For Jest's moduleNameMapper: the file for each import. */
export const typeboxFiles = {
  '^typebox$': join(folder, 'index.mjs'),
  '^typebox/(compile|format|system|value)$': join(folder, '$1.mjs'),
};

/** Jest calls this once, before all test files. */
export default async function bundle() {
  const at = (name) => fileURLToPath(import.meta.resolve(`typebox/${name}`));
  const entries = {
    index: entry,
    ...Object.fromEntries(['compile', 'format', 'system', 'value'].map((name) => [name, at(name)])),
  };
  if (Object.keys(entries).every((name) => existsSync(join(folder, `${name}.mjs`)))) return;
  await build({
    entryPoints: entries,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
}
