import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

test('each package declares what it imports, and the types of it', () => {
  for (const { name, tarball } of packed) {
    const unpacked = join(folder, 'unpacked', name);
    mkdirSync(unpacked, { recursive: true });
    run('tar', ['-xf', tarball, '-C', unpacked, '--strip-components=1'], folder);
    expect([name, undeclared(unpacked, join(root, 'packages', name.slice('@sallyport/'.length)))]).toEqual([
      name,
      [],
    ]);
  }
});

describe('an ES module project installed by npm', () => {
  const project = join(folder, 'esm');

  beforeAll(() => {
    write(project, 'module', npmOverrides());
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], project);
  }, 180_000);

  test('an ES module project imports every entry with the exports of the sources', async () => {
    writeFileSync(join(project, 'main.js'), IMPORT_ALL);
    expect(JSON.parse(run(process.execPath, ['main.js', ...entries], project))).toEqual(await sourceNames());
  }, 60_000);

  test.each(['nodenext', 'bundler'])(
    'an ES module project compiles with moduleResolution %s',
    (moduleResolution) => {
      compile(project, { moduleResolution, module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext' });
    },
  );
});

describe('a CommonJS project installed by a strict pnpm: nothing is hoisted, no peer is added', () => {
  const project = join(folder, 'cjs');

  beforeAll(() => {
    write(project, 'commonjs', {});
    const overrides = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
    const strict = { hoist: false, autoInstallPeers: false, strictPeerDependencies: true };
    // JSON is valid YAML. pnpm 10 and later read overrides from this file.
    writeFileSync(
      join(project, 'pnpm-workspace.yaml'),
      JSON.stringify({ packages: ['.'], overrides, ...strict }),
    );
    pnpm(['install', '--prefer-offline', '--no-frozen-lockfile'], project);
  }, 180_000);

  test('it requires every entry with the exports of the sources', async () => {
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

  test('it compiles', () => {
    compile(project, { module: 'nodenext', moduleResolution: 'nodenext' });
  });

  test('it serves a chat on every host', () => {
    expect(JSON.parse(run(process.execPath, ['src/chat.mjs'], project))).toEqual(CHATS);
  });
});

describe('a project installed by npm, each package with dependencies of its own', () => {
  const project = join(folder, 'nested');

  beforeAll(() => {
    write(project, 'module', npmOverrides());
    const options = ['--install-strategy=nested', '--prefer-offline', '--no-audit', '--no-fund'];
    run('npm', ['install', ...options], project);
  }, 180_000);

  test('it compiles', () => {
    compile(project, { module: 'nodenext', moduleResolution: 'nodenext' });
  });

  test('it serves a chat on every host', () => {
    expect(JSON.parse(run(process.execPath, ['src/chat.mjs'], project))).toEqual(CHATS);
  });
});

// TypeScript 7 does not read Plug'n'Play maps, so that nothing is compiled here.
describe("a project installed by Yarn with Plug'n'Play, where a package reaches only what it declares", () => {
  const project = join(folder, 'pnp');

  beforeAll(() => {
    const resolutions = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
    write(project, 'module', { resolutions });
    // Without it, Yarn takes the project for a part of one further up.
    writeFileSync(join(project, 'yarn.lock'), '');
    writeFileSync(
      join(project, '.yarnrc.yml'),
      JSON.stringify({
        nodeLinker: 'pnp',
        pnpFallbackMode: 'none',
        enableScripts: false,
        enableTelemetry: false,
        enableImmutableInstalls: false,
      }),
    );
    yarn(project, 'install');
  }, 180_000);

  test('it imports every entry with the exports of the sources', async () => {
    writeFileSync(join(project, 'main.js'), IMPORT_ALL);
    expect(JSON.parse(yarn(project, 'node', 'main.js', ...entries))).toEqual(await sourceNames());
  }, 60_000);

  test('it serves a chat on every host', () => {
    expect(JSON.parse(yarn(project, 'node', 'src/chat.mjs'))).toEqual(CHATS);
  }, 60_000);

  test('all packages share one @sallyport/ws, so that each knows the sockets of the others', () => {
    writeFileSync(
      join(project, 'one.js'),
      `const names = ['ws', 'express', 'koa', 'fastify'];
       const found = await Promise.all(names.map((name) => import('@sallyport/' + name)));
       console.log(new Set(found.map(({ connectionOf }) => connectionOf)).size);`,
    );
    expect(yarn(project, 'node', 'one.js').trim()).toBe('1');
  }, 60_000);
});

const said = ['{"html":"<b>hi</b>","type":"said"}', 403];
/** What `fixtures/chat.mjs` prints. */
const CHATS = { ws: said, express: said, koa: said, fastify: said };

const IMPORT_ALL = `const names = {};
  for (const entry of process.argv.slice(2)) names[entry] = Object.keys(await import(entry)).sort();
  console.log(JSON.stringify(names));`;

function yarn(project: string, ...args: string[]): string {
  return run('npx', ['-y', '@yarnpkg/cli-dist@4', ...args], project);
}

interface Manifest {
  readonly exports: Record<string, { readonly types: string; readonly default: string }>;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

/** The packages that the entries of a package import, themselves or by their files, and that its manifest does not name. */
function undeclared(unpacked: string, workspace: string): string[] {
  const { exports, dependencies, peerDependencies } = readJson(join(unpacked, 'package.json')) as Manifest;
  const declared = Object.keys({ ...dependencies, ...peerDependencies });
  const entries = Object.values(exports);
  const code = importsOf(entries.map((entry) => join(unpacked, entry.default)));
  const types = importsOf(entries.map((entry) => join(unpacked, entry.types)));
  const typings = types.map((used) => {
    const manifest = JSON.stringify(readJson(join(workspace, 'node_modules', used, 'package.json')));
    return /"(types|typings)":/.test(manifest) ? used : `@types/${used}`;
  });
  return [...new Set([...code, ...types, ...typings])].filter((used) => !declared.includes(used));
}

const IMPORTS = /(?:\sfrom\s|^import\s|^declare module\s|\bimport\()["']([^"']+)["']/gm;

/** The names of the packages that files import, directly or by files of their own package. */
function importsOf(files: readonly string[]): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const read = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    // Without the examples in comments.
    const source = readFileSync(file, 'utf8').replace(/^\s*\*.*$/gm, '');
    for (const [, quoted = ''] of source.matchAll(IMPORTS)) {
      const isDeclaration = file.endsWith('.d.ts');
      if (quoted.startsWith('.'))
        read(join(dirname(file), isDeclaration ? quoted.replace(/\.[jt]s$/, '.d.ts') : quoted));
      else if (!quoted.startsWith('node:')) found.add(/^(@[^/]+\/)?[^/]+/.exec(quoted)?.[0] as string);
    }
  };
  for (const file of files) read(file);
  return [...found];
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

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
