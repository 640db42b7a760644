import { describe, expect, test } from '@jest/globals';
import { Type as Type34 } from '@sinclair/typebox';
import { type } from 'arktype';
import Type from 'typebox';
import * as v from 'valibot';
import * as z from 'zod';
import * as z3 from 'zod/v3';
import { compileBodyCheck, compileCheck } from '../../src/message/compile.ts';
import { WIDE } from '../support/message-room.ts';

const compile = (schema: unknown, name?: string) =>
  compileCheck(schema, { type: name, unknown: 'refuse', option: 'policy.messages.say', bounds: WIDE });

const text = { type: 'string' };
const object = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...more,
});

describe('what nothing can pass', () => {
  test.each<[string, unknown, string]>([
    ['a forbidden property that is required', Type.Object({ a: Type.Never() }), '#/properties/a'],
    ['the same of TypeBox 0.34', Type34.Object({ a: Type34.Never() }), '#/properties/a'],
    ['nothing at all', Type.Never(), ''],
    [
      'deep inside',
      object({ a: object({ b: object({ c: { not: {} } }) }) }),
      '#/properties/a/properties/b/properties/c',
    ],
    ['a constant of another type', object({ a: { type: 'string', const: 7 } }), '#/properties/a'],
    ['values of other types', object({ a: { type: 'integer', enum: [1.5, 'x', null] } }), '#/properties/a'],
    ['more properties than may be', object({ a: text, b: text }, { maxProperties: 1 }), ''],
    [
      'in all forms',
      { anyOf: [object({ a: { not: {} } }), object({ b: { not: {} } })] },
      '#/anyOf/0/properties/a',
    ],
    [
      'in one of several parts',
      { allOf: [object({ a: text }), object({ b: { not: {} } })] },
      '#/allOf/1/properties/b',
    ],
    [
      'one item at least, and none that passes',
      object({ a: { type: 'array', minItems: 1, items: { not: {} } } }),
      '#/properties/a/items',
    ],
    ['what needs itself', object({ a: text, in: { $ref: '#' } }), '#/properties/in/$ref'],
    [
      'two that need each other',
      {
        ...object({ a: { $ref: '#/$defs/a' } }),
        $defs: { a: object({ b: { $ref: '#/$defs/b' } }), b: object({ a: { $ref: '#/$defs/a' } }) },
      },
      '#/properties/a/$ref/properties/b/$ref/properties/a/$ref',
    ],
    [
      'Recursive of TypeBox 0.34 without an end',
      Type34.Recursive((Self) => Type34.Object({ a: Type34.String(), in: Self })),
      '#/properties/in/$ref',
    ],
  ])('throws at construction: %s', (_what, schema, at) => {
    for (const name of ['say', undefined]) {
      const message = new RegExp(`^policy\\.messages\\.say${at.replaceAll('$', '\\$')}:`);
      expect(() => compile(schema, name)).toThrow(message);
      expect(() => compile(schema, name)).toThrow(/nothing would pass/);
      expect(() => compileBodyCheck(schema, name, 'policy.replies.said')).toThrow(/nothing would pass/);
    }
  });

  test.each<[string, unknown]>([
    ['an optional property that is forbidden', Type.Object({ a: Type.Optional(Type.Never()) })],
    ['one of two forms', { anyOf: [object({ a: { not: {} } }), object({ b: text })] }],
    ['an empty list', object({ a: { type: 'array', items: { not: {} } } })],
    ['what is recursive with an end', Type34.Recursive((Self) => Type34.Object({ in: Type34.Array(Self) }))],
    [
      'a Recursive with an $id',
      Type34.Recursive((Self) => Type34.Object({ in: Type34.Optional(Self) }), { $id: 'N' }),
    ],
    ['a Record', Type34.Record(Type34.String(), Type34.String())],
    ['what needs one of two', object({ in: { anyOf: [{ $ref: '#' }, { type: 'null' }] } })],
    ['an integer among numbers', object({ a: { type: 'integer', enum: [1, 2] } })],
  ])('what something can pass is accepted: %s', (_what, schema) => {
    for (const name of ['say', undefined]) expect(() => compile(schema, name)).not.toThrow();
  });
});

describe('what no message holds', () => {
  const inZod: [string, unknown][] = [
    ['a date', z.date()],
    ['a bigint', z.bigint()],
    ['a map', z.map(z.string(), z.string())],
    ['a set', z.set(z.string())],
    ['a file', z.file()],
    ['a literal', z.literal(1n)],
    ['in a union', z.union([z.date(), z.bigint()])],
    ['refined, branded, read-only', z.date().brand('d').readonly()],
    ['before a transformation', z.date().transform(String)],
    ['lazily', z.lazy(() => z.date())],
    ['nothing', z.never()],
  ];
  const cases: [string, unknown][] = [
    ...inZod.map(([what, inner]): [string, unknown] => [`zod, ${what}`, z.object({ a: inner as z.ZodType })]),
    ['zod 3, a date', z3.object({ a: z3.date() })],
    ['zod 3, a refined bigint', z3.object({ a: z3.bigint().refine(() => true) })],
    ['zod 3, lazily', z3.lazy(() => z3.object({ a: z3.map(z3.string(), z3.string()) }))],
    ['valibot, a date', v.object({ a: v.date() })],
    ['valibot, a map', v.object({ a: v.map(v.string(), v.string()) })],
    ['valibot, a piped bigint', v.object({ a: v.pipe(v.bigint(), v.minValue(1n)) })],
    ['valibot, lazily', v.object({ a: v.lazy(() => v.set(v.string())) })],
    ['valibot, a text and a number', v.object({ a: v.pipe(v.unknown(), v.date()) })],
    ['arktype, a date', type({ a: 'Date' })],
    ['arktype, a bigint', type({ a: 'bigint' })],
    ['arktype, a map', type({ a: 'Map' })],
    ['arktype, never', type({ a: 'never' })],
  ];

  test.each(cases)('throws at construction, in every envelope: %s', (_what, schema) => {
    for (const name of ['say', undefined])
      expect(() => compile(schema, name)).toThrow(/^policy\.messages\.say#\/.*nothing would pass/);
  });

  test.each(cases.slice(0, 4))(
    'is no fault of a reply, which is checked before it is written: %s',
    (_what, schema) => {
      expect(() => compileBodyCheck(schema, 'said', 'policy.replies.said')).not.toThrow();
    },
  );

  test('the error names the place, the type and the fix', () => {
    expect(() => compile(z.object({ in: z.object({ at: z.date() }) }), 'say')).toThrow(
      'policy.messages.say#/properties/in/properties/at: nothing would pass, because no message holds a value of the type date. Describe what is sent, such as a text or a number, and convert it.',
    );
  });

  test.each<[string, unknown, unknown]>([
    ['zod, made from a text', z.object({ a: z.coerce.date() }), { a: '2026-01-01' }],
    [
      'zod, preprocessed',
      z.object({ a: z.preprocess((x) => new Date(String(x)), z.date()) }),
      { a: '2026-01-01' },
    ],
    [
      'zod, piped into',
      z.object({
        a: z.iso
          .datetime()
          .transform((x) => new Date(x))
          .pipe(z.date()),
      }),
      { a: '2026-01-01T00:00:00Z' },
    ],
    ['zod, optional', z.object({ a: z.date().optional(), b: z.bigint().default(1n) }), {}],
    ['zod, nullable', z.object({ a: z.date().nullable() }), { a: null }],
    ['zod, caught', z.object({ a: z.date().catch(new Date(0)) }), {}],
    ['zod, one of two', z.object({ a: z.union([z.date(), z.string()]) }), { a: 'x' }],
    ['zod 3, undefined', z3.object({ a: z3.undefined() }), {}],
    ['zod, a list', z.object({ a: z.array(z.date()) }), { a: [] }],
    ['zod 3, made from a text', z3.object({ a: z3.coerce.date() }), { a: '2026-01-01' }],
    [
      'zod 3, preprocessed',
      z3.object({ a: z3.preprocess((x) => new Date(String(x)), z3.date()) }),
      { a: '2026-01-01' },
    ],
    ['zod 3, optional', z3.object({ a: z3.date().optional().readonly() }), {}],
    ['zod 3, nullable', z3.object({ a: z3.date().nullable() }), { a: null }],
    [
      'valibot, after a transformation',
      v.object({
        a: v.pipe(
          v.string(),
          v.transform((x) => new Date(x)),
          v.date(),
        ),
      }),
      { a: '2026-01-01' },
    ],
    ['valibot, optional', v.object({ a: v.optional(v.date()) }), {}],
    ['valibot, nullable', v.object({ a: v.nullable(v.date()) }), { a: null }],
    ['valibot, with a fallback', v.object({ a: v.fallback(v.date(), new Date(0)) }), { a: 1 }],
    ['arktype, parsed', type({ a: 'string.date.parse' }), { a: '2026-01-01' }],
    ['arktype, optional', type({ 'a?': 'Date' }), {}],
    ['arktype, one of two', type({ a: 'Date | string' }), { a: 'x' }],
    ['arktype, bytes', type({ a: type.instanceOf(Uint8Array) }), { a: new Uint8Array(1) }],
  ])('what is made from what a message holds is accepted: %s', (_what, schema, body) => {
    const incoming = { type: 'say', body: { type: 'say', ...(body as object) }, changed: false };
    expect(compile(schema, 'say').look(incoming as never)).toBeUndefined();
  });
});
