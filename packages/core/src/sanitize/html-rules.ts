import type { Schema } from 'hast-util-sanitize';
import { asObject, stringList } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';

/**
 * Elements that format text. None of them runs, loads, frames, submits or styles anything, and no other may be
 * allowed.
 */
const ELEMENTS: readonly string[] = (
  'a abbr b bdi blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr ' +
  'i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup table tbody td tfoot th thead ' +
  'time tr u ul var wbr'
).split(' ');

type AttributeRule = NonNullable<Schema['attributes']>[string][number];

const NUMBER = /^-?\d{1,9}$/;
const SMALL_NUMBER = /^[1-9]\d?$/;
const PIXELS = /^\d{1,4}$/;
/** Attributes that may be allowed, under their hast names, with their values. */
const ATTRIBUTES: Readonly<Record<string, AttributeRule>> = {
  alt: 'alt',
  colspan: ['colSpan', SMALL_NUMBER],
  datetime: 'dateTime',
  dir: ['dir', 'ltr', 'rtl', 'auto'],
  height: ['height', PIXELS],
  lang: ['lang', /^[A-Za-z0-9-]{1,35}$/],
  open: 'open',
  reversed: 'reversed',
  rowspan: ['rowSpan', SMALL_NUMBER],
  scope: ['scope', 'row', 'col', 'rowgroup', 'colgroup'],
  start: ['start', NUMBER],
  title: 'title',
  type: ['type', '1', 'a', 'A', 'i', 'I'],
  value: ['value', NUMBER],
  width: ['width', PIXELS],
};

/** Their content is removed as well: it is no text for readers, or has parsing rules of its own. */
const DROPPED = (
  'applet audio canvas embed frameset head iframe math noembed noframes noscript object plaintext script select style ' +
  'svg template textarea title video xmp'
).split(' ');

/** The rules of `hast-util-sanitize` for these elements and attributes. Links are checked elsewhere. */
export function compileRules(
  tags: readonly string[],
  attributes: Readonly<Record<string, readonly string[]>>,
): Schema {
  stringList(tags, 'safeHtml({ tags })');
  for (const tag of tags) {
    if (ELEMENTS.includes(tag)) continue;
    throw new PolicyError(
      'safeHtml({ tags })',
      `'${tag}' is no element that only formats text`,
      `These are: ${ELEMENTS.join(', ')}.`,
    );
  }
  const rules: Record<string, AttributeRule[]> = { a: ['href'], img: ['src', 'alt'] };
  for (const [tag, names] of Object.entries(asObject(attributes, 'safeHtml({ attributes })'))) {
    const option = `safeHtml({ attributes: { '${tag}' } })`;
    if (tag !== '*' && !tags.includes(tag))
      throw new PolicyError(option, 'the element is not among the tags', "Name it there, too, or say '*'.");
    stringList(names, option);
    rules[tag] = [
      ...(rules[tag] ?? []),
      ...(names as readonly string[]).map((name) => attributeRule(name, option)),
    ];
  }
  return {
    allowComments: false,
    allowDoctypes: false,
    // A misplaced element, such as a cell outside a table, would be parsed differently the next time.
    ancestors: {},
    attributes: rules,
    clobber: [],
    clobberPrefix: '',
    protocols: {},
    required: {},
    strip: DROPPED,
    tagNames: [...tags],
  };
}

function attributeRule(name: string, option: string): AttributeRule {
  const rule = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
  if (rule !== undefined) return rule;
  throw new PolicyError(
    option,
    `'${name}' is no attribute that only describes`,
    `These are: ${Object.keys(ATTRIBUTES).join(', ')}; href and src come with their elements.`,
  );
}
