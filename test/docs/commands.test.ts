import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readPages, root, snippetsOf } from './markdown.ts';

const pages = readPages();
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

test('every pnpm script and every file that a page runs exists', () => {
  const missing: string[] = [];
  for (const { path, text } of pages) {
    for (const [, script] of text.matchAll(/pnpm@10 (?:run )?([a-z][a-z:-]*)/g)) {
      if (script !== 'install' && !((script as string) in scripts)) missing.push(`${path}: pnpm ${script}`);
    }
    for (const [, file] of text.matchAll(
      /\bnode (?:-\S+ )*((?:scripts|bench|examples|test)\/\S+?\.[jt]s)/g,
    )) {
      if (!existsSync(join(root, file as string))) missing.push(`${path}: node ${file}`);
    }
  }
  expect(missing).toEqual([]);
});

test('shell snippets use only known commands', () => {
  const known = /^(npx -y pnpm@10 |npx -y -p node@\d+ node |node |\.ci\/run|npm install |curl |openssl |#|$)/;
  const unknown = pages
    .flatMap(snippetsOf)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ page, line, code }) =>
      code.split('\n').map((text, i) => ({ at: `${page}:${line + i}`, text })),
    )
    .filter(({ text }) => !known.test(text.trim()));
  expect(unknown).toEqual([]);
  expect(existsSync(join(root, '.ci/run'))).toBe(true);
});
