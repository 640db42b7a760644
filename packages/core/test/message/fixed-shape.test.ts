import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Type } from 'typebox';
import { close } from '../../src/message/closed.ts';
import { fixedKeys } from '../../src/message/fixed-shape.ts';
import { isAcceptable, type ValueBounds } from '../../src/message/parse.ts';
import { inspectMessage } from '../../src/message/pipeline.ts';
import type { CompiledType } from '../../src/message/rules.ts';
import type { SchemaNode } from '../../src/wire/envelope.ts';
import type { EnvelopeName } from '../../src/wire/envelopes.ts';
import { rulesOf, TestSender } from '../support/message-room.ts';

const BOUNDS: ValueBounds = { depth: 3, keys: 4, items: 10, text: 100, number: 1_000 };
const keysOf = (schema: object) => fixedKeys(close(schema as SchemaNode), BOUNDS);

const small = Type.Integer({ minimum: -1_000, maximum: 1_000 });
const flag = Type.Boolean();

describe('fixedKeys', () => {
  test.each<[string, object, number]>([
    ['nothing', Type.Object({}), 0],
    ['flat', Type.Object({ a: Type.String(), b: small, c: flag, d: Type.Null() }), 4],
    ['nested', Type.Object({ a: Type.Object({ b: Type.Object({ c: flag }) }) }), 3],
    ['as deep as it may be', Type.Object({ a: Type.Array(Type.Array(flag)) }), 1],
    ['lists of what has no keys', Type.Object({ a: Type.Array(Type.String()), b: Type.Array(small) }), 2],
    ['lists of objects without keys', Type.Object({ a: Type.Array(Type.Object({})) }), 1],
    ['literals', Type.Object({ a: Type.Literal('x'), b: Type.Literal(1_000), c: Type.Literal(true) }), 3],
    ['one of several texts', Type.Object({ a: Type.Enum(['x', 'y', 7]) }), 1],
    ['exclusive bounds', Type.Object({ a: Type.Number({ exclusiveMinimum: -1, exclusiveMaximum: 1 }) }), 1],
    [
      'texts however they are described',
      Type.Object({ a: Type.String({ pattern: '^a', format: 'email', maxLength: 5, description: 'x' }) }),
      1,
    ],
    [
      'a refinement, which only narrows',
      Type.Object({
        a: Type.Refine(
          Type.String(),
          () => true,
          () => '',
        ),
      }),
      1,
    ],
    ['plain JSON Schema', { type: 'object', properties: { a: { const: null } }, required: ['a'] }, 1],
  ])('the number of keys is constant: %s, case %#', (_, schema, expected) => {
    expect(keysOf(schema)).toBe(expected);
  });

  test.each<[string, object]>([
    ['an optional key', Type.Object({ a: Type.Optional(flag) })],
    ['a key that is not required', { type: 'object', properties: { a: { type: 'boolean' } } }],
    ['an open object', Type.Object({}, { additionalProperties: true })],
    ['further keys of a kind', Type.Object({}, { additionalProperties: flag })],
    ['a record', Type.Object({ a: Type.Record(Type.String(), flag) })],
    ['keys by pattern', { type: 'object', patternProperties: { '^a': { type: 'boolean' } } }],
    ['a union', Type.Object({ a: Type.Union([Type.String(), flag]) })],
    ['an intersection', Type.Intersect([Type.Object({ a: flag }), Type.Object({ b: flag })])],
    ['a tuple', Type.Object({ a: Type.Tuple([flag, flag]) })],
    ['a list of objects with keys', Type.Object({ a: Type.Array(Type.Object({ b: flag })) })],
    ['a list of anything', Type.Object({ a: { type: 'array' } as never })],
    ['anything', Type.Object({ a: Type.Any() })],
    ['no type', { type: 'object', properties: { a: { minimum: 1 } }, required: ['a'] }],
    ['several types', { type: 'object', properties: { a: { type: ['string', 'null'] } }, required: ['a'] }],
    ['a reference', { type: 'object', properties: { a: { $ref: '#/$defs/b' } }, required: ['a'] }],
    ['an unknown keyword', { type: 'object', unevaluatedProperties: true }],
    ['a number without bounds', Type.Object({ a: Type.Number() })],
    ['a number without an upper bound', Type.Object({ a: Type.Number({ minimum: 0 }) })],
    ['a number without a lower bound', Type.Object({ a: Type.Integer({ maximum: 0 }) })],
    ['a number whose bound is too far', Type.Object({ a: Type.Number({ minimum: 0, maximum: 1_001 }) })],
    [
      'a number whose lower bound is too far',
      Type.Object({ a: Type.Number({ minimum: -1_001, maximum: 0 }) }),
    ],
    ['a literal that is too large', Type.Object({ a: Type.Literal(1_001) })],
    ['one of several that is too large', Type.Object({ a: Type.Enum([1, -1_001]) })],
    ['a literal that is an object', { type: 'object', properties: { a: { const: {} } }, required: ['a'] }],
    ['one of several objects', { type: 'object', properties: { a: { enum: [[1]] } }, required: ['a'] }],
    ['a constructor', Type.Object({ constructor: flag as never })],
    [
      'a prototype, in plain JSON Schema',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"null"}},"required":["__proto__"]}'),
    ],
    ['one key too many', Type.Object({ a: flag, b: flag, c: flag, d: flag, e: flag })],
    ['one object too deep', Type.Object({ a: Type.Object({ b: Type.Object({ c: Type.Object({}) }) }) })],
    ['one list too deep', Type.Object({ a: Type.Array(Type.Array(Type.Array(flag))) })],
  ])('the number of keys is unknown: %s', (_, schema) => {
    expect(keysOf(schema)).toBeUndefined();
  });
});

const NAMES = ['a', 'b', ':', '"', '\\', '', 'prototype', 'constructor', '__proto__', 'toString', 'type'];

type Gen = fc.GeneratorValue;
const below = (g: Gen, limit: number): number => g(fc.nat, { max: limit - 1 });
const pick = <T>(g: Gen, list: readonly T[]): T => list[below(g, list.length)] as T;
const chance = (g: Gen, oneIn: number): boolean => below(g, oneIn) === 0;

/** Bounds so tight that most values are near one of them. */
function drawBounds(g: Gen): ValueBounds {
  return {
    depth: 1 + below(g, 5),
    keys: 1 + below(g, 8),
    items: pick(g, [1, 5, 40, 1_000, 1_000]),
    text: pick(g, [5, 80, 1_000, 1_000]),
    number: pick(g, [1, 100, Number.MAX_SAFE_INTEGER]),
  };
}

const drawNumber = (g: Gen): number => pick(g, [0, 1, -1, 2, 100, 101, -100, 1e9, 0.5]);

/** Mostly schemas whose shape is fixed, and some that only look so. */
function drawSchema(g: Gen, depth: number): SchemaNode {
  switch (below(g, depth > 0 ? 12 : 7)) {
    case 0:
      return { type: 'boolean' };
    case 1:
      return { type: 'null' };
    case 2:
      return { type: 'string', ...(chance(g, 3) && { maxLength: below(g, 9) }) };
    case 3: {
      const [minimum, maximum] = [drawNumber(g), drawNumber(g)].sort((a, b) => a - b);
      return { type: 'integer', ...(!chance(g, 6) && { minimum }), ...(!chance(g, 6) && { maximum }) };
    }
    case 4:
      return { const: pick(g, ['x', ':', 7, 1_001, null, true]) };
    case 5:
      return { enum: [pick(g, ['x', '":']), drawNumber(g)] };
    case 6:
      return pick(g, [{ type: ['string', 'null'] }, {}, { anyOf: [{ type: 'null' }, { type: 'object' }] }]);
    case 7:
      return { type: 'array', items: drawSchema(g, depth - 1) };
    default:
      return drawObject(g, depth);
  }
}

function drawObject(g: Gen, depth: number, taken: readonly string[] = []): SchemaNode {
  const names = new Set(Array.from({ length: below(g, 4) }, () => pick(g, NAMES)));
  for (const name of taken) names.delete(name);
  const required = [...names].filter(() => !chance(g, 8));
  const properties = [...names].map((name) => [name, drawSchema(g, depth - 1)] as const);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required,
    ...(chance(g, 8) && { additionalProperties: true }),
  };
}

/** JSON that mostly fits the schema, with now and then something in it that nobody asked for. */
function writeValue(g: Gen, schema: SchemaNode): string {
  if (chance(g, 25))
    return pick(g, ['[[[[[[]]]]]]', '1e999', '{"x":{"x":{}}}', '[0,0,0,0,0,0,0]', '"::::"', '-7']);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return JSON.stringify(pick(g, schema.enum));
  switch (schema.type) {
    case 'boolean':
      return 'true';
    case 'null':
      return 'null';
    case 'string':
      return pick(g, ['""', '"x"', '":"', '"\\":"', '"\\u003a"', '"a longer text"', '"\\\\"']);
    case 'integer':
      return String(pick(g, [schema.minimum, schema.maximum, 0, 1, 1e9, drawNumber(g)]) ?? -1);
    case 'array':
      return `[${Array.from({ length: below(g, 9) }, () => writeValue(g, schema.items as SchemaNode)).join(',')}]`;
    case 'object':
      return writeObject(g, schema);
    default:
      return pick(g, ['null', '"x"', '{}', '{"a":{"b":[[]]}}', '[[[]]]', '1e20']);
  }
}

function writeObject(g: Gen, schema: SchemaNode, first: readonly string[] = []): string {
  const required = schema.required as readonly string[];
  const members = Object.entries(schema.properties as Record<string, SchemaNode>)
    .filter(([name]) => required.includes(name) || chance(g, 2))
    .map(([name, inner]) => member(g, name, writeValue(g, inner)));
  members.unshift(...first);
  if (members.length > 0 && chance(g, 12)) members.push(pick(g, members));
  if (chance(g, 25)) members.push(member(g, pick(g, NAMES), 'null'));
  if (members.length > 1 && chance(g, 12)) members.pop();
  return `{${members.join(',')}}`;
}

function member(g: Gen, name: string, value: string): string {
  const blank = chance(g, 6) ? ' ' : '';
  return `${JSON.stringify(name)}${blank}:${blank}${value}`;
}

const id = (g: Gen): string[] => (chance(g, 2) ? [`"id":${pick(g, ['7', '1000000', '"a:b"', '""'])}`] : []);

/** A message of each envelope around a body; the pieces of an envelope in any order. */
const WRAP: Readonly<Record<EnvelopeName, (g: Gen, schema: SchemaNode) => string>> = {
  flat: (g, schema) => writeObject(g, schema, ['"type":"say"']),
  nested: (g, schema) => `{"data":${writeValue(g, schema)},${[...id(g), '"type":"say"'].join(',')}}`,
  'json-rpc': (g, schema) =>
    `{"jsonrpc":"2.0","method":"say",${[...id(g), `"params":${writeValue(g, schema)}`].join(',')}}`,
};

/** Whether the message is one that its schema alone walks through. */
function isShort(
  text: string,
  { check: { fixedKeys } }: CompiledType,
  { items, text: longest }: ValueBounds,
): boolean {
  return fixedKeys !== undefined && text.length <= Math.min(longest, 2 * items);
}

describe('property: a message that only its schema checked also passes the check of every value', () => {
  test.each<EnvelopeName>(['flat', 'nested', 'json-rpc'])('%s', (envelope) => {
    const seen = { passed: 0, short: 0 };
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const bounds = drawBounds(g);
        const schema = envelope === 'nested' ? drawSchema(g, 4) : drawObject(g, 4, ['type']);
        const unknownProperties = pick(g, ['refuse', 'strip'] as const);
        const options = { envelope, bounds, unknownProperties, reportSchema: chance(g, 4) };
        const rules = rulesOf({ say: { schema } }, options);
        for (let i = 0; i < 20; i++) {
          const text = WRAP[envelope](g, schema);
          const verdict = inspectMessage(text, false, new TestSender(), rules);
          if (!('incoming' in verdict)) continue;
          seen.passed++;
          if (isShort(text, rules.types.get('say') as CompiledType, bounds)) seen.short++;
          const acceptable = isAcceptable(JSON.parse(text), bounds, text);
          if (!acceptable) throw new Error(`${text} under ${JSON.stringify({ schema, ...options })}`);
        }
      }),
      { seed: 3, numRuns: 300 },
    );
    // Both ways were taken.
    expect(seen.short).toBeGreaterThan(300);
    expect(seen.passed - seen.short).toBeGreaterThan(100);
  });
});
