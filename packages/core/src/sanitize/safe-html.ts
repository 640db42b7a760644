import type { Root } from 'hast';
import { sanitize } from 'hast-util-sanitize';
import type { TString } from 'typebox';
import { asObject, refuseUnknown } from '../vocabulary/option-checks.ts';
import { writeHtml } from './html-output.ts';
import { parseHtml } from './html-parser.ts';
import { compileRules } from './html-rules.ts';
import { ofLength, parseLengths } from './lengths.ts';
import { checkProtocols } from './protocols.ts';
import { sanitizedText } from './sanitizer.ts';

/** A protocol that `safeHtml()` can allow in links. */
export type LinkProtocol = 'https:' | 'http:' | 'mailto:' | 'tel:';

/** Options of `safeHtml()`. */
export interface SafeHtmlOptions {
  /** The shortest markup, in Unicode code points of the result. Default: 0. Else: the message is refused. */
  readonly minLength?: number;
  /**
   * The longest markup, in Unicode code points of the result. Default: 10,000. Beyond: the message is refused. An
   * input with more than four times as many UTF-16 units is refused without being parsed.
   */
  readonly maxLength?: number;
  /**
   * The elements that are kept; of others only the content stays. Allowed are those that format text, and `img`,
   * which tells the sender when and where someone reads. Default: `a b blockquote br code em i li ol p pre s strong u
   * ul`.
   */
  readonly tags?: readonly string[];
  /**
   * Attributes that are kept, by element or `*`: `{ '*': ['lang', 'dir'], ol: ['start'] }`. Allowed are those that
   * describe: no `class`, `id`, `style` or event handler. Default: none but `href` of links, and `src` and `alt` of
   * images.
   */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /**
   * The schemes of links, of `https:`, `http:`, `mailto:` and `tel:`. A link with another scheme loses its target.
   * Default: `https:`, `http:` and `mailto:`.
   */
  readonly links?: readonly LinkProtocol[];
}

const KNOWN: readonly string[] = [
  'minLength',
  'maxLength',
  'tags',
  'attributes',
  'links',
] satisfies (keyof SafeHtmlOptions)[];
const LINKS: readonly string[] = ['https:', 'http:', 'mailto:', 'tel:'] satisfies LinkProtocol[];
const DEFAULT_TAGS = 'a b blockquote br code em i li ol p pre s strong u ul'.split(' ');
const DEFAULT_LINKS: readonly LinkProtocol[] = ['https:', 'http:', 'mailto:'];
/** Pasted markup is longer than the result, but not by more than this factor. */
const MARKUP_FACTOR = 4;
/** One round sanitizes and the next changes nothing, except for markup that is made to parse differently. */
const ROUNDS = 4;
/** Parsing and writing 2,000 elements takes about 5 ms, so 50 such messages in a second would fill a quarter of it. */
const COST = 10;

/**
 * Formatted text for people to read. Keeps an allow-list of elements (`hast-util-sanitize`) in the tree that a
 * browser would build (`parse5`), and removes everything else. Links become absolute, canonical and `rel="nofollow
 * noopener noreferrer"`. Scripts, styles, comments, SVG, MathML and forms are removed with their content. Texts are
 * cleaned as by `safeText({ lines: true })`.
 *
 * The result passes unchanged through another round of parsing and sanitizing, which stops markup that mutates.
 * Markup nested more than 64 deep, or with more than 2,000 elements, attributes and comments, is refused. Use the
 * result as the content of an element, not in an attribute, and do not replace, cut or decode anything in it.
 *
 * A message type with such a text has the default `cost` 10, because parsing takes up to 5 ms.
 *
 * Needs `parse5`, `hast-util-from-parse5`, `hast-util-sanitize` and `hast-util-to-html`.
 *
 * @example
 * ```ts
 * import { Type } from '@sallyport/core';
 * import { safeHtml } from '@sallyport/core/html';
 *
 * export const post = Type.Object({ body: safeHtml({ maxLength: 5_000, tags: ['p', 'b', 'i', 'a'] }) });
 * ```
 */
export function safeHtml(options: SafeHtmlOptions = {}): TString {
  const given = asObject(options, 'safeHtml()');
  refuseUnknown(given, KNOWN, 'safeHtml()');
  const lengths = parseLengths(given, { minLength: 0, maxLength: 10_000 }, 'safeHtml');
  const rules = compileRules(options.tags ?? DEFAULT_TAGS, options.attributes ?? {});
  const links = checkProtocols(
    options.links ?? DEFAULT_LINKS,
    LINKS,
    'safeHtml({ links })',
    "; for no links, leave 'a' out of the tags",
  );
  const rewrite = (markup: string): string | undefined => {
    const tree = parseHtml(markup);
    return tree && writeHtml(sanitize(tree, rules) as Root, links);
  };
  const sanitizer = (text: string): string | undefined => {
    const markup = settle(text, MARKUP_FACTOR * lengths.maxLength, rewrite);
    return markup === undefined ? undefined : ofLength(markup, lengths);
  };
  return sanitizedText(lengths, sanitizer, COST);
}

/** Rewrites the markup until a round changes nothing. Markup that never settles or grows too long is refused. */
function settle(
  text: string,
  longest: number,
  rewrite: (markup: string) => string | undefined,
): string | undefined {
  let current = text;
  for (let round = 0; round < ROUNDS && current.length <= longest; round++) {
    const next = rewrite(current);
    if (next === undefined || next === current) return next;
    current = next;
  }
  return undefined;
}
