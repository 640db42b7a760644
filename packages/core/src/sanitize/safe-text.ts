import type { TString } from 'typebox';
import { asObject, oneOf, refuseUnknown } from '../vocabulary/option-checks.ts';
import { cleanText } from './clean-text.ts';
import { type Lengths, ofLength, parseLengths } from './lengths.ts';
import { type Sanitizer, sanitizedText } from './sanitizer.ts';

/** Options of `safeText()`. */
export interface SafeTextOptions {
  /** The shortest text, in Unicode code points of the result. Default: 0. Else: the message is refused. */
  readonly minLength?: number;
  /** The longest text, in Unicode code points of the result. Default: 1,000. Beyond: the message is refused. */
  readonly maxLength?: number;
  /**
   * Whether line feeds and tabs are kept. CR, CRLF and the Unicode separators of lines and paragraphs then become
   * line feeds. Default: `false`, one line.
   */
  readonly lines?: boolean;
  /** What happens to a text with unwanted characters: `remove` them, or `refuse` the text. Default: `remove`. */
  readonly on?: 'remove' | 'refuse';
}

const KNOWN: readonly string[] = [
  'minLength',
  'maxLength',
  'lines',
  'on',
] satisfies (keyof SafeTextOptions)[];
const DEFAULTS: Lengths = { minLength: 0, maxLength: 1_000 };
const PLAIN = /^[ -~]*$/;
const PLAIN_LINES = /^[\t\n -~]*$/;

/**
 * Text for people to read, in any language, that holds only what they see: in normalization form C, without control
 * characters, bidirectional controls (CVE-2021-42574), zero-width and other invisible characters, tag characters and
 * runs of variation selectors (which smuggle text to a language model), lone surrogates and noncharacters. These stay
 * where a language or an emoji needs them: joiners in Persian and the Indic scripts, composed emoji, the flags of
 * Scotland and Wales, one variation selector after an ideograph. More than 30 combining marks in a row are cut.
 *
 * The result is text, not markup: `<b>` passes unchanged, so escape it in HTML like any text. Two names that look the
 * same may still differ; use `identifier()` for names that must be unique.
 *
 * @example
 * ```ts
 * import { safeText, Type } from '@sallyport/core';
 *
 * export const say = Type.Object({ text: safeText({ maxLength: 500, lines: true }) });
 * ```
 */
export function safeText(options: SafeTextOptions = {}): TString {
  const { lengths, sanitizer } = compileSafeText(options, 'safeText');
  return sanitizedText(lengths, sanitizer);
}

/** `where` is the function that has these options, for errors. */
export function compileSafeText(
  options: SafeTextOptions,
  where: string,
): { readonly lengths: Lengths; readonly sanitizer: Sanitizer } {
  refuseUnknown(asObject(options, `${where}()`), KNOWN, `${where}()`);
  const lengths = parseLengths(asObject(options, `${where}()`), DEFAULTS, where);
  const { lines = false, on = 'remove' } = options;
  oneOf(lines, [true, false], `${where}({ lines })`);
  oneOf(on, ['remove', 'refuse'], `${where}({ on })`);
  const plain = lines ? PLAIN_LINES : PLAIN;
  const cleaning = { lines, removes: on === 'remove' };
  return {
    lengths,
    sanitizer: (text) => {
      const clean = plain.test(text) ? text : cleanText(text, cleaning);
      return clean === undefined ? undefined : ofLength(clean, lengths);
    },
  };
}
