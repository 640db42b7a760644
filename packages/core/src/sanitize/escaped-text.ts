import type { TString } from 'typebox';
import { compileSafeText, type SafeTextOptions } from './safe-text.ts';
import { sanitizedText } from './sanitizer.ts';

/** The lengths count before escaping, which makes at most six characters of one. */
export type EscapedTextOptions = SafeTextOptions;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};
const LONGEST_ENTITY = 6;

/**
 * `safeText()`, escaped for output that is put into HTML as it is: between tags, or into an attribute in quotes. Never
 * into a script, a style, a comment, an attribute without quotes, or one that holds a URL or a script.
 *
 * Use it where the output cannot escape, which is the better place: it knows what it is written into. A text that is
 * escaped here and there again shows its entities; what is escaped here must not be normalized, cut or decoded after.
 * What comes out has at most six times `maxLength` code points.
 *
 * @example
 * ```ts
 * import { escapedText, Type } from '@sallyport/core';
 *
 * export const say = Type.Object({ html: escapedText({ maxLength: 500 }) });
 * ```
 */
export function escapedText(options: EscapedTextOptions = {}): TString {
  const { lengths, sanitizer } = compileSafeText(options, 'escapedText');
  return sanitizedText(
    { minLength: lengths.minLength, maxLength: LONGEST_ENTITY * lengths.maxLength },
    (text) => sanitizer(text)?.replace(/[&<>"'`]/g, (char) => ENTITIES[char] ?? ''),
  );
}
