import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { importsOf, readSources, violations } from './support/architecture.ts';

const root = join(import.meta.dirname, '..');

test('the sources of all packages break no rule of the architecture', () => {
  const sources = readSources(root);
  for (const name of ['core', 'ws', 'fastify', 'express', 'koa', 'redis']) {
    expect([...sources.keys()]).toContain(`packages/${name}/src/index.ts`);
  }
  expect(violations(sources)).toEqual([]);
});

describe('a source that breaks this rule is reported:', () => {
  const core = (path: string) => `packages/core/src/${path}.ts`;
  const broken: [rule: string, sources: Record<string, string>, message: string][] = [
    ['core imports no ws', { [core('guard/guard')]: `import { WebSocket } from 'ws';` }, 'imports ws'],
    [
      'core imports no node:http, types included',
      { [core('vocabulary/ports')]: `import type http from 'node:http';` },
      'node:http',
    ],
    [
      'core imports no host, not even by a dynamic import',
      { [core('guard/guard')]: `const f = await import('fastify');` },
      'imports fastify',
    ],
    [
      'no adapter imports another adapter',
      { 'packages/koa/src/index.ts': `export * from '@sallyport/express';` },
      'imports @sallyport/express, which its package may not',
    ],
    [
      'the Redis store imports only types of the core',
      { 'packages/redis/src/index.ts': `import { PolicyError } from '@sallyport/core/store';` },
      'may import types only',
    ],
    [
      'the Redis store imports the core by its entry for stores',
      { 'packages/redis/src/index.ts': `import type { Duration } from '@sallyport/core';` },
      'imports @sallyport/core, which its package may not',
    ],
    [
      'an adapter does not import the entry for stores',
      { 'packages/koa/src/index.ts': `import type { Store } from '@sallyport/core/store';` },
      'imports @sallyport/core/store, which its package may not',
    ],
    [
      'the Redis store imports no client, types included',
      { 'packages/redis/src/index.ts': `import type { Redis } from 'ioredis';` },
      'imports ioredis, which its package may not',
    ],
    [
      'no package imports a file of another package by its path',
      { 'packages/koa/src/index.ts': `import { a } from '../../core/src/guard/guard.ts';` },
      'outside its package',
    ],
    [
      'no folder of the core imports another one of its layer',
      { [core('message/parse')]: `import {\n  a,\n} from '../handshake/a.ts';`, [core('handshake/a')]: '' },
      'another folder',
    ],
    [
      'auth/ imports nothing of handshake/, which is a layer above',
      { [core('auth/jwt')]: `import { a } from '../handshake/a.ts';`, [core('handshake/a')]: '' },
      'upwards',
    ],
    [
      'vocabulary/ imports nothing of limits/',
      {
        [core('vocabulary/ports')]: `import type { A } from '../limits/cell-rate.ts';`,
        [core('limits/cell-rate')]: '',
      },
      'upwards',
    ],
    [
      'outbound/ imports nothing of guard/, types included',
      { [core('outbound/send')]: `import type { A } from '../guard/guard.ts';`, [core('guard/guard')]: '' },
      'upwards',
    ],
    [
      'policy/ imports nothing of guard/',
      { [core('policy/policy')]: `import '../guard/bans.ts';`, [core('guard/bans')]: '' },
      'upwards',
    ],
    [
      'wire/ imports nothing of limits/, which is in the same layer',
      { [core('wire/flat')]: `import '../limits/cell-rate.ts';`, [core('limits/cell-rate')]: '' },
      'another folder',
    ],
    [
      'a file beside the folders is one of the known entries',
      { [core('guard/guard')]: `import '../odd.ts';`, [core('odd')]: '' },
      'which layer',
    ],
    [
      'a new folder is given a layer',
      { [core('guard/guard')]: `import '../odd/a.ts';`, [core('odd/a')]: '' },
      'which layer',
    ],
    [
      'no source imports the entry of its own package',
      { [core('guard/guard')]: `import '../index.ts';`, [core('index')]: '' },
      'the entry',
    ],
    [
      'imports name the .ts file, not the .js file',
      { [core('guard/guard')]: `import '../policy/policy.js';`, [core('policy/policy')]: '' },
      '.ts extension',
    ],
    [
      'imports form no cycle',
      {
        [core('guard/guard')]: `import { a } from './route.ts';`,
        [core('guard/route')]: `export * from './guard.ts';`,
      },
      'guard/guard.ts → packages/core/src/guard/route.ts → packages/core/src/guard/guard.ts',
    ],
    [
      'imports of types form no cycle either',
      {
        [core('guard/guard')]: `import type { A } from './route.ts';`,
        [core('guard/route')]: `import type { B } from './guard.ts';`,
      },
      'guard/guard.ts → packages/core/src/guard/route.ts → packages/core/src/guard/guard.ts',
    ],
    [
      'no two files have one name',
      { [core('guard/route')]: '', [core('policy/route')]: '' },
      'policy/route.ts has the same name as packages/core/src/guard/route.ts',
    ],
    [
      'an adapter has no file of more than 250 lines',
      { 'packages/ws/src/index.ts': 'x();\n'.repeat(251) },
      'has 251 lines',
    ],
    [
      'no other file has more than 300 lines',
      { [core('guard/guard')]: 'x();\n'.repeat(301) },
      'has 301 lines; a file has at most 300',
    ],
    [
      'half of all files have fewer than 90 lines',
      Object.fromEntries(
        Array.from({ length: 11 }, (_, i) => [core(`guard/file-${i}`), 'x();\n'.repeat(i < 5 ? 1 : 90)]),
      ),
      'half of all files have 90 lines or more',
    ],
    [
      'a new package is listed with what it may import',
      { 'packages/new/src/index.ts': `import 'ws';` },
      'may import',
    ],
  ];

  test.each(broken)('%s', (_rule, sources, message) => {
    expect(violations(new Map(Object.entries(sources)))).toEqual([expect.stringContaining(message)]);
  });
});

test('sources that import only what they may are not reported', () => {
  const sources = {
    'packages/core/src/index.ts': `export { guard } from './guard/guard.ts';`,
    'packages/core/src/guard/guard.ts': `import type { A } from '../message/parse.ts';\nimport { b } from '../handshake/door.ts';`,
    'packages/core/src/handshake/door.ts': `import { c } from './host.ts';\nimport { jwtVerify } from 'jose';`,
    'packages/core/src/handshake/host.ts': `import type { d } from '../auth/jwt.ts';\nimport { e } from '../auth/jwt.ts';`,
    'packages/core/src/message/parse.ts': `import { Compile } from 'typebox/compile';\nimport '../vocabulary/ports.ts';`,
    'packages/core/src/auth/jwt.ts': `import { channel } from 'node:diagnostics_channel';`,
    'packages/redis/src/index.ts': `import type { Store } from '@sallyport/core/store';`,
    'packages/core/src/vocabulary/ports.ts': `export interface A {\n  /**\n   * import { x } from 'ws';\n   */\n}`,
    'packages/ws/src/index.ts': `import http from 'node:http';\nimport { WebSocket } from 'ws';\n${'x();\n'.repeat(248)}`,
  };
  expect(violations(new Map(Object.entries(sources)))).toEqual([]);
});

test('importsOf() finds every form of import', () => {
  const source = `import a from 'a';
import {
  b,
  type B,
} from 'b';
import type { C } from 'c';
import 'd';
export * from 'e';
export type { F } from 'f';
const g = await import('g');
type H = import('h').H;
export const i = 'from';
`;
  expect(importsOf(source)).toEqual([
    { specifier: 'a', typeOnly: false },
    { specifier: 'b', typeOnly: false },
    { specifier: 'c', typeOnly: true },
    { specifier: 'd', typeOnly: false },
    { specifier: 'e', typeOnly: false },
    { specifier: 'f', typeOnly: true },
    { specifier: 'g', typeOnly: false },
    { specifier: 'h', typeOnly: false },
  ]);
});
