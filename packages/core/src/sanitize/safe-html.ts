import type { Root } from 'hast';
import { sanitize } from 'hast-util-sanitize';
import type { TString } from 'typebox';
import { asObject, refuseUnknown, stringList } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import { writeHtml } from './html-output.ts';
import { parseHtml } from './html-parser.ts';
import { compileRules } from './html-rules.ts';
import { ofLength, parseLengths } from './lengths.ts';
import { sanitizedText } from './sanitizer.ts';

/** A protocol that `safeHtml()` can allow in links. */
export type LinkProtocol = 'https:' | 'http:' | 'mailto:' | 'tel:';

/** Options of `safeHtml()`. */
export interface SafeHtmlOptions {
  /** The shortest markup, in Unicode code points of what comes out. Default: 0. Else: the message is refused. */
  readonly minLength?: number;
  /**
   * The longest markup, in Unicode code points of what comes out. Default: 10,000. Beyond: the message is refused; so
   * it is, unread, where what came in has more than four times as many UTF-16 units.
   */
  readonly maxLength?: number;
  /**
   * The elements that are kept; others are taken away around their content. Only those that format text can be named,
   * and `img`, which tells its sender who reads when and where. Default: `a b blockquote br code em i li ol p pre s
   * strong u ul`.
   */
  readonly tags?: readonly string[];
  /**
   * Attributes that are kept, by element or `*`: `{ '*': ['lang', 'dir'], ol: ['start'] }`. Only those that describe can
   * be named: no `class`, `id`, `style` or handler of events. Default: none but `href` of links, and `src` and `alt` of
   * images.
   */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /**
   * The schemes that a link may have, of `https:`, `http:`, `mailto:` and `tel:`; a link without one goes nowhere.
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
/** Markup that is pasted is longer than what is left of it; what no option lets through need not be read. */
const MARKUP_FACTOR = 4;
/** One round sanitizes and the next changes nothing, but for markup made to be read otherwise the second time. */
const ROUNDS = 4;

/**
 * Markup for people to read, of a few elements: everything else is taken away, by an allow-list (`hast-util-sanitize`)
 * over the tree that a browser would make of it (`parse5`). Links are absolute, canonical and `rel="nofollow noopener
 * noreferrer"`; scripts, styles, comments, SVG, MathML and forms go with what is in them; texts are cleaned as
 * `safeText({ lines: true })` cleans them.
 *
 * What is handed on is what it comes out as when it is parsed and sanitized again, which stops markup that mutates.
 * Markup nested more than 64 deep, or of more than 2,000 elements, attributes and comments, is refused. It is for the
 * content of an element, not for an attribute, and must not be changed after: no replacing, cutting or decoding.
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
  const links = parseLinks(options.links ?? DEFAULT_LINKS);
  const rewrite = (markup: string): string | undefined => {
    const tree = parseHtml(markup);
    return tree && writeHtml(sanitize(tree, rules) as Root, links);
  };
  return sanitizedText(lengths, (text) => {
    const markup = settle(text, MARKUP_FACTOR * lengths.maxLength, rewrite);
    return markup === undefined ? undefined : ofLength(markup, lengths);
  });
}

/** Rewrites the markup until that changes nothing; what does not settle, or gets too long to be read, is refused. */
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

function parseLinks(links: readonly string[]): readonly string[] {
  stringList(links, 'safeHtml({ links })');
  const other = links.find((protocol) => !LINKS.includes(protocol));
  if (other === undefined) return links;
  throw new PolicyError(
    'safeHtml({ links })',
    `'${other}' is no scheme for links`,
    `Use ${LINKS.map((protocol) => `'${protocol}'`).join(', ')}; for no links, leave 'a' out of the tags.`,
  );
}
