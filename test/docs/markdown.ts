import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** A page of the documentation. */
export interface Page {
  /** Its path from the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block, and what the HTML comments right above it say. */
export interface Snippet {
  readonly page: string;
  readonly language: string;
  /** The line of the page on which its first line stands, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** `<!-- file: policy.ts -->`: other snippets of the page import it under this name. */
  readonly file: string | undefined;
  /** `<!-- with: … -->`: what the reader has already, as code in front of the snippet. */
  readonly given: string;
}

/** Every page that users read. */
export function readPages(): Page[] {
  const folders = [
    '.',
    'docs',
    'docs/recipes',
    'docs/decisions',
    ...children('packages'),
    ...children('examples'),
  ];
  return folders
    .flatMap((folder) => markdownIn(folder))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The fenced blocks of a page. A fence that is never closed is an error, since it would hide the rest. */
export function snippetsOf({ path, text }: Page): Snippet[] {
  const lines = text.split('\n');
  const snippets: Snippet[] = [];
  for (let i = 0; i < lines.length; i++) {
    const opening = /^\s*```(\w*)/.exec(lines[i] as string);
    if (opening === null) continue;
    const end = lines.findIndex((line, at) => at > i && /^\s*```\s*$/.test(line));
    if (end === -1) throw new Error(`${path}:${i + 1}: a fence that is never closed`);
    const notes = commentsAbove(lines, i);
    snippets.push({
      page: path,
      language: opening[1] as string,
      line: i + 2,
      code: lines.slice(i + 1, end).join('\n'),
      file: notes.find(([key]) => key === 'file')?.[1],
      given: notes
        .filter(([key]) => key === 'with')
        .map(([, code]) => code)
        .reverse()
        .join(' '),
    });
    i = end;
  }
  return snippets;
}

/** The page without its fenced blocks, which hold no links and no headings. */
export function proseOf({ text }: Page): string {
  return text.replace(/^\s*```[\s\S]*?^\s*```\s*$/gm, '');
}

/** The anchors of a page's headings, as the places that show Markdown make them. */
export function anchorsOf(page: Page): Set<string> {
  const headings = [...proseOf(page).matchAll(/^#+\s+(.*)$/gm)].map(([, title]) => title as string);
  return new Set(headings.map(anchor));
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

function commentsAbove(lines: readonly string[], fence: number): (readonly [key: string, value: string])[] {
  const notes: (readonly [string, string])[] = [];
  for (let i = fence - 1; i >= 0; i--) {
    const note = /^\s*<!-- (file|with): (.*) -->\s*$/.exec(lines[i] as string);
    if (note === null) break;
    notes.push([note[1] as string, note[2] as string]);
  }
  return notes;
}

function children(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${folder}/${entry.name}`);
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
    .map((name) =>
      relative(root, join(root, folder, name))
        .split(sep)
        .join('/'),
    );
}
