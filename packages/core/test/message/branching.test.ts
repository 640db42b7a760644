import { expect, jest, test } from '@jest/globals';
import { type TSchema, Type } from '@sallyport/core';
import { compileCheck } from '../../src/message/compile.ts';
import { Incoming } from '../../src/wire/incoming.ts';
import { WIDE } from '../support/message-room.ts';

const compile = (schema: unknown, unknown: 'refuse' | 'strip' = 'refuse') =>
  compileCheck(Type.Object({ v: schema as TSchema }), {
    type: 'say',
    option: 'policy.messages.say',
    unknown,
    bounds: WIDE,
  });
const cyclic = (form: (self: TSchema) => TSchema): TSchema =>
  Type.Cyclic({ N: form(Type.Ref('N')) }, 'N') as never;
const inside = (self: TSchema) => ({ in: Type.Optional(self) });
const ref = (name: string) => Type.Ref(name) as TSchema;

test.each<[string, TSchema, string]>([
  [
    'members that differ in an optional property',
    cyclic((self) =>
      Type.Union([
        Type.Object(inside(self)),
        Type.Object({ ...inside(self), a: Type.Optional(Type.String()) }),
      ]),
    ),
    "#/properties/v/$defs/N: it contains itself, and several of its parts describe the same property 'in'",
  ],
  [
    'open members of which one requires more',
    cyclic((self) =>
      Type.Union([
        Type.Object(inside(self), { additionalProperties: true }),
        Type.Object({ ...inside(self), a: Type.String() }),
      ]),
    ),
    "the same property 'in'",
  ],
  [
    'members that differ deeper inside',
    cyclic((self) =>
      Type.Union([
        Type.Object(inside(self)),
        Type.Object({ in: Type.Object({ in: self }), a: Type.Optional(Type.String()) }),
      ]),
    ),
    "the same property 'in'",
  ],
  [
    'a property that is named, and any other property',
    cyclic((self) => Type.Union([Type.Object(inside(self)), Type.Record(Type.String(), self)])),
    "the same property 'in'",
  ],
  [
    'the parts of an intersection',
    cyclic((self) =>
      Type.Intersect([Type.Object(inside(self)), Type.Object({ ...inside(self), a: Type.Number() })]),
    ),
    "the same property 'in'",
  ],
  [
    'what follows from a condition',
    {
      $defs: {
        N: {
          $id: 'N',
          type: 'object',
          properties: { in: { $ref: 'N' }, a: { type: 'string' } },
          additionalProperties: false,
          if: { required: ['a'] },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: { properties: { in: { $ref: 'N' } } },
        },
      },
      $ref: 'N',
    } as never,
    "the same property 'in'",
  ],
  [
    'lists of itself, of two lengths',
    cyclic((self) => Type.Union([Type.Array(self), Type.Array(self, { maxItems: 3 })])),
    'several of its parts describe the same values',
  ],
  [
    'a union that holds a member twice, by way of another union',
    Type.Cyclic(
      {
        E: Type.Union([
          Type.Object({ k: Type.Literal('add'), l: Type.Union([ref('E'), ref('S')]) }),
          Type.Object({ k: Type.Literal('n'), v: Type.Number() }),
        ]),
        S: Type.Union([ref('E'), Type.Object({ k: Type.Literal('if'), c: ref('E') })]),
      },
      'S',
    ) as never,
    "#/properties/v/$defs/E/anyOf/0/properties/l: it contains itself, and several of its parts describe the same property 'l'",
  ],
])('a schema that doubles the work with each level of a message is refused: %s', (_what, schema, message) => {
  expect(() => compile(schema)).toThrow(message);
});

test.each<[string, TSchema]>([
  [
    'members with a constant that tells them apart',
    cyclic((self) =>
      Type.Union([
        Type.Object({ ...inside(self), k: Type.Literal('a') }),
        Type.Object({ ...inside(self), k: Type.Union([Type.Literal('b'), Type.Literal('c')]) }),
      ]),
    ),
  ],
  [
    'closed members of which one requires what the other does not name',
    cyclic((self) =>
      Type.Union([Type.Object(inside(self)), Type.Object({ ...inside(self), a: Type.String() })]),
    ),
  ],
  [
    'members with a property of two types',
    cyclic((self) =>
      Type.Union([
        Type.Object({ ...inside(self), a: Type.Number() }),
        Type.Object({ ...inside(self), a: Type.String() }),
      ]),
    ),
  ],
  [
    'any value of JSON',
    cyclic((self) =>
      Type.Union([
        Type.String(),
        Type.Number(),
        Type.Boolean(),
        Type.Null(),
        Type.Array(self),
        Type.Record(Type.String(), self),
      ]),
    ),
  ],
  [
    'a tree with several branches',
    cyclic((self) =>
      Type.Object({
        left: Type.Optional(self),
        right: Type.Union([self, Type.Null()]),
        kids: Type.Array(self),
      }),
    ),
  ],
  [
    'expressions and statements',
    Type.Cyclic(
      {
        E: Type.Union([
          Type.Object({ k: Type.Literal('add'), l: ref('E'), r: ref('E') }),
          Type.Object({ k: Type.Literal('n'), v: Type.Number() }),
        ]),
        S: Type.Union([ref('E'), Type.Object({ k: Type.Literal('if'), c: ref('E'), t: ref('S') })]),
      },
      'S',
    ) as never,
  ],
  [
    'one that contains itself, twice in a union that does not',
    Type.Union([
      Type.Object({ a: cyclic((self) => Type.Object(inside(self))) }),
      Type.Object({ a: Type.Optional(Type.String()) }),
    ]),
  ],
])('a schema that contains itself is compiled: %s', (_what, schema) => {
  expect(() => compile(schema)).not.toThrow();
});

test("with 'strip', a message that goes another way through a schema that contains itself compiles nothing", () => {
  const { look } = compile(
    cyclic((self) =>
      Type.Union([Type.Array(self), Type.Object({}, { patternProperties: { '^p': self } }), Type.Null()]),
    ),
    'strip',
  );
  const strip = (v: unknown) => {
    const body = { type: 'say', v };
    const incoming = new Incoming('say', body, body, undefined, 0);
    expect(look(incoming)).toBeUndefined();
    return (incoming.body as { v: unknown }).v;
  };
  expect(strip({ p: [{ p: null, q: 1 }], q: 1 })).toEqual({ p: [{ p: null }] });
  const compiled = jest.spyOn(globalThis, 'RegExp');
  try {
    expect(strip([[{ p: { p: [{ p: { p: null, q: 1 } }] }, q: 1 }]])).toEqual([
      [{ p: { p: [{ p: { p: null } }] } }],
    ]);
    expect(compiled).not.toHaveBeenCalled();
  } finally {
    compiled.mockRestore();
  }
});
