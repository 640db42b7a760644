import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { importsOf, violations } from './support/architecture.ts';

const root = join(import.meta.dirname, '..');

test('the sources keep to the architecture', () => {
  const sources = readSources();
  for (const name of ['core', 'ws', 'fastify', 'express', 'koa', 'redis']) {
    expect([...sources.keys()]).toContain(`packages/${name}/src/index.ts`);
  }
  expect(violations(sources)).toEqual([]);
});

describe('each rule fails where it is broken:', () => {
  const core = (path: string) => `packages/core/src/${path}.ts`;
  const broken: [rule: string, sources: Record<string, string>, message: string][] = [
    ['core knows no ws', { [core('guard/guard')]: `import { WebSocket } from 'ws';` }, 'imports ws'],
    [
      'core knows no node:http, nor its types',
      { [core('vocabulary/ports')]: `import type http from 'node:http';` },
      'node:http',
    ],
    [
      'core knows no host, even late',
      { [core('guard/guard')]: `const f = await import('fastify');` },
      'imports fastify',
    ],
    [
      'an adapter knows no other adapter',
      { 'packages/koa/src/index.ts': `export * from '@sallyport/express';` },
      'imports @sallyport/express, which its package may not',
    ],
    [
      'the Redis store runs without the core',
      { 'packages/redis/src/index.ts': `import { PolicyError } from '@sallyport/core';` },
      'may import types only',
    ],
    [
      'the Redis store depends on no client',
      { 'packages/redis/src/index.ts': `import type { Redis } from 'ioredis';` },
      'imports ioredis, which its package may not',
    ],
    [
      'a package imports no file of another',
      { 'packages/koa/src/index.ts': `import { a } from '../../core/src/guard/guard.ts';` },
      'outside its package',
    ],
    [
      'a room knows no other room',
      { [core('message/parse')]: `import {\n  a,\n} from '../handshake/a.ts';`, [core('handshake/a')]: '' },
      'another room',
    ],
    [
      'auth does not look up at a room',
      { [core('auth/jwt')]: `import { a } from '../handshake/a.ts';`, [core('handshake/a')]: '' },
      'upwards',
    ],
    [
      'the vocabulary does not look up at limits',
      {
        [core('vocabulary/ports')]: `import type { A } from '../limits/rate.ts';`,
        [core('limits/rate')]: '',
      },
      'upwards',
    ],
    [
      'a room does not look up at the guard',
      { [core('outbound/send')]: `import type { A } from '../guard/guard.ts';`, [core('guard/guard')]: '' },
      'upwards',
    ],
    [
      'the policy does not look up at the guard',
      { [core('policy/policy')]: `import '../guard/bans.ts';`, [core('guard/bans')]: '' },
      'upwards',
    ],
    [
      'a tool knows no other tool of its floor',
      { [core('wire/flat')]: `import '../limits/rate.ts';`, [core('limits/rate')]: '' },
      'another room',
    ],
    [
      'a new file has a floor',
      { [core('guard/guard')]: `import '../odd.ts';`, [core('odd')]: '' },
      'which floor',
    ],
    [
      'a new folder has a floor',
      { [core('guard/guard')]: `import '../odd/a.ts';`, [core('odd/a')]: '' },
      'which floor',
    ],
    [
      'nobody imports the entry',
      { [core('guard/guard')]: `import '../index.ts';`, [core('index')]: '' },
      'the entry',
    ],
    [
      'imports name the file',
      { [core('guard/guard')]: `import '../policy/policy.js';`, [core('policy/policy')]: '' },
      '.ts extension',
    ],
    [
      'no imports run in a circle',
      {
        [core('guard/guard')]: `import { a } from './route.ts';`,
        [core('guard/route')]: `export * from './guard.ts';`,
      },
      'guard/guard.ts → packages/core/src/guard/route.ts → packages/core/src/guard/guard.ts',
    ],
    ['an adapter stays small', { 'packages/ws/src/index.ts': 'x();\n'.repeat(251) }, 'has 251 lines'],
    ['a new package is looked at', { 'packages/new/src/index.ts': `import 'ws';` }, 'may import'],
  ];

  test.each(broken)('%s', (_rule, sources, message) => {
    expect(violations(new Map(Object.entries(sources)))).toEqual([expect.stringContaining(message)]);
  });
});

test('what is allowed is not reported', () => {
  const sources = {
    'packages/core/src/index.ts': `export { guard } from './guard/guard.ts';`,
    'packages/core/src/guard/guard.ts': `import type { A } from '../message/parse.ts';\nimport { b } from '../handshake/door.ts';`,
    'packages/core/src/handshake/door.ts': `import { c } from './host.ts';\nimport { jwtVerify } from 'jose';`,
    'packages/core/src/handshake/host.ts': `import type { d } from './door.ts';\nimport { e } from '../auth/jwt.ts';`,
    'packages/core/src/message/parse.ts': `import { Compile } from 'typebox/compile';\nimport '../vocabulary/ports.ts';`,
    'packages/core/src/auth/jwt.ts': `import { channel } from 'node:diagnostics_channel';`,
    'packages/redis/src/index.ts': `import type { Store } from '@sallyport/core';`,
    'packages/core/src/vocabulary/ports.ts': ' * import { x } from "ws" in a comment',
    'packages/ws/src/index.ts': `import http from 'node:http';\nimport { WebSocket } from 'ws';\n${'x();\n'.repeat(248)}`,
  };
  expect(violations(new Map(Object.entries(sources)))).toEqual([]);
});

test('every form of import is seen', () => {
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

function readSources(): Map<string, string> {
  const sources = new Map<string, string>();
  for (const name of readdirSync(join(root, 'packages'))) {
    for (const file of readdirSync(join(root, 'packages', name, 'src'), {
      recursive: true,
      encoding: 'utf8',
    })) {
      if (!file.endsWith('.ts')) continue;
      const path = ['packages', name, 'src', ...file.split(/[\\/]/)].join('/');
      sources.set(path, readFileSync(join(root, path), 'utf8'));
    }
  }
  return sources;
}
