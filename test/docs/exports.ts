import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root, type Snippet, snippetsOf } from './markdown.ts';

/** Something that a public entry exports, or a method of it. */
export interface DocumentedName {
  /** As an import names the entry: `@sallyport/ws/host`. */
  readonly entry: string;
  /** `createGuard`, or `Guard.extend` for a method. */
  readonly name: string;
  /** The source file from the root, with `/`. */
  readonly file: string;
  /** The line of the doc comment's first line, or of the declaration without one. Counted from 1. */
  readonly line: number;
  /** Whether an application calls it: a function, or a constant that is one. */
  readonly isFunction: boolean;
  /** The text of its doc comment without stars, or nothing. */
  readonly comment: string;
}

/** What every entry of every package exports. What comes from another package is documented there. */
export function exportedNames(): DocumentedName[] {
  return entries().flatMap(({ entry, file }) =>
    exportsOf(readSource(file)).flatMap(({ name, from }) => {
      if (from !== undefined && !from.startsWith('.')) return [];
      const source = from === undefined ? file : posix.join(posix.dirname(file), from);
      return [documented(entry, name, source)];
    }),
  );
}

/** What applications call of the objects that they hold. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  Guard: ['extend', 'on', 'explain', 'broadcast', 'revoke', 'close'],
  Connection: ['on', 'onClose', 'send', 'close'],
  TicketOffice: ['issue'],
  Bans: ['add'],
};

/** What applications call. Functions for adapters are shown together in docs/architecture.md, and stores have none. */
export function functionsForApplications(): DocumentedName[] {
  const functions = exportedNames().filter(
    ({ entry, isFunction }) => isFunction && !/\/(?:host|store)$/.test(entry),
  );
  const methods = Object.entries(METHODS).flatMap(([owner, names]) =>
    names.map((name) => methodOf('@sallyport/core', owner, name)),
  );
  return [...functions, ...methods];
}

function methodOf(entry: string, owner: string, name: string): DocumentedName {
  const { file } = exportedNames().find((one) => one.entry === entry && one.name === owner) as DocumentedName;
  const lines = readSource(file).split('\n');
  const start = lines.findIndex((line) => new RegExp(`^export (?:class|interface) ${owner}\\b`).test(line));
  const end = lines.findIndex((line, at) => at > start && line === '}');
  const at = lines.findIndex(
    (line, i) => i > start && i < end && new RegExp(`^ {2}(?:async )?${name}[<(]`).test(line),
  );
  if (start === -1 || at === -1) throw new Error(`${file} has no ${owner}.${name}.`);
  return { entry, name: `${owner}.${name}`, file, isFunction: true, ...commentAbove(lines, at) };
}

/** The snippets below `@example`, with their places in the source. */
export function examplesOf({ file, line, comment }: DocumentedName): Snippet[] {
  const start = comment.indexOf('@example');
  if (start === -1) return [];
  const before = comment.slice(0, start);
  const rest = comment.slice(start);
  const end = rest.slice(1).search(/^@\w/m);
  const text = end === -1 ? rest : rest.slice(0, end + 1);
  return snippetsOf({ path: file, text: `${before.replace(/[^\n]/g, '')}${text}` }).map((snippet) => ({
    ...snippet,
    line: snippet.line + line - 1,
  }));
}

/** Every example in a doc comment. */
export function exampleSnippets(): Snippet[] {
  return functionsForApplications().flatMap(examplesOf);
}

/** The public entries with their source files, as each package's `exports` name them. */
function entries(): { readonly entry: string; readonly file: string }[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const manifest = join(root, 'packages', folder, 'package.json');
    if (!existsSync(manifest)) return [];
    const { name, exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      name: string;
      exports: Record<string, Record<string, string>>;
    };
    return Object.entries(exports).map(([key, conditions]) => ({
      entry: name + key.slice(1),
      file: posix.join('packages', folder, conditions['@sallyport/source'] as string),
    }));
  });
}

/** The names that a module exports, and the module that each comes from. */
export function exportsOf(source: string): { readonly name: string; readonly from: string | undefined }[] {
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}(?: from '([^']+)')?;/gm)].flatMap(
    ([, list, from]) =>
      (list as string)
        .split(',')
        .map((part) => part.trim().replace(/^type /, ''))
        .filter((part) => part !== '' && !/ as (?:default|'module\.exports')$/.test(part))
        .map((part) => ({ name: part.split(' as ')[0] as string, from: from ?? importedFrom(source, part) })),
  );
  const own = [
    ...source.matchAll(/^export (?:declare )?(?:async )?(?:function|const|class|interface|type) (\w+)/gm),
  ].map(([, name]) => ({ name: name as string, from: undefined }));
  return [...lists, ...own];
}

function importedFrom(source: string, name: string): string | undefined {
  const imports = [...source.matchAll(/^import (?:type )?\{([^}]*)\} from '([^']+)';/gm)];
  return imports.find(([, list]) => new RegExp(`\\b${name}\\b`).test(list as string))?.[2];
}

function documented(entry: string, name: string, file: string): DocumentedName {
  const lines = readSource(file).split('\n');
  const declaration = new RegExp(
    `^export (?:declare )?(?:async )?(function|const|class|interface|type) ${name}\\b`,
  );
  const at = lines.findIndex((line) => declaration.test(line));
  if (at === -1) throw new Error(`${file} declares no ${name}.`);
  const [, kind] = declaration.exec(lines[at] as string) as RegExpExecArray;
  const isFunction =
    kind === 'function' || (kind === 'const' && /= (?:\(|Object\.assign\()/.test(lines[at] as string));
  return { entry, name, file, isFunction, ...commentAbove(lines, at) };
}

function commentAbove(
  lines: readonly string[],
  at: number,
): { readonly line: number; readonly comment: string } {
  let start = at - 1;
  // Between a comment and its declaration stands at most what silences the linter.
  while (/^\s*\/\/ biome-ignore /.test(lines[start] as string)) start--;
  const end = start;
  if (!/\*\/\s*$/.test(lines[end] ?? '')) return { line: at + 1, comment: '' };
  while (!/^\s*\/\*\*/.test(lines[start] as string)) start--;
  const comment = lines
    .slice(start, end + 1)
    .map((line) =>
      line
        .replace(/^\s*\/\*\* ?/, '')
        .replace(/^\s*\* ?/, '')
        .replace(/\s*\*\/\s*$/, ''),
    )
    .join('\n');
  return { line: start + 1, comment };
}

const sources = new Map<string, string>();

function readSource(file: string): string {
  let source = sources.get(file);
  if (source === undefined) {
    source = readFileSync(join(root, ...file.split('/')), 'utf8');
    sources.set(file, source);
  }
  return source;
}
