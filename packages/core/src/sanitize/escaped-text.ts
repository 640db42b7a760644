import type { TString } from 'typebox';
import { compileSafeText, type SafeTextOptions } from './safe-text.ts';
import { sanitizedText } from './sanitizer.ts';

/** Lengths count before escaping, which makes at most six characters of one. */
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
 * `safeText()`, escaped for HTML: between tags, or in a quoted attribute. Never use the result in a script, a style,
 * a comment, an unquoted attribute, or an attribute that holds a URL or a script.
 *
 * Use it only if the output cannot escape by itself, because the output knows its context. A text that is escaped
 * twice shows its entities. Do not normalize, cut or decode the result. It has at most six times `maxLength` code
 * points.
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
