// A copy of the workspace, for those who change its sources and want to see what the tests say.
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The workspace with sources of its own, and everything installed linked: what one package imports is the copy's. */
export function copyTo(copy) {
  mkdirSync(copy);
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const file of ['package.json', 'jest.config.js']) cpSync(join(root, file), join(copy, file));
  mkdirSync(join(copy, 'examples'));
  const parts = ['scripts', 'test', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)];
  for (const part of parts) {
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      // Links inside the workspace are relative, and so lead to the copy.
      verbatimSymlinks: true,
      filter: (path) => !/\/(dist|README\.md|consumers|browser)$/.test(path),
    });
  }
  return copy;
}
