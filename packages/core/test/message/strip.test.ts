import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { close } from '../../src/message/closed.ts';
import { compileSchema } from '../../src/message/schema.ts';
import { compileStrip } from '../../src/message/strip.ts';
import type { SchemaNode } from '../../src/wire/envelope.ts';
import { Incoming } from '../../src/wire/incoming.ts';
import { WIDE } from '../support/message-room.ts';

/** What becomes of a body where unknown properties are left out: the body that is handed on, or where it is wrong. */
function strip(schema: unknown, came: unknown): { body?: unknown; changed?: boolean; pointer?: string } {
  const options = { type: undefined, option: 'test', unknown: 'strip', bounds: WIDE } as const;
  const incoming = new Incoming('say', structuredClone(came), {}, undefined, 0);
  const mistake = compileSchema(schema, options).look(incoming) as { pointer: string } | undefined;
  const { body, changed } = incoming;
  if (mistake === undefined) return { body, changed };
  // A refused value is unchanged: a stage that only reports lets it through as it came.
  expect({ body, changed }).toEqual({ body: came, changed: false });
  return { pointer: mistake.pointer };
}

const inner = Type.Object({ a: Type.Number(), more: Type.Optional(Type.String()) });
const wrong = { a: 1, evil: true };
const right = { a: 1 };
const named = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });

/** As text, since an object with a `then` is taken for a promise. */
const CONDITION = `{
  "if": { "properties": { "kind": { "const": "a" } } },
  "then": { "properties": { "x": { "type": "object", "properties": { "a": {} } } } },
  "else": { "properties": { "y": {} } }
}`;

describe('what no schema names is left out', () => {
  const cases: [string, unknown, object, object][] = [
    ['of the body itself', inner, wrong, right],
    ['of an object inside', Type.Object({ in: inner }), { in: wrong }, { in: right }],
    ['of an optional one', Type.Object({ in: Type.Optional(inner) }), { in: wrong, evil: 1 }, { in: right }],
    ['in a list', Type.Object({ l: Type.Array(inner) }), { l: [wrong, right] }, { l: [right, right] }],
    [
      'in a list of lists',
      Type.Object({ l: Type.Array(Type.Array(inner)) }),
      { l: [[wrong]] },
      { l: [[right]] },
    ],
    [
      'in a tuple',
      Type.Object({ t: Type.Tuple([inner, inner]) }),
      { t: [wrong, wrong] },
      { t: [right, right] },
    ],
    [
      'in a record',
      Type.Object({ r: Type.Record(Type.String(), inner) }),
      { r: { x: wrong } },
      { r: { x: right } },
    ],
    ['in further properties', Type.Object({}, { additionalProperties: inner }), { x: wrong }, { x: right }],
    [
      'of an intersection',
      Type.Intersect([inner, Type.Object({ b: inner })]),
      { ...wrong, b: wrong },
      { ...right, b: right },
    ],
    [
      'of an intersection in an intersection',
      Type.Intersect([Type.Intersect([inner, Type.Object({ b: inner })]), Type.Object({ c: inner })]),
      { ...wrong, b: wrong, c: wrong },
      { ...right, b: right, c: right },
    ],
    ['of a union', Type.Union([Type.Object({ z: Type.Number() }), inner]), wrong, right],
    [
      'behind a reference',
      named({ in: { $ref: '#/$defs/in' } }, { $defs: { in: inner } }),
      { in: wrong },
      { in: right },
    ],
    [
      'behind references that lead back',
      named({ a: { type: 'number' }, next: { $ref: '#' } }),
      { a: 1, next: { a: 2, evil: 1, next: { a: 3, evil: 1 } }, evil: 1 },
      { a: 1, next: { a: 2, next: { a: 3 } } },
    ],
    [
      'behind a name, and what it means by #',
      named(
        { in: { $ref: 'N' }, a: { type: 'string' } },
        { $defs: { n: named({ a: { type: 'number' }, n: { $ref: '#' } }, { $id: 'N' }) } },
      ),
      { in: { a: 1, n: { a: 2, evil: 1 } } },
      { in: { a: 1, n: { a: 2 } } },
    ],
    [
      'in a union of references',
      named(
        { in: { anyOf: [{ $ref: '#/$defs/x' }, { $ref: '#/$defs/in' }] } },
        { $defs: { in: inner, x: named({ x: { const: 1 } }, { required: ['x'] }) } },
      ),
      { in: wrong },
      { in: right },
    ],
    [
      'of a nullable one',
      Type.Object({ in: Type.Union([inner, Type.Null()]) }),
      { in: wrong },
      { in: right },
    ],
    [
      'of the form that its kind names',
      Type.Object({
        one: Type.Union([
          Type.Object({ kind: Type.Literal('a'), x: Type.Optional(inner) }),
          Type.Object({ kind: Type.Literal('b'), y: Type.Optional(inner) }),
        ]),
      }),
      { one: { kind: 'b', y: wrong, x: right } },
      { one: { kind: 'b', y: right } },
    ],
    [
      'in plain JSON Schema, tuples of both drafts',
      named({
        t: { type: 'array', items: [inner], additionalItems: inner },
        p: { type: 'array', prefixItems: [inner], items: inner },
      }),
      { t: [wrong, wrong], p: [wrong, wrong] },
      { t: [right, right], p: [right, right] },
    ],
    [
      'beside patterns, each by its own',
      {
        type: 'object',
        patternProperties: { '^a': named({ x: {} }) },
        additionalProperties: named({ y: {} }),
      },
      { a1: { x: 1, y: 2 }, b: { x: 1, y: 2 } },
      { a1: { x: 1 }, b: { y: 2 } },
    ],
    [
      'behind a condition',
      named({ kind: {} }, JSON.parse(CONDITION) as object),
      { kind: 'a', x: wrong, evil: 1 },
      { kind: 'a', x: right },
    ],
    [
      'that comes with another property',
      named({ card: {} }, { dependentSchemas: { card: named({ address: inner }) } }),
      { card: 1, address: wrong, evil: 1 },
      { card: 1, address: right },
    ],
    [
      'although it poisons prototypes',
      inner,
      JSON.parse('{"a":1,"__proto__":{"x":1},"constructor":{"prototype":{}}}'),
      right,
    ],
  ];
  test.each(cases)('an unnamed property is stripped: %s', (_, schema, came, expected) => {
    expect(strip(schema, came)).toStrictEqual({ body: expected, changed: true });
    expect(strip(schema, expected)).toStrictEqual({ body: expected, changed: false });
  });
});

describe('what a schema names is kept, whatever else is left out', () => {
  const forms = Type.Union([
    Type.Object({ kind: Type.Literal('a'), data: Type.Object({ x: Type.Optional(Type.Number()) }) }),
    Type.Object({ kind: Type.Literal('b'), data: Type.Object({ y: Type.Optional(Type.Number()) }) }),
  ]);
  test('a property named by another form of the same object is kept', () => {
    const schema = Type.Intersect([Type.Object({ id: Type.Number() }), forms]);
    expect(strip(schema, { id: 1, kind: 'b', data: { y: 2 }, evil: 3 }).body).toEqual({
      id: 1,
      kind: 'b',
      data: { y: 2 },
    });
    expect(strip(schema, { id: 1, kind: 'a', data: { x: 2 }, evil: 3 }).body).toEqual({
      id: 1,
      kind: 'a',
      data: { x: 2 },
    });
  });

  test('a value that fits a later form unchanged keeps all its properties', () => {
    const either = Type.Union([inner, Type.Object({ a: Type.Number(), b: Type.Number() })]);
    const schema = Type.Object({ one: either });
    expect(strip(schema, { one: { a: 1, b: 2 }, evil: 3 }).body).toEqual({ one: { a: 1, b: 2 } });
    // The value fits neither form unchanged, so the one that fits with the fewest properties left out decides.
    expect(strip(schema, { one: { a: 1, b: 2, evil: 3 } }).body).toEqual({ one: { a: 1, b: 2 } });
  });

  test('further properties are kept if the schema allows them', () => {
    const open = Type.Object({ in: Type.Object({ a: Type.Number() }, { additionalProperties: true }) });
    expect(strip(open, { in: { a: 1, more: 2 }, evil: 3 }).body).toEqual({ in: { a: 1, more: 2 } });
    expect(strip(Type.Object({ any: Type.Any() }), { any: { x: { y: 1 } }, evil: 1 }).body).toEqual({
      any: { x: { y: 1 } },
    });
  });

  test('bytes of a codec are kept', () => {
    const bytes = Type.Object({
      b: Type.Refine(
        Type.Unsafe<Uint8Array>({}),
        (v) => v instanceof Uint8Array,
        () => '',
      ),
    });
    const { body } = strip(bytes, { b: Uint8Array.of(1, 2), evil: 1 });
    expect(body).toEqual({ b: Uint8Array.of(1, 2) });
    expect((body as { b: unknown }).b).toBeInstanceOf(Uint8Array);
  });
});

describe('a stripped body that does not fit is refused and left unchanged', () => {
  test.each<[string, unknown, object, string]>([
    ['a wrong field beside an unknown one', inner, { a: 'x', evil: 1 }, '/a'],
    ['a missing field', Type.Object({ in: inner }), { in: { evil: 1 } }, '/in'],
    ['an item too many', Type.Object({ t: Type.Tuple([inner]) }), { t: [wrong, wrong], evil: 1 }, '/t'],
    [
      'a property of another form',
      Type.Intersect([
        Type.Object({ id: Type.Number() }),
        Type.Union([Type.Object({ x: Type.Number() }), Type.Object({ y: Type.String() })]),
      ]),
      { id: 1, x: 1, y: 1 },
      '',
    ],
    [
      'what two patterns ask for together',
      { type: 'object', patternProperties: { '^a': named({ x: {} }), z$: named({ y: {} }) } },
      { az: { x: 1, y: 2, evil: 3 } },
      '/az',
    ],
    ['a list in an object’s place', Type.Object({ in: inner }), { in: [wrong] }, '/in'],
  ])('a body that does not fit after stripping is refused and unchanged: %s', (_, schema, came, pointer) => {
    expect(strip(schema, came)).toEqual({ pointer });
  });
});

type Gen = fc.GeneratorValue;
const below = (g: Gen, limit: number): number => g(fc.nat, { max: limit - 1 });
const pick = <T>(g: Gen, list: readonly T[]): T => list[below(g, list.length)] as T;
const NAMES = ['a', 'b', 'c', 'constructor', 'kind', ''];

/** Is asked to put something into each object that is closed. */
type Spoil = (object: object) => object;

/** A schema, and a way to draw values that fit it. */
interface Drawn {
  readonly schema: SchemaNode;
  readonly value: (spoil: Spoil) => unknown;
}

function draw(g: Gen, depth: number): Drawn {
  switch (below(g, depth > 0 ? 9 : 3)) {
    case 0:
      return { schema: { type: 'string' }, value: () => pick(g, ['', 'x']) };
    case 1:
      return { schema: { type: 'number' }, value: () => below(g, 10) };
    case 2:
      return { schema: {}, value: () => pick(g, [null, true, { any: { thing: 1 } }]) };
    case 3: {
      const items = draw(g, depth - 1);
      return {
        schema: { type: 'array', items: items.schema },
        value: (spoil) => Array.from({ length: below(g, 4) }, () => items.value(spoil)),
      };
    }
    case 4: {
      const items = Array.from({ length: 1 + below(g, 2) }, () => draw(g, depth - 1));
      const [keyword, end] = pick(g, [
        ['items', 'additionalItems'] as const,
        ['prefixItems', 'items'] as const,
      ]);
      return {
        schema: { type: 'array', [keyword]: items.map(({ schema }) => schema), [end]: false },
        value: (spoil) => items.map((item) => item.value(spoil)),
      };
    }
    case 5: {
      const entry = draw(g, depth - 1);
      return {
        schema: { type: 'object', patternProperties: { '^k': entry.schema } },
        value: (spoil) => spoil({ k1: entry.value(spoil), k2: entry.value(spoil) }),
      };
    }
    case 6: {
      const forms = ['x', 'y'].map((kind) => drawObject(g, depth, NAMES, { kind: { const: kind } }));
      return {
        schema: { anyOf: forms.map(({ schema }) => schema) },
        value: (spoil) => pick(g, forms).value(spoil),
      };
    }
    case 7: {
      const parts = [drawObject(g, depth, ['a', 'b']), drawObject(g, depth, ['c', ''])];
      return {
        schema: { allOf: parts.map(({ schema }) => schema) },
        value: (spoil) => spoil(Object.assign({}, ...parts.map(({ members }) => members(spoil)))),
      };
    }
    default:
      return drawObject(g, depth, NAMES);
  }
}

function drawObject(
  g: Gen,
  depth: number,
  names: readonly string[],
  fixed: Readonly<Record<string, { readonly const: string }>> = {},
): Drawn & { readonly members: (spoil: Spoil) => object } {
  const free = names.filter((name) => !(name in fixed) && below(g, 3) > 0);
  const properties = new Map(free.map((name) => [name, draw(g, depth - 1)] as const));
  const required = [...Object.keys(fixed), ...free.filter(() => below(g, 3) > 0)];
  const members = (spoil: Spoil): object => ({
    ...Object.fromEntries(Object.entries(fixed).map(([name, schema]) => [name, schema.const])),
    ...Object.fromEntries(
      [...properties]
        .filter(([name]) => required.includes(name) || below(g, 2) === 0)
        .map(([name, inner]) => [name, inner.value(spoil)]),
    ),
  });
  const schemas = Object.fromEntries([...properties].map(([name, inner]) => [name, inner.schema]));
  return {
    schema: { type: 'object', properties: { ...fixed, ...schemas }, required },
    members,
    value: (spoil) => spoil(members(spoil)),
  };
}

describe('any schema', () => {
  const wanted = { seed: 5, numRuns: 200 };
  const nothing: Spoil = (object) => object;

  test('property: a value that fits its schema loses nothing', () => {
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const { schema, value } = drawObject(g, 3, NAMES);
        const leaveOut = compileStrip(close(schema));
        const came = value(nothing);
        expect(strip(schema, came)).toEqual({ body: came, changed: false });
        expect(leaveOut(structuredClone(came))).toEqual(came);
      }),
      wanted,
    );
  });

  test('property: unnamed properties are stripped at every depth, and nothing else', () => {
    let spoiled = 0;
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const { schema, value } = drawObject(g, 3, NAMES);
        const came = value((object) => {
          if (below(g, 3) > 0) return object;
          spoiled++;
          return { ...object, [pick(g, ['evil', '__proto', 'toString'])]: { more: [1] } };
        });
        const { body, pointer } = strip(schema, came);
        expect(pointer).toBeUndefined();
        expect(JSON.stringify(body)).toBe(JSON.stringify(without(came)));
      }),
      wanted,
    );
    expect(spoiled).toBeGreaterThan(100);
  });

  test('property: a stripped message fits the closed schema, or is refused', () => {
    const seen = { passed: 0, refused: 0 };
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const { schema } = drawObject(g, 2, NAMES.slice(0, 3));
        // A value drawn for another schema is wrong in unforeseen ways.
        const came = drawObject(g, 2, NAMES.slice(0, 3)).value((object) => ({ ...object, evil: 1 }));
        const { body, pointer } = strip(schema, came);
        seen[pointer === undefined ? 'passed' : 'refused']++;
        if (pointer === undefined) expect(Compile(close(schema) as never).Check(body)).toBe(true);
      }),
      wanted,
    );
    expect(Math.min(seen.passed, seen.refused)).toBeGreaterThan(5);
  });
});

/** The value without what was put into it. */
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !['evil', '__proto', 'toString'].includes(name));
  return Object.fromEntries(kept.map(([name, inner]) => [name, without(inner)]));
}
