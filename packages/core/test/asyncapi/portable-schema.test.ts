import { describe, expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { portable } from '../../src/asyncapi/portable-schema.ts';
import { close } from '../../src/message/closed.ts';

const text = { type: 'string' };
const part = (name: string) => ({ type: 'object', properties: { [name]: text } });

describe('later keywords in the words of draft-07', () => {
  test.each<[string, Record<string, unknown>, object]>([
    [
      'a tuple',
      { type: 'array', prefixItems: [text], items: false },
      { type: 'array', items: [text], additionalItems: false },
    ],
    [
      'a tuple of draft-07',
      { type: 'array', items: [text], additionalItems: { type: 'null' } },
      { type: 'array', items: [text], additionalItems: { type: 'null' } },
    ],
    ['a list', { type: 'array', items: text }, { type: 'array', items: text }],
    [
      'an empty tuple, which has to be one of something',
      { type: 'array', items: [], additionalItems: false },
      { type: 'array', items: false },
    ],
    [
      'what depends on a property',
      { dependentRequired: { a: ['b'] }, dependentSchemas: { a: part('c'), d: part('e') } },
      { dependencies: { a: { allOf: [{ required: ['b'] }, part('c')] }, d: part('e') } },
    ],
    ['a union of nothing', { anyOf: [] }, { not: {} }],
    ['an intersection of nothing', { allOf: [] }, {}],
    ['types of other languages', { type: 'bigint', const: 10n }, {}],
    ['one type of other languages', { type: ['string', 'undefined'] }, { type: ['string'] }],
    [
      'what is beside a reference',
      { $ref: '#/components/schemas/a', minProperties: 1 },
      { allOf: [{ $ref: '#/components/schemas/a' }, { minProperties: 1 }] },
    ],
    ['a reference', { $ref: '#/components/schemas/a', $defs: {} }, { $ref: '#/components/schemas/a' }],
  ])('keyword %s is translated to draft-07', (_what, schema, expected) => {
    expect(portable(schema)).toEqual(expected);
  });

  test('keywords in subschemas are translated as well', () => {
    const later = { prefixItems: [text] };
    const said = { items: [text] };
    const holders = [
      'not',
      'if',
      'then',
      'else',
      'contains',
      'propertyNames',
      'additionalProperties',
      'items',
    ];
    for (const keyword of holders) expect(portable({ [keyword]: later })).toEqual({ [keyword]: said });
    for (const keyword of ['allOf', 'anyOf', 'oneOf'])
      expect(portable({ [keyword]: [later, true] })).toEqual({ [keyword]: [said, true] });
    for (const keyword of ['properties', 'patternProperties'])
      expect(portable({ [keyword]: { a: later, $ref: text } })).toEqual({
        [keyword]: { a: said, $ref: text },
      });
  });
});

describe('objects that several schemas describe together', () => {
  const closed = (schema: object) => portable(close(schema as never, undefined));

  test('an object described by several schemas is closed by all their names', () => {
    const either = { ...part('a'), anyOf: [part('b'), { ...part('c'), patternProperties: { '^x': text } }] };
    expect(closed({ allOf: [part('a'), part('b')] }).propertyNames).toEqual({ enum: ['a', 'b'] });
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    const conditional = { ...part('a'), if: part('b'), then: part('c'), else: part('d') };
    expect(closed(conditional).propertyNames).toEqual({ enum: ['a', 'b', 'c', 'd'] });
    expect(closed({ ...part('a'), dependentSchemas: { a: part('b') } }).propertyNames).toEqual({
      enum: ['a', 'b'],
    });
    expect(closed(either).propertyNames).toEqual({ anyOf: [{ enum: ['a', 'b', 'c'] }, { pattern: '^x' }] });
    expect(closed({ ...either, anyOf: undefined, oneOf: either.anyOf }).propertyNames).toEqual({
      anyOf: [{ enum: ['a', 'b', 'c'] }, { pattern: '^x' }],
    });
    expect(closed({ allOf: [part('a')], propertyNames: { maxLength: 1 } }).propertyNames).toEqual({
      allOf: [{ maxLength: 1 }, { enum: ['a'] }],
    });
    expect(
      closed(Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })])),
    ).toHaveProperty('propertyNames', { enum: ['a', 'b'] });
  });

  test.each([
    ['one takes any', { allOf: [{ ...part('a'), additionalProperties: true }, part('b')] }],
    ['one takes any that fit', { allOf: [{ ...part('a'), additionalProperties: text }, part('b')] }],
    ['one is elsewhere', { allOf: [{ $ref: '#/components/schemas/a' }, part('b')] }],
    ['the whole is open by its own word', { allOf: [part('a')], unevaluatedProperties: true }],
  ])('an object described by several schemas is open if %s', (_what, schema) => {
    expect(closed(schema)).not.toHaveProperty('propertyNames');
  });
});

describe('what is nobody’s business is left out:', () => {
  test.each<[string, Record<string, unknown>]>([
    ['comments', { $comment: 'ask Bob' }],
    ['keywords of the application', { errorMessage: 'x', secret: 1 }],
    [
      'names that mean nothing elsewhere',
      { $id: 'a', $anchor: 'b', $schema: 'c', $defs: { d: text }, definitions: {} },
    ],
    ['references that nobody can follow', { $ref: 'https://internal.example.com/schema.json' }],
    ['references by name', { $ref: 'Node' }],
    ['what JSON has no words for', { default: undefined, const: () => 1, examples: [1n] }],
    ['hidden properties', Object.defineProperty({}, 'description', { value: 'hidden' })],
  ])('a document leaves out %s', (_what, more) => {
    expect(
      portable(Object.defineProperties({ type: 'string' }, Object.getOwnPropertyDescriptors(more))),
    ).toEqual(text);
  });

  test('keywords for readers are kept', () => {
    const told = {
      ...text,
      title: 'a',
      description: 'b',
      examples: ['c'],
      deprecated: true,
      'x-unit': { of: 'd' },
    };
    expect(portable(told)).toEqual(told);
  });
});
