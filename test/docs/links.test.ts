import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect, test } from '@jest/globals';
import { anchorsOf, type Page, proseOf, readPages, root } from './markdown.ts';

const pages = readPages();

test('every link between the pages leads to a file and heading that exist', () => {
  expect(pages.flatMap((page) => brokenLinks(page, pages))).toEqual([]);
});

test('a link to a missing file or heading is reported', () => {
  const page: Page = {
    path: 'docs/a.md',
    text: '# A title: `here`\n[good](#a-title-here) [file](../README.md) [far](https://example.com/x#y)\n[bad](nothing.md) [gone](#there) [else](../README.md#no-such-heading)\n```\n[not a link](in-code.md)\n```\n',
  };
  expect(brokenLinks(page, [...pages, page])).toEqual([
    'docs/a.md → nothing.md',
    'docs/a.md → #there',
    'docs/a.md → ../README.md#no-such-heading',
  ]);
});

function brokenLinks(page: Page, all: readonly Page[]): string[] {
  const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page.path : posix.join(dirname(page.path), file);
      const linked = all.find((other) => other.path === path);
      if (linked === undefined) return !existsSync(join(root, path));
      return anchor !== undefined && !anchorsOf(linked).has(anchor);
    })
    .map((target) => `${page.path} → ${target}`);
}
