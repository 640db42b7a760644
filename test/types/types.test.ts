import { join } from 'node:path';
import { test } from '@jest/globals';
import { root, run } from '../../scripts/pack.js';

// The other files of this folder are never run: each line under `@ts-expect-error` must not compile, every other
// line must. They see the sources, not what was built.
test('what should compile does, and what should not does not', () => {
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', import.meta.dirname], root);
}, 60_000);
