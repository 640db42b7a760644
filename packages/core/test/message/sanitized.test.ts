import { describe, expect, test } from '@jest/globals';
import { type TString, Type } from 'typebox';
import { close } from '../../src/message/closed.ts';
import { compileSanitizers } from '../../src/message/sanitized.ts';
import { compileSchema } from '../../src/message/schema.ts';
import { safeText } from '../../src/sanitize/safe-text.ts';
import { sanitizedText } from '../../src/sanitize/sanitizer.ts';
import { webUrl } from '../../src/sanitize/web-url.ts';
import type { SchemaNode } from '../../src/wire/envelope.ts';
import { Incoming } from '../../src/wire/incoming.ts';
import { WIDE } from '../support/message-room.ts';

/** Without blanks at its ends, at most five letters, and no `!` at all. */
const tidy = (): TString =>
  sanitizedText({ minLength: 1, maxLength: 5, pattern: '^[a-z]*$' }, (text) => {
    const trimmed = text.trim();
    return trimmed.length > 5 || trimmed.includes('!') ? undefined : trimmed;
  });
const loud = (): TString => sanitizedText({}, (text) => text.toUpperCase());

/** What comes out for a body, or which stage refuses it, and where. */
function sanitize(schema: unknown, came: unknown): unknown {
  const options = { type: undefined, option: 'test', unknown: 'refuse', bounds: WIDE } as const;
  const incoming = new Incoming('say', structuredClone(came), {}, undefined, 0);
  const mistake = compileSchema(schema, options).look(incoming);
  if (mistake !== undefined) return mistake;
  // New bytes are written exactly if the body has changed.
  expect(incoming.changed).toBe(JSON.stringify(incoming.body) !== JSON.stringify(came));
  return incoming.body;
}
const refused = (pointer: string) => ({ stage: 'sanitize', pointer });
const mismatch = (pointer: string) => ({ stage: 'schema', pointer });

describe('a text is sanitized wherever its schema puts it', () => {
  const text = Type.Object({ t: tidy(), plain: Type.Optional(Type.String()) });
  const cases: [string, unknown, unknown, unknown][] = [
    ['the body itself', tidy(), ' a ', 'a'],
    ['a property', text, { t: ' a ', plain: ' b ' }, { t: 'a', plain: ' b ' }],
    ['an optional one', Type.Object({ t: Type.Optional(tidy()) }), { t: ' a ' }, { t: 'a' }],
    ['one that is not there', Type.Object({ t: Type.Optional(tidy()) }), {}, {}],
    [
      'a nested one',
      Type.Object({ in: Type.Object({ in: text }) }),
      { in: { in: { t: ' a ' } } },
      { in: { in: { t: 'a' } } },
    ],
    ['in a list', Type.Object({ l: Type.Array(tidy()) }), { l: [' a ', 'b', ' c'] }, { l: ['a', 'b', 'c'] }],
    ['in a list of objects', Type.Array(text), [{ t: ' a' }, { t: 'b ' }], [{ t: 'a' }, { t: 'b' }]],
    ['in a tuple', Type.Tuple([Type.String(), tidy()]), [' a ', ' b '], [' a ', 'b']],
    [
      'in a tuple of 2020-12',
      { type: 'array', prefixItems: [{ type: 'string' }], items: tidy() },
      [' a ', ' b ', ' c '],
      [' a ', 'b', 'c'],
    ],
    ['in a record', Type.Record(Type.String(), tidy()), { x: ' a ', y: ' b ' }, { x: 'a', y: 'b' }],
    [
      'by pattern',
      { type: 'object', patternProperties: { '^a': tidy(), '^b': { type: 'string' } } },
      { a1: ' a ', b1: ' b ' },
      { a1: 'a', b1: ' b ' },
    ],
    [
      'among further properties',
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        patternProperties: { '^b': { type: 'string' } },
        additionalProperties: tidy(),
      },
      { a: ' a ', b: ' b ', c: ' c ' },
      { a: ' a ', b: ' b ', c: 'c' },
    ],
    ['where it may be null', Type.Object({ t: Type.Union([tidy(), Type.Null()]) }), { t: ' a ' }, { t: 'a' }],
    ['where it is null', Type.Object({ t: Type.Union([tidy(), Type.Null()]) }), { t: null }, { t: null }],
    ['behind a form that leaves every text as it is', Type.Union([Type.String(), tidy()]), ' a ', 'a'],
    ['by the first of two', Type.Union([tidy(), loud()]), ' a ', 'a'],
    [
      'in the form that its kind names',
      Type.Union([
        Type.Object({ kind: Type.Literal('a'), t: loud() }),
        Type.Object({ kind: Type.Literal('b'), t: tidy() }),
        Type.Object({ kind: Type.Literal('c'), t: Type.String() }),
      ]),
      { kind: 'b', t: ' x ' },
      { kind: 'b', t: 'x' },
    ],
    [
      'in an intersection',
      Type.Intersect([text, Type.Object({ u: tidy() })]),
      { t: ' a ', u: ' b ' },
      { t: 'a', u: 'b' },
    ],
    [
      'in each of several forms that describe one object together',
      Type.Intersect([
        Type.Object({ id: Type.Number() }),
        Type.Union([
          Type.Object({ a: Type.String() }),
          Type.Object({ b: tidy() }),
          Type.Object({ c: loud() }),
        ]),
      ]),
      { id: 1, a: ' a ', b: ' b ', c: 'c' },
      { id: 1, a: ' a ', b: 'b', c: 'C' },
    ],
    [
      'in a form beside the properties',
      {
        type: 'object',
        properties: { a: {} },
        oneOf: [
          { properties: { b: tidy() }, required: ['b'] },
          { properties: { c: loud() }, required: ['c'] },
        ],
      },
      { a: 1, b: ' b ' },
      { a: 1, b: 'b' },
    ],
    [
      'under a name that objects inherit',
      Type.Object({ toString: tidy() }),
      { toString: ' a ' },
      { toString: 'a' },
    ],
    [
      'in a union with what is referred to',
      {
        type: 'object',
        properties: { u: { anyOf: [{ $ref: '#/$defs/plain' }, Type.Object({ t: tidy() })] } },
        $defs: { plain: Type.Object({ n: Type.Number() }) },
      },
      { u: { t: ' a ' } },
      { u: { t: 'a' } },
    ],
    [
      'in a union, beside what is referred to',
      {
        type: 'object',
        properties: { u: { anyOf: [{ $ref: '#/$defs/plain' }, Type.Object({ t: tidy() })] } },
        $defs: { plain: Type.Object({ n: Type.Number() }) },
      },
      { u: { n: 1 } },
      { u: { n: 1 } },
    ],
    [
      'by spread keywords',
      Type.Object({ t: { ...tidy(), title: 'A text' } as never }),
      { t: ' a ' },
      { t: 'a' },
    ],
  ];
  test.each(cases)('a text is sanitized in %s', (_, schema, came, expected) => {
    expect(sanitize(schema, came)).toEqual(expected);
  });
});

describe('lengths and patterns', () => {
  test('lengths and patterns of a sanitizer apply to the sanitized text', () => {
    expect(sanitize(tidy(), `${' '.repeat(1_000)}abcde${' '.repeat(1_000)}`)).toBe('abcde');
    expect(sanitize(tidy(), 'abcdef')).toEqual(refused(''));
  });

  test('lengths and patterns of a text without a sanitizer are checked before sanitizing', () => {
    const both = { allOf: [tidy(), { type: 'string', maxLength: 3 }] };
    expect(sanitize(both, 'ab ')).toBe('ab');
    expect(sanitize(both, 'ab  ')).toEqual(mismatch(''));
  });

  test('a value that is no text is left to the schema', () => {
    for (const wrong of [7, null, ['a'], { a: 1 }, true])
      expect(sanitize(tidy(), wrong)).toEqual(mismatch(''));
  });
});

describe('a text that is refused', () => {
  test.each<[string, unknown, unknown, string]>([
    ['is pointed at', Type.Object({ t: tidy() }), { t: '!' }, '/t'],
    [
      'in a list',
      Type.Object({ l: Type.Array(Type.Object({ t: tidy() })) }),
      { l: [{ t: 'a' }, { t: '!' }] },
      '/l/1/t',
    ],
    ['in a tuple', Type.Tuple([tidy(), tidy()]), ['a', '!'], '/1'],
    ['is the first of several', Type.Object({ a: tidy(), b: tidy() }), { b: '!', a: '!' }, '/a'],
    ['under a name with signs in it', Type.Object({ 'a/b~c': tidy() }), { 'a/b~c': '!' }, '/a~1b~0c'],
    ['in a union', Type.Object({ t: Type.Union([Type.Null(), tidy()]) }), { t: '!' }, '/t'],
    [
      'in a record, cut',
      Type.Record(Type.String(), tidy()),
      { ['k'.repeat(500)]: '!' },
      `/${'k'.repeat(199)}`,
    ],
  ])('the pointer of a text that its sanitizer refuses: %s', (_, schema, came, pointer) => {
    expect(sanitize(schema, came)).toEqual(refused(pointer));
  });

  test('a refused text does not stop the sanitizing of other texts', () => {
    const incoming = new Incoming('say', { a: '!', b: ' b ' }, {}, undefined, 0);
    const plan = compileSanitizers(close(Type.Object({ a: tidy(), b: tidy() }) as never), 'x');
    expect(plan?.(incoming.body)).toEqual({ body: { a: '!', b: 'b' }, changed: true, refused: ['a'] });
  });
});

test('a form that no longer fits once a text was sanitized refuses the body', () => {
  const schema = {
    type: 'object',
    properties: { kind: tidy(), t: {} },
    anyOf: [{ properties: { kind: { const: ' a ' }, t: loud() }, required: ['t'] }],
  };
  expect(sanitize(schema, { kind: ' a ', t: 'x' })).toEqual(refused(''));
});

describe('a sanitizer that would be skipped is refused at construction', () => {
  const object = (more: object) => ({ type: 'object', ...more });
  test.each<[string, unknown]>([
    ['not', { not: tidy() }],
    ['if', { if: { properties: { a: tidy() } } }],
    ['else', object({ if: {}, else: { properties: { a: tidy() } } })],
    ['contains', { type: 'array', contains: tidy() }],
    ['propertyNames', object({ propertyNames: tidy() })],
    ['unevaluatedProperties', object({ unevaluatedProperties: tidy() })],
    ['unevaluatedItems', { type: 'array', unevaluatedItems: tidy() }],
    ['additionalItems', { type: 'array', items: [{}], additionalItems: tidy() }],
    ['dependentSchemas', object({ dependentSchemas: { a: { properties: { a: tidy() } } } })],
    ['$defs', object({ $defs: { a: tidy() }, properties: { a: { $ref: '#/$defs/a' } } })],
    ['definitions', object({ definitions: { a: [tidy()] } })],
    ['$defs', Type.Cyclic({ A: Type.Object({ t: tidy(), n: Type.Optional(Type.Ref('A')) }) }, 'A')],
    ['keyword-of-tomorrow', object({ 'keyword-of-tomorrow': { deep: [{ down: tidy() }] } })],
    ['not', object({ properties: { a: { anyOf: [{ not: { items: tidy() } }] } } })],
  ])('a sanitizer under %s is refused at construction', (keyword, schema) => {
    const make = () => compileSanitizers(close(schema as SchemaNode), 'policy.messages.say');
    expect(make).toThrow(`policy.messages.say: it has a sanitized text under '${keyword}'`);
    expect(make).toThrow(/Put it among the properties/);
  });

  test('a sanitizer under then is refused at construction', () => {
    const schema = object({ if: {} });
    Object.defineProperty(schema, 'then', { value: { properties: { a: tidy() } }, enumerable: true });
    expect(() => compileSanitizers(schema as SchemaNode, 'x')).toThrow(/under 'then'/);
  });
});

describe('a sanitized body is checked again', () => {
  const line = safeText({ maxLength: 20 });
  const zero = '\u200b';
  const notAdmin = Type.Refine(line, (text) => text !== 'admin');
  const condition = (then: string): unknown => ({
    type: 'object',
    properties: { t: line, level: { type: 'number' } },
    if: { properties: { t: { const: 'root' } }, required: ['t'] },
    ...(JSON.parse(`{ "then": ${then} }`) as object),
  });
  const cases: [what: string, schema: unknown, right: unknown, wrong: unknown, pointer: string][] = [
    ['a refinement', notAdmin, 'bob', `admin${zero}`, ''],
    [
      'a refinement of what is around',
      Type.Refine(Type.Object({ t: line }), ({ t }) => t !== 'admin'),
      { t: 'bob' },
      { t: `ad${zero}min` },
      '',
    ],
    [
      'a condition',
      condition('{ "required": ["level"] }'),
      { t: 'root', level: 1 },
      { t: `root${zero}` },
      '',
    ],
    ['items that differ', Type.Array(line, { uniqueItems: true }), ['a', 'b'], ['a', `a${zero}`], ''],
    [
      'a pattern beside, in an intersection',
      Type.Intersect([line, Type.String({ pattern: '^[^;]*$' })]),
      'a',
      '\u037e',
      '',
    ],
    ['what it must not be', { allOf: [line, { not: { const: 'admin' } }] }, 'bob', `admin${zero}`, ''],
    [
      'a form',
      Type.Union([
        Type.Object({ k: line, a: Type.Literal(1) }),
        Type.Object({ k: Type.Literal('b'), b: Type.Number() }),
      ]),
      { k: 'x', a: 1 },
      undefined,
      '',
    ],
  ];
  test.each(cases)(
    'a sanitized body that no longer fits its schema is refused: %s',
    (_what, schema, right, wrong, pointer) => {
      expect(sanitize(schema, right)).toEqual(right);
      if (wrong !== undefined) expect(sanitize(schema, wrong)).toEqual(refused(pointer));
    },
  );

  test('a body that is wrong before sanitizing is refused by the schema stage', () => {
    expect(sanitize(notAdmin, 'admin')).toEqual(mismatch(''));
  });

  test('a sanitized body is checked after unknown properties were stripped', () => {
    const check = compileSchema(Type.Object({ t: Type.Refine(line, (text) => text !== 'admin') }), {
      type: undefined,
      option: 'test',
      unknown: 'strip',
      bounds: WIDE,
    });
    const look = (t: string) => check.look(new Incoming('say', { t, evil: 1 }, {}, undefined, 0));
    expect([look(`bo${zero}b`), look(`admin${zero}`)]).toEqual([undefined, refused('/t')]);
  });

  test('with a report-only schema, a body that was wrong before is sanitized completely', () => {
    const check = compileSchema(Type.Object({ t: line }), {
      type: undefined,
      option: 'test',
      unknown: 'refuse',
      bounds: WIDE,
    });
    const incoming = new Incoming('say', { t: `a${zero}`, evil: 1 }, {}, undefined, 0);
    expect(check.sanitize?.(incoming)).toBeUndefined();
    expect(incoming).toMatchObject({ body: { t: 'a', evil: 1 }, changed: true });
  });
});

describe('keywords beside a sanitizer apply to the sanitized text', () => {
  const beside = (more: object) => Type.Object({ t: { ...safeText({ maxLength: 10 }), ...more } as never });
  const zero = '\u200b';
  test.each<[string, object, string, string]>([
    ['a pattern', { pattern: '^[a-z]+$' }, `ab${zero}`, 'a b'],
    ['an enum', { enum: ['on', 'off'] }, `o${zero}n`, 'maybe'],
    ['a constant', { const: 'on' }, `on${zero}`, 'off'],
    ['a length that is less', { maxLength: 3 }, `abc${zero}`, 'abcd'],
    ['a length that is more', { maxLength: 30 }, 'abcdefghij', 'abcdefghijk'],
    ['a least length', { minLength: 2 }, 'ab', `a${zero}`],
    ['a format', { format: 'ipv4' }, `192.0.2.1${zero}`, '192.0.2'],
    ['what it must not be', { not: { enum: ['admin', 'root'] } }, 'bob', `ad${zero}min`],
    ['one of several', { anyOf: [{ pattern: '^a' }, { pattern: '^b' }] }, `${zero}a`, 'c'],
    [
      'a refinement',
      { '~refine': [{ check: (t: string) => t !== 'admin', error: () => '' }] },
      'bob',
      `admin${zero}`,
    ],
  ])('a keyword beside a sanitizer is checked on the sanitized text: %s', (_what, more, right, wrong) => {
    expect(sanitize(beside(more), { t: right })).toEqual({ t: right.replace(zero, '') });
    expect(sanitize(beside(more), { t: wrong })).toEqual(refused('/t'));
  });

  test('notes and keywords that the sanitizer checks are not checked again', () => {
    const link = webUrl();
    const noted = Type.Object({
      t: { ...link, title: 'A link', examples: ['https://example.com/'] } as never,
    });
    // Browsers accept it; the format does not.
    expect(sanitize(noted, { t: 'https://example.com/?a=|' })).toEqual({ t: 'https://example.com/?a=|' });
  });

  test.each<[string, object, RegExp]>([
    ['a reference', { $ref: '#/$defs/a' }, /refers to something/],
    ['another sanitizer', { allOf: [safeText()] }, /sanitizer of its own/],
    [
      'another type',
      { type: 'number' },
      /a sanitizer is about a text.*Type\.Union\(\[safeText\(\), Type\.Null\(\)\]\)/,
    ],
    ['several types', { type: ['string', 'object'] }, /a sanitizer is about a text/],
    ['no type', { type: undefined }, /no type of JSON Schema/],
    ['a keyword of objects', { properties: {} }, /objects only/],
    ['an unknown one', { maxLenght: 3 }, /Did you mean 'maxLength'/],
  ])(
    'a keyword that cannot be enforced beside a sanitizer is refused at construction: %s',
    (_what, more, problem) => {
      const schema = { ...beside(more), $defs: { a: { type: 'string' } } };
      expect(() => sanitize(schema, {})).toThrow(problem);
    },
  );

  test('a sanitized text without its type is refused at construction', () => {
    const { type: _type, ...rest } = safeText() as unknown as Record<string, unknown>;
    expect(() => sanitize({ type: 'object', properties: { t: rest } }, {})).toThrow(
      /would let any value of another type through|about a text/,
    );
  });
});

test('a schema without a sanitizer compiles to no sanitizers', () => {
  expect(
    compileSanitizers(Type.Object({ t: Type.String(), l: Type.Array(Type.String()) }) as never, 'x'),
  ).toBeUndefined();
});
