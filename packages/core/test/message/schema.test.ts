import { describe, expect, test } from '@jest/globals';
import { Type as Old } from '@sinclair/typebox';
import { Type } from 'typebox';
import { compileReply, compileSchema } from '../../src/message/schema.ts';
import { safeText } from '../../src/sanitize/safe-text.ts';
import { Incoming } from '../../src/wire/incoming.ts';

const bounds = { depth: 32, keys: 1_000, items: 1_000, text: 65_536, number: Number.MAX_SAFE_INTEGER };

/** What the schema says of a message whose type is one of its properties. */
function compile(schema: unknown) {
  const check = compileSchema(schema, {
    type: 'say',
    option: 'policy.messages.say',
    unknown: 'refuse',
    bounds,
  });
  const look = (value: unknown) =>
    check.look(new Incoming('say', value, value as object, undefined, 0)) as { pointer: string } | undefined;
  return {
    ...check,
    passes: (value: unknown) => look(value) === undefined,
    pointer: (value: unknown) => look(value)?.pointer ?? '',
  };
}

const passes = (schema: unknown, body: object) => compile(schema).passes({ type: 'say', ...body });

describe('the type is part of the check', () => {
  const check = compile(Type.Object({ text: Type.String() }));
  test.each([
    [{ type: 'say', text: 'hi' }, true],
    [{ type: 'shout', text: 'hi' }, false],
    [{ text: 'hi' }, false],
    [{ type: ['say'], text: 'hi' }, false],
  ])('message %j passes: %s', (message, expected) => {
    expect(check.passes(message)).toBe(expected);
  });

  test('an empty body has only the message type', () => {
    expect(passes(Type.Object({}), {})).toBe(true);
    expect(passes(Type.Object({}), { extra: 1 })).toBe(false);
  });
});

describe('objects are closed', () => {
  const inner = Type.Object({ a: Type.Number() });
  const extra = { a: 1, isAdmin: true };
  const cases: [string, unknown, object, object][] = [
    ['the body itself', Type.Object({ a: Type.Number() }), { a: 1 }, extra],
    ['nested', Type.Object({ inner }), { inner: { a: 1 } }, { inner: extra }],
    ['in an array', Type.Object({ list: Type.Array(inner) }), { list: [{ a: 1 }] }, { list: [extra] }],
    ['in a tuple', Type.Object({ pair: Type.Tuple([inner]) }), { pair: [{ a: 1 }] }, { pair: [extra] }],
    [
      'in a record',
      Type.Object({ map: Type.Record(Type.String(), inner) }),
      { map: { x: { a: 1 } } },
      { map: { x: extra } },
    ],
    ['optional', Type.Object({ inner: Type.Optional(inner) }), { inner: { a: 1 } }, { inner: extra }],
    [
      'in a union',
      Type.Object({ one: Type.Union([Type.String(), inner]) }),
      { one: { a: 1 } },
      { one: extra },
    ],
    ['a union', Type.Union([Type.Object({ b: Type.Number() }), inner]), { a: 1 }, extra],
    [
      'an intersection',
      Type.Intersect([inner, Type.Object({ b: Type.Number() })]),
      { a: 1, b: 2 },
      { ...extra, b: 2 },
    ],
    [
      'inside a member of an intersection',
      Type.Intersect([Type.Object({ inner }), Type.Object({ b: Type.Number() })]),
      { inner: { a: 1 }, b: 2 },
      { inner: extra, b: 2 },
    ],
    [
      'an intersection in an intersection',
      Type.Intersect([Type.Intersect([inner, Type.Object({ c: inner })]), Type.Object({ b: Type.Number() })]),
      { a: 1, b: 2, c: { a: 1 } },
      { a: 1, b: 2, c: extra },
    ],
    [
      'a union in an intersection',
      Type.Intersect([
        Type.Union([Type.Object({ b: Type.Number() }), Type.Object({ c: inner })]),
        Type.Object({ d: Type.Number() }),
      ]),
      { c: { a: 1 }, d: 1 },
      { c: extra, d: 1 },
    ],
    [
      'nullable, in plain JSON Schema',
      {
        type: 'object',
        properties: { one: { type: ['object', 'null'], properties: { a: { type: 'number' } } } },
      },
      { one: { a: 1 } },
      { one: extra },
    ],
    [
      'behind a condition that fails',
      {
        type: 'object',
        properties: { a: { enum: ['x', 'y'] } },
        if: { properties: { a: { const: 'x' } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { b: { type: 'number' } } },
        else: { properties: { c: { type: 'number' } } },
      },
      { a: 'y', c: 1 },
      { a: 'y', b: 1 },
    ],
    [
      'beside a list of which some items are not what one has to be',
      {
        type: 'object',
        properties: {
          b: { type: 'number' },
          a: { type: 'array', items: true, contains: { properties: { k: { type: 'number' } } } },
        },
        anyOf: [{ required: ['a'] }],
      },
      { a: [{ k: 1 }, { k: 'x' }], b: 1 },
      { a: [{ k: 1 }, { k: 'x' }], b: 1, isAdmin: true },
    ],
    [
      'beside an object that fails a condition with the same properties',
      {
        type: 'object',
        properties: { a: { type: 'object', additionalProperties: { type: 'number' } } },
        if: { properties: { a: { properties: { a: {}, isAdmin: {} }, required: ['b'] } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { b: { type: 'number' } } },
      },
      { a: { a: 1 } },
      { a: { a: 1, isAdmin: 1 }, isAdmin: true },
    ],
    [
      'in a definition',
      {
        type: 'object',
        properties: { one: { $ref: '#/$defs/inner' } },
        $defs: { inner: { type: 'object', properties: { a: { type: 'number' } } } },
      },
      { one: { a: 1 } },
      { one: extra },
    ],
  ];
  test.each(cases)('an unnamed property is refused: %s', (_, schema, right, wrong) => {
    expect(passes(schema, right)).toBe(true);
    expect(passes(schema, wrong)).toBe(false);
  });

  test('an object that allows further properties gets them', () => {
    const open = Type.Object({ a: Type.Number() }, { additionalProperties: true });
    expect(passes(open, { a: 1, more: true })).toBe(true);
    const strings = Type.Object({}, { additionalProperties: Type.String() });
    expect(passes(strings, { more: 'text' })).toBe(true);
    expect(passes(strings, { more: 7 })).toBe(false);
  });

  test('an object that allows further properties still refuses keys that pollute prototypes', () => {
    const check = compile(Type.Object({ a: Type.Optional(Type.Number()) }));
    expect(check.passes(JSON.parse('{"type":"say","__proto__":{"isAdmin":true}}'))).toBe(false);
    expect(check.passes(JSON.parse('{"type":"say","constructor":{"prototype":{}}}'))).toBe(false);
  });
});

describe('a body that has a type of its own', () => {
  test.each<[string, unknown]>([
    ['a literal', Type.Object({ type: Type.Literal('say'), a: Type.Number() })],
    ['an optional one', Type.Object({ type: Type.Optional(Type.Literal('say')), a: Type.Number() })],
    [
      'an enum of one',
      { type: 'object', properties: { type: { enum: ['say'] }, a: { type: 'number' } }, required: ['a'] },
    ],
    [
      'in every form',
      Type.Union([1, 2].map((a) => Type.Object({ type: Type.Literal('say'), a: Type.Literal(a) }))),
    ],
    [
      'in a part',
      Type.Intersect([Type.Object({ type: Type.Literal('say') }), Type.Object({ a: Type.Number() })]),
    ],
    [
      'behind a reference',
      {
        $ref: '#/$defs/b',
        $defs: {
          b: {
            type: 'object',
            properties: { type: { const: 'say' }, a: { type: 'number' } },
            required: ['a'],
          },
        },
      },
    ],
  ])("a body whose own type is the message's name is accepted: %s", (_what, schema) => {
    expect(passes(schema, { a: 1 })).toBe(true);
    for (const wrong of [{}, { a: 'x' }, { a: 1, evil: 1 }]) expect(passes(schema, wrong)).toBe(false);
    const reply = compileReply(schema, { type: 'say', option: 'policy.replies.say' });
    expect([reply.passes({ type: 'say', a: 1 }), reply.passes({ type: 'say', a: 'x' })]).toEqual([
      true,
      false,
    ]);
  });

  test.each<[string, unknown]>([
    ['another literal', Type.Object({ type: Type.Literal('shout') })],
    ['one of two', Type.Object({ type: Type.Union([Type.Literal('say'), Type.Literal('shout')]) })],
    [
      'a form without it',
      Type.Union([Type.Object({ type: Type.Literal('say') }), Type.Object({ a: Type.Number() })]),
    ],
    ['anything', Type.Object({ type: Type.Any() })],
    ['nothing', { type: 'object', properties: { type: false } }],
  ])('a body whose own type could be another name is refused at construction: %s', (_what, schema) => {
    expect(() => compile(schema)).toThrow(
      /^policy\.messages\.say: it has a property 'type' of its own.*Type\.Literal\('say'\)/,
    );
  });
});

describe('the type is none of the body’s own properties', () => {
  const tree = Old.Recursive((This) => Old.Object({ name: Old.String(), next: Old.Optional(This) }));
  const condition = JSON.parse('{ "if": { "required": ["type"] }, "then": { "required": ["b"] } }') as object;
  test.each<[string, unknown, object, object]>([
    ['a record of numbers', Type.Record(Type.String(), Type.Number()), { a: 1 }, { a: 'x' }],
    [
      'a record of texts',
      Type.Record(Type.String({ pattern: '^x' }), Type.String()),
      { x1: 'a' },
      { y: 'a' },
    ],
    [
      'names',
      { type: 'object', additionalProperties: true, propertyNames: { maxLength: 1 } },
      { a: 1 },
      { ab: 1 },
    ],
    [
      'how many',
      Type.Object({ a: Type.Optional(Type.Number()) }, { maxProperties: 1, minProperties: 1 }),
      { a: 1 },
      {},
    ],
    [
      'parts that are closed',
      { allOf: [{ type: 'object', properties: { a: {} }, additionalProperties: false }] },
      { a: 1 },
      { b: 1 },
    ],
    ['a condition', { type: 'object', properties: { a: {}, b: {} }, ...condition }, { a: 1 }, { c: 1 }],
    [
      'a refinement',
      Type.Refine(Type.Object({ a: Type.Number() }), (body) => Object.keys(body).length === 1),
      { a: 1 },
      { a: 'x' },
    ],
    [
      'a recursive one of TypeBox 0.34',
      tree,
      { name: 'a', next: { name: 'b' } },
      { name: 'a', next: { name: 'b', type: 'say' } },
    ],
    [
      'a cyclic one',
      Type.Cyclic({ N: Type.Object({ next: Type.Optional(Type.Ref('N')) }) }, 'N'),
      { next: {} },
      { next: { type: 'say' } },
    ],
    ['a constant', { type: 'object', const: { a: 1 } }, { a: 1 }, { a: 2 }],
  ])('the message type does not count as a property of the body: %s', (_what, schema, right, wrong) => {
    expect([passes(schema, right), passes(schema, wrong)]).toEqual([true, false]);
    const incoming = new Incoming('say', { type: 'say', ...right }, {}, undefined, 0);
    expect(compile(schema).look(incoming)).toBeUndefined();
    expect(incoming).toMatchObject({ body: { type: 'say', ...right }, changed: false });
    const reply = compileReply(schema, { type: 'say', option: 'policy.replies.say' });
    expect([reply.passes({ type: 'say', ...right }), reply.passesUntyped?.(right)]).toEqual([true, true]);
    expect([reply.passes({ type: 'say', ...wrong }), reply.passesUntyped?.(wrong)]).toEqual([false, false]);
  });

  test('the message type stays when a record is stripped or sanitized', () => {
    const texts = Type.Record(Type.String({ pattern: '^x' }), safeText({ maxLength: 3 }));
    const check = compileSchema(texts, {
      type: 'say',
      option: 'policy.messages.say',
      unknown: 'strip',
      bounds,
    });
    const look = (body: object) => {
      const incoming = new Incoming('say', { type: 'say', ...body }, {}, undefined, 0);
      return { mistake: check.look(incoming), body: incoming.body, changed: incoming.changed };
    };
    expect(look({ x: 'a', y: 1 })).toEqual({
      mistake: undefined,
      body: { type: 'say', x: 'a' },
      changed: true,
    });
    expect(look({ x: 'a\u200b' })).toEqual({
      mistake: undefined,
      body: { type: 'say', x: 'a' },
      changed: true,
    });
    expect(look({ x: 'abcd' })).toMatchObject({ mistake: { stage: 'sanitize', pointer: '/x' } });
    expect(look({ x: 1 })).toEqual({
      mistake: { stage: 'schema', pointer: '/x' },
      body: { type: 'say', x: 1 },
      changed: false,
    });
    const reported = new Incoming('say', { type: 'say', x: 'a\u200b', y: 1 }, {}, undefined, 0);
    expect(check.sanitize?.(reported)).toBeUndefined();
    expect(reported).toMatchObject({ body: { type: 'say', x: 'a', y: 1 }, changed: true });
  });
});

test('a TypeBox refinement is kept when a schema is closed', () => {
  const even = Type.Refine(
    Type.Number(),
    (value) => (value as number) % 2 === 0,
    () => 'odd',
  );
  expect(passes(Type.Object({ n: even }), { n: 2 })).toBe(true);
  expect(passes(Type.Object({ n: even }), { n: 3 })).toBe(false);
  const body = Type.Refine(
    Type.Object({ n: Type.Number() }),
    ({ n }) => n > 0,
    () => 'negative',
  );
  expect(passes(body, { n: 1 })).toBe(true);
  expect(passes(body, { n: -1 })).toBe(false);
  expect(passes(body, { n: 1, more: 1 })).toBe(false);
});

test('compiling leaves the given schema unchanged', () => {
  const schema = Type.Object({ inner: Type.Object({ a: Type.Number() }) });
  const before = JSON.stringify(schema);
  compile(schema);
  expect(JSON.stringify(schema)).toBe(before);
});

test('the pointer names the place of a mistake and not its value', () => {
  const check = compile(Type.Object({ list: Type.Array(Type.Object({ id: Type.Integer() })) }));
  const pointer = check.pointer({ type: 'say', list: [{ id: 1 }, { id: 'secret' }] });
  expect(pointer).toBe('/list/1/id');
  // The name of an unknown property is content as well.
  expect(check.pointer({ type: 'say', list: [{ id: 1, secret: 2 }] })).toBe('/list/0');
  const record = compile(Type.Object({ map: Type.Record(Type.String(), Type.Number()) }));
  expect(record.pointer({ type: 'say', map: { ['x'.repeat(9_000)]: 'y' } })).toHaveLength(200);
});

describe('refused at construction', () => {
  const cases: [string, unknown, RegExp][] = [
    ['no schema', undefined, /not a schema.*Type\.Object/],
    ['a text', 'object', /not a schema/],
    ['a body that is no object', Type.String(), /not an object.*Wrap it/],
    ['a list', Type.Array(Type.Object({})), /not an object/],
    ['anything', Type.Any(), /not an object/],
    ['a union with something else', Type.Union([Type.Object({}), Type.String()]), /not an object/],
    [
      'a type of its own',
      Type.Object({ type: Type.String() }),
      /'type' of its own, which is not the message's name.*Rename it, or say Type\.Literal\('say'\)/,
    ],
    ['a type of its own in a union', Type.Union([Type.Object({ type: Type.String() })]), /'type' of its own/],
    [
      'a type of its own in an intersection',
      Type.Intersect([Type.Object({ type: Type.String() }), Type.Object({})]),
      /'type' of its own/,
    ],
    [
      'an unknown format',
      Type.Object({ a: Type.String({ format: 'made-up' }) }),
      /'made-up' is unknown.*Register/,
    ],
    [
      'an unknown format deep inside',
      Type.Object({
        list: Type.Array(Type.Union([Type.Null(), Type.Object({ a: Type.String({ format: 'made-up' }) })])),
      }),
      /'made-up' is unknown/,
    ],
    [
      'an unknown format in an intersection',
      Type.Intersect([Type.Object({ a: Type.String({ format: 'made-up' }) }), Type.Object({})]),
      /'made-up' is unknown/,
    ],
    [
      'an unknown format behind a condition',
      { type: 'object', properties: { a: { not: { type: 'string', format: 'made-up' } } } },
      /'made-up' is unknown/,
    ],
    [
      'a codec',
      Type.Object({
        at: Type.Codec(Type.String())
          .Decode((text) => new Date(text))
          .Encode((date) => date.toISOString()),
      }),
      /codec.*convert in the handler/,
    ],
  ];
  test.each(cases)('a schema is refused at construction: %s', (_, schema, message) => {
    expect(() => compile(schema)).toThrow(message);
    expect(() => compile(schema)).toThrow(/^policy\.messages\.say/);
  });

  test('a known format is checked', () => {
    const schema = Type.Object({ mail: Type.String({ format: 'email' }) });
    expect(passes(schema, { mail: 'a@example.com' })).toBe(true);
    expect(passes(schema, { mail: 'nobody' })).toBe(false);
  });
});
