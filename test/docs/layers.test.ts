import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readSources } from '../support/architecture.ts';
import { draw, folderGraph, packageGraph, pictures } from '../support/layers.ts';
import { root } from './markdown.ts';

test('the pictures in docs/pictures show what the sources import', () => {
  const outdated = [...pictures(readSources(root))]
    .filter(([path, svg]) => readFileSync(join(root, path), 'utf8') !== svg)
    .map(([path]) => `${path} is out of date: run npx -y pnpm@10 layers`);
  expect(outdated).toEqual([]);
});

const core = (path: string, source: string): [string, string] => [`packages/core/src/${path}.ts`, source];
const sources = new Map([
  core('index', `export { a } from './guard/a.ts';`),
  core('guard/a', `import { b } from '../auth/b.ts';\nimport { c } from '../limits/c.ts';\nimport './d.ts';`),
  core('guard/d', ''),
  core('auth/b', `import type { c } from '../limits/c.ts';`),
  core('limits/c', ''),
  ['packages/redis/src/index.ts', `import type { Store } from '@sallyport/core/store';`],
  [
    'packages/ws/src/index.ts',
    `import type { A } from '@sallyport/core';\nimport { b } from '@sallyport/core/host';`,
  ],
  ['packages/koa/src/index.ts', `import { a } from '@sallyport/core';\nimport { b } from '@sallyport/ws';`],
]);

test('folders stand in the rows of their layers, and an arrow that others imply is left out', () => {
  expect(folderGraph(sources)).toMatchObject({
    rows: [{ names: ['index.ts'] }, { names: ['guard'] }, { names: ['auth'] }, { names: ['limits'] }],
    arrows: [
      { from: 'auth', to: 'limits' },
      { from: 'guard', to: 'auth' },
      { from: 'index.ts', to: 'guard' },
    ],
  });
});

test('a package stands above those that it imports, and an arrow knows whether it stands for types only', () => {
  expect(packageGraph(sources)).toMatchObject({
    rows: [{ names: ['koa'] }, { names: ['redis', 'ws'] }, { names: ['core'] }],
    arrows: [
      { from: 'koa', to: 'ws', typeOnly: false },
      { from: 'redis', to: 'core', typeOnly: true },
      { from: 'ws', to: 'core', typeOnly: false },
    ],
  });
});

test('the same sources in another order give the same picture', () => {
  const reversed = new Map([...sources].reverse());
  expect(draw(folderGraph(reversed))).toBe(draw(folderGraph(sources)));
  expect(draw(packageGraph(reversed))).toBe(draw(packageGraph(sources)));
});

test('a new import between two folders changes the picture', () => {
  const more = new Map([
    ...sources,
    core('auth/e', `import '../vocabulary/f.ts';`),
    core('vocabulary/f', ''),
  ]);
  expect(draw(folderGraph(more))).not.toBe(draw(folderGraph(sources)));
});
