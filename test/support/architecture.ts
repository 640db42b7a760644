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

/** The words that everything in the core may use: files at the top of its sources. */
const VOCABULARY = [
  'clock',
  'decision',
  'errors',
  'option-checks',
  'events',
  'owasp',
  'tally',
  'ports',
  'random-id',
  'reasons',
  'roster',
  'store',
  'schema-types',
  'refusal',
  'units',
  'url',
  'warnings',
];
/** The files at the top of the core's sources that hand one room's result to the next. */
const GUARD = [
  'index',
  'html',
  'guard',
  'family',
  'bans',
  'route',
  'late-authentication',
  'passed-handshake',
  'services',
  'admission',
  'policy',
  'policy-check',
  'credential-check',
  'explain',
];
/** The folders of the core. A room knows no other room. */
const TOOLS = ['auth', 'limits', 'sanitize', 'wire'];
const ROOMS = ['handshake', 'connection', 'message', 'outbound'];
/** What is made of a guard, by those who look at all of it. */
const VIEWS = ['asyncapi'];
const LAYERS = ['vocabulary', 'tools', 'room', 'guard'];

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
  const from = layerOf(path);
  const to = layerOf(target);
  if (from === undefined) return [`${path}: say in architecture.ts which layer it is`];
  if (to === undefined) return [`${target}: say in architecture.ts which layer it is`];
  if (LAYERS.indexOf(to) > LAYERS.indexOf(from))
    return [`${path} (${from}) imports ${target} (${to}), upwards`];
  if (to === 'room' && from === 'room' && folderOf(path) !== folderOf(target)) {
    return [`${path} imports ${target}, another room`];
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

function layerOf(path: string): string | undefined {
  const folder = folderOf(path);
  const name = posix.basename(path, '.ts');
  if (folder === '')
    return VOCABULARY.includes(name) ? 'vocabulary' : GUARD.includes(name) ? 'guard' : undefined;
  if (TOOLS.includes(folder)) return 'tools';
  if (VIEWS.includes(folder)) return 'guard';
  return ROOMS.includes(folder) ? 'room' : undefined;
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
