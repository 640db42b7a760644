import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Sources by their path from the root of the project, `packages/core/src/guard/guard.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** The sources of all packages. */
export function readSources(root: string): Sources {
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

/** What each package may import from outside itself; `node:*` stands for all of Node. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [
    ...['jose', 'typebox', 'ipaddr.js', 'tldts', 'node:crypto', 'node:diagnostics_channel'],
    ...['parse5', 'hast', 'hast-util-from-parse5', 'hast-util-sanitize', 'hast-util-to-html'],
  ],
  ws: ['@sallyport/core', 'ws', 'node:*'],
  fastify: ['@sallyport/core', '@sallyport/ws', 'fastify-plugin', 'fastify', '@fastify/websocket', 'node:*'],
  express: ['@sallyport/core', '@sallyport/ws', 'express', 'node:*'],
  koa: ['@sallyport/core', '@sallyport/ws', 'koa', 'node:*'],
  redis: ['@sallyport/core/store', 'node:*'],
};
/** Packages that import only types of these, and run without them. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { redis: ['@sallyport/core/store'] };
/** The packages that may import an entry which is not for applications. */
const ENTRY_FOR: Readonly<Record<string, readonly string[]>> = {
  '@sallyport/core/host': ['ws', 'fastify', 'express', 'koa'],
  '@sallyport/core/store': ['redis'],
  '@sallyport/ws/host': ['fastify', 'express', 'koa'],
};

/** How many lines a file may have, since it is one concept; fewer in packages that only translate between a host and the core. */
const LINES = 300;
const ADAPTER_LINES = 250;
const ADAPTERS = ['ws', 'fastify', 'express', 'koa'];
/** What half of all files have fewer lines than. */
const MEDIAN_LINES = 90;

/**
 * The layers of the core, the lowest one first. A folder imports folders of lower layers, and never another folder of its
 * own layer. The entries are the only files outside the folders.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['vocabulary'],
  ['wire', 'sanitize', 'limits'],
  ['outbound', 'auth'],
  ['message', 'connection', 'handshake'],
  ['policy'],
  ['guard'],
  ['asyncapi'],
];
const ENTRIES = ['index', 'html', 'host', 'store'];

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Every rule of the architecture that these sources break, one sentence each. */
export function violations(sources: Sources): string[] {
  return [...sources]
    .flatMap(([path, source]) => [
      ...longFile(path, source),
      ...importsOf(source).flatMap(({ specifier, typeOnly }) => [
        ...foreignImport(path, specifier, typeOnly),
        ...(specifier.startsWith('.') ? localImport(path, specifier, sources) : []),
      ]),
    ])
    .concat(cycles(sources), sharedNames(sources), longMedian(sources));
}

/** The import, export-from and dynamic import statements of a module. */
export function importsOf(source: string): Import[] {
  const statements =
    /^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm;
  // Examples in doc comments import as well.
  const code = source.replace(/^\s*\/?\*.*$/gm, '');
  return [...code.matchAll(statements)].map(([, type, from, bare, dynamic]) => ({
    specifier: from ?? bare ?? dynamic ?? '',
    typeOnly: type !== undefined,
  }));
}

function longFile(path: string, source: string): string[] {
  const isAdapter = ADAPTERS.includes(packageOf(path));
  const limit = isAdapter ? ADAPTER_LINES : LINES;
  const lines = linesOf(source);
  if (lines <= limit) return [];
  return [`${path} has ${lines} lines; ${isAdapter ? "an adapter's" : 'a'} file has at most ${limit}`];
}

/** A file's name says what is in it without its folder. Each package has entries of the same names. */
function sharedNames(sources: Sources): string[] {
  const first = new Map<string, string>();
  return [...sources.keys()].flatMap((path) => {
    const name = posix.basename(path);
    const other = first.get(name);
    if (isEntry(path)) return [];
    if (other === undefined) first.set(name, path);
    return other === undefined
      ? []
      : [`${path} has the same name as ${other}; a name says what is in a file`];
  });
}

/** Of a few files the median says nothing. */
function longMedian(sources: Sources): string[] {
  const lengths = [...sources.values()].map(linesOf).sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  if (lengths.length < 10 || median < MEDIAN_LINES) return [];
  return [`half of all files have ${median} lines or more; the median stays below ${MEDIAN_LINES}`];
}

function linesOf(source: string): number {
  return source.trimEnd().split('\n').length;
}

function foreignImport(path: string, specifier: string, typeOnly: boolean): string[] {
  if (specifier.startsWith('.')) return [];
  const allowed = MAY_IMPORT[packageOf(path)];
  if (allowed === undefined) return [`${path}: say in architecture.ts what this package may import`];
  const name = specifier.startsWith('node:') ? specifier : specifier.match(/^(?:@[^/]+\/)?[^/]+/)?.[0];
  const listed = [name ?? '', specifier].some((one) => allowed.includes(one));
  const free = listed || (specifier.startsWith('node:') && allowed.includes('node:*'));
  const isForIt = ENTRY_FOR[specifier]?.includes(packageOf(path)) !== false;
  if (!free || !isForIt) return [`${path} imports ${specifier}, which its package may not`];
  const values = !typeOnly && TYPES_ONLY[packageOf(path)]?.includes(specifier) === true;
  return values ? [`${path} imports values of ${specifier}; its package may import types only`] : [];
}

function localImport(path: string, specifier: string, sources: Sources): string[] {
  const target = resolve(path, specifier);
  if (!target.startsWith(`packages/${packageOf(path)}/src/`))
    return [`${path} imports ${specifier}, outside its package`];
  if (!sources.has(target))
    return [`${path} imports ${specifier}, which is no source file; write its .ts extension`];
  if (target.endsWith('/src/index.ts')) return [`${path} imports ${specifier}: the entry is for others`];
  return packageOf(path) === 'core' ? upwardImport(path, target) : [];
}

function upwardImport(path: string, target: string): string[] {
  const from = layerOf(path);
  const to = layerOf(target);
  if (from < 0) return [`${path}: say in architecture.ts in which layer it is`];
  if (to < 0) return [`${target}: say in architecture.ts in which layer it is`];
  if (to > from) return [`${path} (layer ${from}) imports ${target} (layer ${to}), upwards`];
  if (to === from && folderOf(path) !== folderOf(target)) {
    return [`${path} imports ${target}, another folder of its layer`];
  }
  return [];
}

/** Modules that reach themselves again, by imports of values or of types. */
function cycles(sources: Sources): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`imports form a cycle: ${[...trail.slice(start), path].join(' → ')}`);
    if (start >= 0 || done.has(path)) return;
    for (const { specifier } of importsOf(sources.get(path) ?? '')) {
      if (specifier.startsWith('.')) visit(resolve(path, specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/** How many layers are below a file's own; -1 where no layer is known for it. */
export function layerOf(path: string): number {
  const folder = folderOf(path);
  if (folder === '') return ENTRIES.includes(posix.basename(path, '.ts')) ? LAYERS.length : -1;
  return LAYERS.findIndex((folders) => folders.includes(folder));
}

export function packageOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function isEntry(path: string): boolean {
  return folderOf(path) === '' && ENTRIES.includes(posix.basename(path, '.ts'));
}

/** What a file of the core is part of: its folder, or its entry, `index.ts`. */
export function nodeOf(path: string): string {
  return folderOf(path) || posix.basename(path);
}

/** The folder below `src`, or nothing for a file at its top. */
function folderOf(path: string): string {
  const [, , , ...rest] = path.split('/');
  return rest.length > 1 ? (rest[0] ?? '') : '';
}

/** The path that a relative import means. */
export function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}
