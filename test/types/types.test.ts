import { join } from 'node:path';
import { test } from '@jest/globals';
import { root, run } from '../../scripts/pack.js';
import { COMPILERS } from './compilers.ts';

// The other files of this folder are never run: each line under `@ts-expect-error` must not compile, every other
// line must. They see the sources, not what was built.
test.each(COMPILERS)(
  'what should compile does, and what should not does not, with $name',
  ({ path }) => {
    run(process.execPath, [join(root, path), '-p', import.meta.dirname], root);
  },
  120_000,
);
