// Draws the packages and the layers of the core from their imports, into docs/pictures/. A test says when the drawings are out of date.
import '../test/programs/sources.js';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { readSources } = await import('../test/support/architecture.ts');
const { pictures } = await import('../test/support/layers.ts');

const root = join(import.meta.dirname, '..');
for (const [path, svg] of pictures(readSources(root))) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), svg);
  console.log(path);
}
