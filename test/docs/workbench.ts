import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root, type Snippet } from './markdown.ts';

/** A folder outside the repository that holds snippets as files, with the packages that they import. */
export interface Workbench {
  readonly folder: string;
  /** The path of the snippet with this name. */
  file(page: string, name: string): string;
  remove(): void;
}

/**
 * Writes the TypeScript and JavaScript of all pages: a folder for each page, a file for each snippet. Each line has the
 * number that it has in its page, so that the compiler's errors name the line to change. A page without a `policy.ts` of its
 * own uses the README's.
 */
export function layOut(snippets: readonly Snippet[]): Workbench {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-docs-'));
  const place = (page: string, name: string): string => join(folder, page, name);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  symlinkSync(join(root, 'test/node_modules'), join(folder, 'node_modules'));
  write(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const shared = snippets.find(({ page, file }) => page === 'README.md' && file === 'policy.ts');
  for (const page of new Set(snippets.map((snippet) => snippet.page))) {
    const own = snippets.filter((snippet) => snippet.page === page);
    if (shared !== undefined && !own.some(({ file }) => file === 'policy.ts'))
      write(place(page, 'policy.ts'), shared.code);
    for (const { language, line, code, file, given } of own) {
      const name = file ?? `line-${line}.${language}`;
      // A snippet without imports must be a module as well.
      write(place(page, name), `${given}${'\n'.repeat(line - 1)}${code}\nexport {};\n`);
    }
  }
  return {
    folder,
    file: place,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
