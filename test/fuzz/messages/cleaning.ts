import { sanitize } from '@sallyport/core';
import { isMap } from './bounds.ts';
import { texts } from './policy.ts';

/** What sanitizing makes of a note, and where it refuses a text. */
export interface Cleaned {
  readonly body: unknown;
  readonly changed: boolean;
  /** JSON Pointers. */
  readonly refused: readonly string[];
}

/** What no text holds that went through `safeText()` or `escapedText()`, line feeds and tabs apart. */
const UNCLEAN = /[^\P{Cc}\t\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;

/** Every text of a note by its own sanitizer. What a sanitizer makes of a text, its own tests show. */
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
