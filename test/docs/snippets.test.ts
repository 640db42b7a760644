import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exampleSnippets } from './exports.ts';
import { readPages, root, snippetsOf } from './markdown.ts';
import { layOut, type Workbench } from './workbench.ts';

const snippets = [...readPages().flatMap(snippetsOf), ...exampleSnippets()].filter(({ language }) =>
  ['ts', 'js'].includes(language),
);
let workbench: Workbench;

beforeAll(() => {
  workbench = layOut(snippets);
});

afterAll(() => workbench.remove());

test('no page uses the same file name for two snippets', () => {
  const names = snippets.filter(({ file }) => file !== undefined).map(({ page, file }) => `${page}/${file}`);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('every TypeScript and JavaScript snippet compiles against the sources', () => {
  expect(snippets.length).toBeGreaterThan(10);
  expect(complaints(workbench.folder)).toEqual([]);
}, 60_000);

test('a snippet that does not compile is reported with the line of its page', () => {
  const line = 7;
  const broken = layOut([
    {
      page: 'a.md',
      language: 'ts',
      line,
      code: "import { nothing } from '@sallyport/core';",
      file: undefined,
      given: '',
    },
  ]);
  try {
    expect(complaints(broken.folder)).toEqual([
      expect.stringMatching(/^a\.md\/line-7\.ts\(7,10\): error TS2305/),
    ]);
  } finally {
    broken.remove();
  }
}, 60_000);

/** The compiler's errors, one line each. */
function complaints(folder: string): string[] {
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      noEmit: true,
      allowJs: true,
      checkJs: true,
      allowImportingTsExtensions: true,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['**/*.ts', '**/*.js'],
    exclude: ['node_modules'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status === 0) return [];
  return stdout.split('\n').filter((line) => /error TS\d+/.test(line));
}
