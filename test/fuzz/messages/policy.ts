import { decode, encode } from '@msgpack/msgpack';
import {
  anonymous,
  type Codec,
  type EnvelopeName,
  escapedText,
  identifier,
  safeText,
  Type,
  webUrl,
} from '@sallyport/core';
import { z } from 'zod';
import { countingKeys } from '../../support/message-pack.ts';
import { BOUNDS } from './bounds.ts';

/** A note: each text has another sanitizer. */
export const texts = {
  title: safeText({ maxLength: 10 }),
  line: escapedText({ maxLength: 10, lines: true }),
  name: identifier({ maxLength: 8 }),
  link: webUrl({ maxLength: 40, protocols: ['https:'] }),
};

const point = Type.Object({
  x: Type.Integer({ minimum: -100, maximum: 100 }),
  y: Type.Integer({ minimum: -100, maximum: 100 }),
});
const digit = Type.Integer({ minimum: 0, maximum: 9 });

/** The rule of types that every client may send. */
const open = <S>(schema: S) => ({ schema, authorize: 'any' as const });
const stripping = <S>(schema: S) => ({ ...open(schema), unknownProperties: 'strip' as const });

/** Every kind of schema that a policy may have. `reference-schemas.ts` describes the same types independently. */
export const messages = {
  say: open(
    Type.Object({
      room: Type.String({ pattern: '^[a-z]{1,12}$' }),
      text: Type.String({ minLength: 1, maxLength: 20 }),
    }),
  ),
  move: open(
    Type.Object({ from: point, to: point, speed: Type.Number({ exclusiveMinimum: 0, maximum: 10 }) }),
  ),
  score: open(
    Type.Object({
      player: Type.String({ maxLength: 16 }),
      points: Type.Number(),
      level: Type.Integer({ minimum: 0, multipleOf: 5 }),
    }),
  ),
  tags: open(
    Type.Object({
      tags: Type.Array(Type.String({ maxLength: 8 }), { maxItems: 6, uniqueItems: true }),
      matrix: Type.Array(Type.Array(digit, { maxItems: 4 }), { maxItems: 4 }),
    }),
  ),
  pair: open(
    Type.Object({
      pair: Type.Tuple([Type.String({ maxLength: 8 }), digit, Type.Object({ on: Type.Boolean() })]),
      note: Type.Optional(Type.String({ maxLength: 8 })),
      none: Type.Optional(Type.Null()),
    }),
  ),
  prefs: open(
    Type.Object({
      values: Type.Record(
        Type.String({ pattern: '^[a-z]{1,6}$' }),
        Type.Union([Type.String({ maxLength: 8 }), Type.Number(), Type.Null()]),
      ),
      teams: Type.Record(Type.String(), Type.Object({ size: Type.Integer({ minimum: 0, maximum: 99 }) })),
    }),
  ),
  shape: open(
    Type.Union([
      Type.Object({ kind: Type.Literal('circle'), r: Type.Number({ minimum: 0.5 }) }),
      Type.Object({ kind: Type.Literal('rect'), w: Type.Integer(), h: Type.Integer() }),
      Type.Object({
        kind: Type.Literal('path'),
        points: Type.Array(Type.Tuple([Type.Number(), Type.Number()]), { maxItems: 5 }),
      }),
    ]),
  ),
  order: open(
    Type.Intersect([
      Type.Object({ id: Type.Integer({ minimum: 0 }) }),
      Type.Object({
        note: Type.Optional(Type.String()),
        more: Type.Optional(Type.Object({ deep: Type.Boolean() })),
      }),
      Type.Union([
        Type.Object({ card: Type.String({ maxLength: 5 }) }),
        Type.Object({ cash: Type.Number() }),
      ]),
    ]),
  ),
  profile: open(
    Type.Object({
      uid: Type.String({ format: 'uuid' }),
      born: Type.Optional(Type.String({ format: 'date' })),
      ip: Type.Optional(Type.String({ format: 'ipv4' })),
      mood: Type.Optional(Type.Enum(['good', 'bad', 3, false] as never)),
    }),
  ),
  note: open(
    Type.Object({
      title: texts.title,
      lines: Type.Array(texts.line, { maxItems: 4 }),
      by: Type.Optional(Type.Union([Type.Literal('anon'), Type.Object({ name: texts.name })])),
      links: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z]{1,4}$' }), texts.link)),
    }),
  ),
  plain: open({
    type: 'object',
    properties: {
      kind: { enum: ['a', 'b', 3, null] },
      list: { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'integer' }, minItems: 1 },
      map: {
        type: 'object',
        patternProperties: { '^x-': { type: 'string', maxLength: 6 } },
        additionalProperties: { type: 'integer' },
      },
      never: { not: { type: 'number' } },
      pick: {
        oneOf: [
          { type: 'integer', minimum: 0 },
          { type: 'integer', maximum: 0 },
        ],
      },
    },
    required: ['kind'],
    dependentRequired: { map: ['pick'] },
    if: { properties: { kind: { const: 'a' } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['list'] },
    else: { properties: { extra: { type: 'boolean' } } },
  }),
  tree: open({
    type: 'object',
    properties: { root: { $ref: '#/$defs/node' } },
    required: ['root'],
    $defs: {
      node: {
        type: 'object',
        properties: { v: { type: 'integer' }, kids: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['v'],
      },
    },
  }),
  trim: stripping(Type.Object({ a: digit, b: Type.String({ pattern: '^[a-z]{1,6}$' }) })),
  loose: stripping(
    Type.Object({
      id: Type.Integer(),
      inner: Type.Object({ x: Type.Number() }),
      items: Type.Array(Type.Object({ n: digit }), { maxItems: 3 }),
      pair: Type.Tuple([Type.Object({ u: Type.String() }), digit]),
      one: Type.Union([
        Type.Object({ k: Type.Literal('p'), v: digit }),
        Type.Object({ k: Type.Literal('q'), w: Type.String() }),
      ]),
      map: Type.Record(Type.String({ pattern: '^[a-z]{1,4}$' }), Type.Object({ z: Type.Boolean() })),
    }),
  ),
  blend: stripping(
    Type.Intersect([Type.Object({ a: digit }), Type.Object({ b: Type.Object({ c: digit }) })]),
  ),
  zod: open(
    z.object({
      room: z.string().regex(/^[a-z]{1,6}$/),
      count: z.number().int().min(0).max(50),
      mode: z.enum(['slow', 'fast']).default('slow'),
      tags: z
        .array(z.string().regex(/^[a-z]{1,5}$/))
        .max(3)
        .optional(),
    }),
  ),
  zodLoose: stripping(
    z.object({
      n: z.number().int().min(0).max(9),
      inner: z.object({ s: z.string().regex(/^[a-z]{1,5}$/) }).optional(),
    }),
  ),
  secret: {
    schema: Type.Object({
      level: Type.Integer({ minimum: 0, maximum: 5 }),
      word: Type.String({ maxLength: 10 }),
    }),
    authorize: ({ message }: { message: { level: number } }) => message.level <= 3,
  },
  vote: {
    schema: Type.Object({ n: digit }),
    authorize: async ({ message }: { message: { n: number } }) => message.n % 2 === 0,
  },
  /** A type without a rule, which is refused. */
  nobody: Type.Object({ why: Type.Optional(Type.String({ maxLength: 10 })) }),
  any: open(Type.Object({ value: Type.Unknown() })),
  open: open(Type.Object({ a: Type.Optional(digit) }, { additionalProperties: true })),
  /** Exactly as many keys as the limit allows beside an envelope with two keys. */
  wide: open(Type.Object(Object.fromEntries(Array.from({ length: 22 }, (_, i) => [`k${i}`, digit])))),
};

/** A MessagePack codec as an application would write it: it checks declared lengths before it decodes. */
export const messagePack: Codec = {
  contentType: 'application/msgpack',
  frames: 'binary',
  decode: (data, key) => decode(data as Uint8Array, { ...MOST, mapKeyConverter: countingKeys(key) }),
  encode: (value) => encode(value),
};
const MOST = {
  maxArrayLength: 4_096,
  maxMapLength: 4_096,
  maxStrLength: 65_536,
  maxBinLength: 65_536,
  maxExtLength: 256,
};

export function policyOf(envelope: EnvelopeName, codec: Codec | undefined) {
  return {
    auth: [anonymous()] as const,
    messages: messages as unknown as Record<string, unknown>,
    envelope,
    ...(codec !== undefined && { codec }),
    limits: {
      message: '64KiB',
      messages: { rate: '1000000/s', burst: 1_000_000_000 },
      bytes: { rate: '1024MiB/s', burst: '1000000MiB' },
      violations: 1_000_000_000,
      buffered: '64MiB',
      queuedMessages: 4,
      json: BOUNDS,
    },
    logger: false,
  } as const;
}
