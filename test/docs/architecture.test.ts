import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from './markdown.ts';

const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const walks = stepsOf(page);

test('docs/architecture.md has one line for each folder and names each entry of the core', () => {
  const src = readdirSync(join(root, 'packages/core/src'), { withFileTypes: true });
  const folders = src.filter((entry) => entry.isDirectory()).map(({ name }) => `\`${name}/\``);
  const rows = tableOf(page, '## The core').map(([folder]) => folder as string);
  expect(rows.sort()).toEqual(folders.sort());
  const entries = src.filter((entry) => entry.isFile()).map(({ name }) => name);
  expect(entries.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test('docs/architecture.md has each package in its table', () => {
  const listed = tableOf(page, '## Packages').map(([name]) => name as string);
  const packages = readdirSync(join(root, 'packages')).map((name) => `\`@sallyport/${name}\``);
  expect(listed.sort()).toEqual(packages.sort());
});

test('each step of the walks in docs/architecture.md names a file that holds the named function', () => {
  expect(walks.length).toBeGreaterThan(25);
  expect(walks.flatMap(missing)).toEqual([]);
});

test('each function or table named beside a file of docs/architecture.md is in that file', () => {
  const rows = tableOf(page, '## Which file for which change').map(([, files]) => files as string);
  const named = rows.flatMap((cell) => [...cell.matchAll(/\]\((\S+)\):((?: `\w+`,?)+)/g)]);
  const steps = named.flatMap(([, file, names]) =>
    [...(names as string).matchAll(/`(\w+)`/g)].map(([, name]) => [file, name] as [string, string]),
  );
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.flatMap(missing)).toEqual([]);
});

test('each link in the table of changes has for its text the path of its file, and the file exists', () => {
  const links = tableOf(page, '## Which file for which change')
    .flat()
    .flatMap((cell) => [...cell.matchAll(/\[(\S+\.ts)\]\((\S+)\)/g)])
    .map(([, text, target]) => [text as string, posix.join('docs', target as string)] as const);
  expect(links.length).toBeGreaterThan(40);
  const misnamed = links.filter(
    ([text, path]) =>
      !existsSync(join(root, path)) ||
      ![`packages/core/src/${text}`, `packages/${text}`, text].includes(path),
  );
  expect(misnamed).toEqual([]);
});

test('docs/architecture.md has the stages of both doors in the order of the code', () => {
  const stages = tableOf(page, '## Which file for which change').filter(([door]) => door?.endsWith(' door'));
  const decision = readFileSync(join(root, 'packages/core/src/vocabulary/decision.ts'), 'utf8');
  const union = /HandshakeStage =([^;]+);/.exec(decision)?.[1] ?? '';
  const doors = ['outer', 'inner'].map((door) => {
    const source = readFileSync(join(root, `packages/core/src/handshake/${door}-door.ts`), 'utf8');
    const returned = /return \[([^\]]+)\]/.exec(source)?.[1] ?? '';
    return [...returned.matchAll(/(\w+)Stage\(/g)].map(([, name]) => name);
  });
  const told = stages.map(([, , names]) => [...(names ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(told).toEqual(doors);
  expect(told.flat()).toEqual([...union.matchAll(/'(\w+)'/g)].map(([, name]) => name));
});

test('a step with a missing file or function is reported', () => {
  const [[file]] = walks as [[string, string]];
  expect(stepsOf('## A walk: a\n\n| [a](b/c.ts) | `#run` | It runs. |\n')).toEqual([['b/c.ts', '#run']]);
  expect(missing(['nothing.ts', 'run'])).toEqual(['docs/architecture.md: there is no docs/nothing.ts']);
  expect(missing([file, 'nothing'])).toEqual([expect.stringContaining('holds no nothing')]);
});

test('each decision has context, decision and consequence, and a row in the index with its title', () => {
  const folder = join(root, 'docs/decisions');
  const index = readFileSync(join(folder, 'README.md'), 'utf8');
  const files = readdirSync(folder).filter((name) => name !== 'README.md');
  const wrong = files.filter((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const [, number, title] = /^# (\d{4}): (.+)$/m.exec(text) ?? [];
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    return (
      headings.join() !== 'Context,Decision,Consequence' ||
      !name.startsWith(`${number}-`) ||
      !index.includes(`| [${number}](${name}) | ${title} |`)
    );
  });
  expect(files.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

/** File and function of each row of the walks. */
function stepsOf(text: string): [file: string, name: string][] {
  const sections = text.split(/^## /m).filter((section) => section.startsWith('A walk'));
  return sections.flatMap((section) =>
    [...section.matchAll(/^\| \[[^\]]+\]\((\S+)\) \| `(#?\w+)` \|/gm)].map(
      ([, file, name]) => [file, name] as [string, string],
    ),
  );
}

function missing([file, name]: readonly [file: string, name: string]): string[] {
  const path = posix.join('docs', file);
  if (!existsSync(join(root, path))) return [`docs/architecture.md: there is no ${path}`];
  // A function, a constant, or a member of a class or an object; a line that ends with a semicolon only calls it.
  const declared = new RegExp(
    `^(export )?(async )?(function|const) ${name}\\b|^ {2,4}(async )?${name}[(<:](?!.*;$)`,
    'm',
  );
  const holds = declared.test(readFileSync(join(root, path), 'utf8'));
  return holds ? [] : [`docs/architecture.md: ${path} holds no ${name}`];
}

/** The cells of the table under a heading, without its head. */
function tableOf(text: string, heading: string): string[][] {
  const section = text
    .slice(text.indexOf(`${heading}\n`))
    .slice(heading.length)
    .split(/^## /m)[0] as string;
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
