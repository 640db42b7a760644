import { posix } from 'node:path';

/** Sources by their path from the root of the project, `packages/core/src/guard.ts`. */
export type Sources = ReadonlyMap<string, string>;

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
  redis: ['@sallyport/core', 'node:*'],
};
/** Of these they may import types only: they run without it. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { redis: ['@sallyport/core'] };

/** Packages that only translate between a host and the core, and how long a file of theirs may be. */
const ADAPTERS = ['ws', 'fastify', 'express', 'koa'];
const ADAPTER_LINES = 250;

/**
 * The floors of the core, from the ground up. A room imports rooms of the floors below its own, and never another room of
 * its own floor. The entries are the only files beside the rooms.
 */
const FLOORS: readonly (readonly string[])[] = [
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
      ...longAdapter(path, source),
      ...importsOf(source).flatMap(({ specifier, typeOnly }) => [
        ...foreignImport(path, specifier, typeOnly),
        ...(specifier.startsWith('.') ? localImport(path, specifier, sources) : []),
      ]),
    ])
    .concat(circles(sources));
}

/** The import, export-from and dynamic import statements of a module. */
export function importsOf(source: string): Import[] {
  const statements =
    /^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm;
  return [...source.matchAll(statements)].map(([, type, from, bare, dynamic]) => ({
    specifier: from ?? bare ?? dynamic ?? '',
    typeOnly: type !== undefined,
  }));
}

function longAdapter(path: string, source: string): string[] {
  const lines = source.trimEnd().split('\n').length;
  if (!ADAPTERS.includes(packageOf(path)) || lines <= ADAPTER_LINES) return [];
  return [`${path} has ${lines} lines; an adapter's file has at most ${ADAPTER_LINES}`];
}

function foreignImport(path: string, specifier: string, typeOnly: boolean): string[] {
  if (specifier.startsWith('.')) return [];
  const allowed = MAY_IMPORT[packageOf(path)];
  if (allowed === undefined) return [`${path}: say in architecture.ts what this package may import`];
  const name = specifier.startsWith('node:') ? specifier : specifier.match(/^(?:@[^/]+\/)?[^/]+/)?.[0];
  const free = allowed.includes(name ?? '') || (specifier.startsWith('node:') && allowed.includes('node:*'));
  if (!free) return [`${path} imports ${specifier}, which its package may not`];
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
  const from = floorOf(path);
  const to = floorOf(target);
  if (from < 0) return [`${path}: say in architecture.ts on which floor it is`];
  if (to < 0) return [`${target}: say in architecture.ts on which floor it is`];
  if (to > from) return [`${path} (floor ${from}) imports ${target} (floor ${to}), upwards`];
  if (to === from && folderOf(path) !== folderOf(target)) {
    return [`${path} imports ${target}, another room of its floor`];
  }
  return [];
}

/** Modules that reach themselves again, by imports that are there at run time. */
function circles(sources: Sources): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`imports run in a circle: ${[...trail.slice(start), path].join(' → ')}`);
    if (start >= 0 || done.has(path)) return;
    for (const { specifier, typeOnly } of importsOf(sources.get(path) ?? '')) {
      if (!typeOnly && specifier.startsWith('.')) visit(resolve(path, specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/** How many floors are below a file's room; -1 where nothing says on which floor it is. */
function floorOf(path: string): number {
  const folder = folderOf(path);
  if (folder === '') return ENTRIES.includes(posix.basename(path, '.ts')) ? FLOORS.length : -1;
  return FLOORS.findIndex((rooms) => rooms.includes(folder));
}

function packageOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** The folder below `src`, or nothing for a file at its top. */
function folderOf(path: string): string {
  const [, , , ...rest] = path.split('/');
  return rest.length > 1 ? (rest[0] ?? '') : '';
}

function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}
