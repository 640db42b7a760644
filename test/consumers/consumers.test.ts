import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Packed, packAll, pnpm, root, run } from '../../scripts/pack.js';

const fixtures = join(import.meta.dirname, 'fixtures');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-consumers-'));
let packed: Packed[];
let entries: string[];

beforeAll(() => {
  packed = packAll(join(folder, 'tarballs'));
  entries = packed.flatMap((one) => one.entries);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the fixtures import every entry of every package', () => {
  const source = readFileSync(join(fixtures, 'entries.ts'), 'utf8');
  expect(entries.filter((entry) => !source.includes(`from '${entry}'`))).toEqual([]);
});

test('the packed packages name no source file that is not packed', () => {
  for (const { name, tarball } of packed) {
    const manifest = JSON.parse(run('tar', ['-xOf', tarball, 'package/package.json'], folder));
    expect([name, JSON.stringify(manifest)]).not.toEqual([
      name,
      expect.stringMatching(/workspace:|catalog:/),
    ]);
    expect([name, Object.keys(manifest.exports['.'])]).toEqual([name, ['types', 'default']]);
  }
});

describe('an ES module project installed by npm', () => {
  const project = join(folder, 'esm');

  beforeAll(() => {
    write(project, 'module', npmOverrides());
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], project);
  }, 180_000);

  test('an ES module project imports every entry with the exports of the sources', async () => {
    writeFileSync(
      join(project, 'main.js'),
      `const names = {};
       for (const entry of process.argv.slice(2)) names[entry] = Object.keys(await import(entry)).sort();
       console.log(JSON.stringify(names));`,
    );
    expect(JSON.parse(run(process.execPath, ['main.js', ...entries], project))).toEqual(await sourceNames());
  }, 60_000);

  test.each(['nodenext', 'bundler'])(
    'an ES module project compiles with moduleResolution %s',
    (moduleResolution) => {
      compile(project, { moduleResolution, module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext' });
    },
  );
});

describe('a CommonJS project installed by pnpm, where a package reaches only its declared dependencies', () => {
  const project = join(folder, 'cjs');

  beforeAll(() => {
    write(project, 'commonjs', {});
    const overrides = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
    // JSON is valid YAML. pnpm 10 and later read overrides from this file.
    writeFileSync(join(project, 'pnpm-workspace.yaml'), JSON.stringify({ packages: ['.'], overrides }));
    pnpm(['install', '--prefer-offline', '--no-frozen-lockfile'], project);
  }, 180_000);

  test('a CommonJS project requires every entry with the exports of the sources', async () => {
    writeFileSync(
      join(project, 'main.js'),
      `const names = {};
       (async () => {
         for (const entry of process.argv.slice(2)) {
           const namespace = await import(entry);
           const expected = 'module.exports' in namespace ? namespace['module.exports'] : namespace;
           if (require(entry) !== expected) throw new Error(entry);
           names[entry] = Object.keys(namespace).sort();
         }
         console.log(JSON.stringify(names));
       })();`,
    );
    expect(JSON.parse(run(process.execPath, ['main.js', ...entries], project))).toEqual(await sourceNames());
  }, 60_000);

  test('a CommonJS project compiles', () => {
    compile(project, { module: 'nodenext', moduleResolution: 'nodenext' });
  });
});

/** Writes a project that depends on the packed packages, and on their peers in the versions of this workspace. */
function write(project: string, type: string, extra: object): void {
  mkdirSync(project);
  cpSync(fixtures, join(project, 'src'), { recursive: true });
  const own = packed.map(({ name, tarball }) => [name, `file:${tarball}`]);
  const hosts = ['ws', 'fastify', '@fastify/websocket', 'express', 'koa'];
  const clients = ['ioredis', 'redis'];
  const types = ['@types/ws', '@types/express', '@types/koa'];
  const others = [...hosts, ...clients, ...types].map((name) => [name, installed(join(root, 'test'), name)]);
  const markup = ['parse5', 'hast-util-from-parse5', 'hast-util-sanitize', 'hast-util-to-html'];
  const optional = markup.map((name) => [name, installed(join(root, 'packages/core'), name)]);
  const tools = ['typescript', '@types/node'].map((name) => [name, installed(root, name)]);
  const dependencies = Object.fromEntries([...own, ...others, ...optional, ...tools]);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, type, dependencies, ...extra }),
  );
}

function npmOverrides() {
  const own = Object.fromEntries(packed.map(({ name }) => [name, `$${name}`]));
  // npm hoists the version that Express needs, whose types differ from those that Koa's types expect.
  return { overrides: { ...own, 'content-disposition': installed(koa, 'content-disposition') } };
}

/** Where Koa's dependencies are, so that the project uses the versions of this workspace. */
const koa = join(realpathSync(join(root, 'test/node_modules/koa')), '../..');

function installed(from: string, name: string): string {
  return JSON.parse(readFileSync(join(from, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Compiles the fixtures with the project's own TypeScript, declaration files included. */
function compile(project: string, resolution: object): void {
  const compilerOptions = { target: 'es2022', strict: true, noEmit: true, types: ['node'], ...resolution };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], project);
}

async function sourceNames(): Promise<Record<string, string[]>> {
  const names: Record<string, string[]> = {};
  // One after another, since Jest's module loader fails on parallel imports of shared modules.
  for (const entry of entries) names[entry] = Object.keys(await import(entry)).sort();
  return names;
}
