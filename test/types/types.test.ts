import { join } from 'node:path';
import { test } from '@jest/globals';
import { root, run } from '../../scripts/pack.js';
import { COMPILERS } from './compilers.ts';

// The other files of this folder are compiled and never run: each line under `@ts-expect-error` must not compile, and every
// other line must. They use the sources, not the build.
test.each(COMPILERS)(
  'lines under @ts-expect-error do not compile and all others do, with $name',
  ({ path }) => {
    run(process.execPath, [join(root, path), '-p', import.meta.dirname], root);
  },
  120_000,
);
