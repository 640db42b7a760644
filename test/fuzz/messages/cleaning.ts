import { sanitize } from '@sallyport/core';
import { isMap } from './bounds.ts';
import { texts } from './policy.ts';

/** A sanitized note, and where a text was refused. */
export interface Cleaned {
  readonly body: unknown;
  readonly changed: boolean;
  /** JSON Pointers. */
  readonly refused: readonly string[];
}

/** Characters that `safeText()` and `escapedText()` leave in no text, apart from line feeds and tabs. */
const UNCLEAN = /[^\P{Cc}\t\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;

/** Applies the sanitizer of each text of a note. The sanitizers have tests of their own. */
export function cleanedNote(note: Readonly<Record<string, unknown>>): Cleaned {
  const refused: string[] = [];
  let changed = false;
  const clean = (schema: object, text: unknown, pointer: string): unknown => {
    const cleaned = sanitize(schema, text as string);
    if (cleaned === undefined) refused.push(pointer);
    else if (UNCLEAN.test(cleaned)) throw new Error(`it is not clean: ${JSON.stringify(cleaned)}`);
    if (cleaned !== text) changed = true;
    return cleaned;
  };
  const body: Record<string, unknown> = {
    ...note,
    title: clean(texts.title, note.title, '/title'),
    lines: (note.lines as string[]).map((line, i) => clean(texts.line, line, `/lines/${i}`)),
  };
  if (isMap(note.by)) body.by = { name: clean(texts.name, note.by.name, '/by/name') };
  if (isMap(note.links)) {
    body.links = Object.fromEntries(
      Object.entries(note.links).map(([key, text]) => [key, clean(texts.link, text, `/links/${key}`)]),
    );
  }
  return { body, changed, refused };
}
