import { describe, expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { compileSchema } from '../../src/message/schema.ts';
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
  ])('%j passes: %s', (message, expected) => {
    expect(check.passes(message)).toBe(expected);
  });

  test('an empty body has only the type', () => {
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
      'without a type, in plain JSON Schema',
      { type: 'object', properties: { one: { properties: { a: { type: 'number' } } } } },
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
        properties: { b: { type: 'number' }, a: { contains: { properties: { k: { type: 'number' } } } } },
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
  test.each(cases)('%s', (_, schema, right, wrong) => {
    expect(passes(schema, right)).toBe(true);
    expect(passes(schema, wrong)).toBe(false);
  });

  test('except where a schema says otherwise', () => {
    const open = Type.Object({ a: Type.Number() }, { additionalProperties: true });
    expect(passes(open, { a: 1, more: true })).toBe(true);
    const strings = Type.Object({}, { additionalProperties: Type.String() });
    expect(passes(strings, { more: 'text' })).toBe(true);
    expect(passes(strings, { more: 7 })).toBe(false);
  });

  test('keys that poison prototypes are no exception', () => {
    const check = compile(Type.Object({ a: Type.Optional(Type.Number()) }));
    expect(check.passes(JSON.parse('{"type":"say","__proto__":{"isAdmin":true}}'))).toBe(false);
    expect(check.passes(JSON.parse('{"type":"say","constructor":{"prototype":{}}}'))).toBe(false);
  });
});

test('a refinement is kept', () => {
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

test('the given schema is left as it was', () => {
  const schema = Type.Object({ inner: Type.Object({ a: Type.Number() }) });
  const before = JSON.stringify(schema);
  compile(schema);
  expect(JSON.stringify(schema)).toBe(before);
});

test('the pointer says where the mistake is, and not what stood there', () => {
  const check = compile(Type.Object({ list: Type.Array(Type.Object({ id: Type.Integer() })) }));
  const pointer = check.pointer({ type: 'say', list: [{ id: 1 }, { id: 'secret' }] });
  expect(pointer).toBe('/list/1/id');
  // The name of a property that nobody asked for is what stood there.
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
    ['a type of its own', Type.Object({ type: Type.String() }), /'type' of its own.*Rename/],
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
  test.each(cases)('%s', (_, schema, message) => {
    expect(() => compile(schema)).toThrow(message);
    expect(() => compile(schema)).toThrow(/^policy\.messages\.say/);
  });

  test('a known format is checked', () => {
    const schema = Type.Object({ mail: Type.String({ format: 'email' }) });
    expect(passes(schema, { mail: 'a@example.com' })).toBe(true);
    expect(passes(schema, { mail: 'nobody' })).toBe(false);
  });
});
