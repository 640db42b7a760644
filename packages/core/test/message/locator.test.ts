import { describe, expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { close } from '../../src/message/closed.ts';
import { isolated } from '../../src/message/isolated.ts';
import { compileLocator } from '../../src/message/locator.ts';

const locate = (schema: unknown, value: unknown): string =>
  compileLocator(isolated(close(schema as never)))(value);

const point = Type.Object({ x: Type.Number(), y: Type.Number() });
const tagged = Type.Union([
  Type.Object({ kind: Type.Literal('text'), text: Type.String({ maxLength: 3 }) }),
  Type.Object({ kind: Type.Literal('point'), at: point }),
  Type.Object({ kind: Type.Union([Type.Literal('a'), Type.Literal('b')]), list: Type.Array(Type.Number()) }),
]);
const tree = Type.Cyclic(
  { Node: Type.Object({ value: Type.Number(), next: Type.Array(Type.Ref('Node')) }) },
  'Node',
);
const ofPart = (part: unknown) => ({ type: 'object', properties: { part } });

describe('the place of a mistake', () => {
  test.each<[what: string, schema: unknown, value: unknown, pointer: string]>([
    ['the value itself', Type.String(), 5, ''],
    ['a property', point, { x: 1, y: 'no' }, '/y'],
    ['a missing property is told by the object around it', ofPart(point), { part: { x: 1 } }, '/part'],
    [
      'an unknown property is told by the object around it',
      ofPart(point),
      { part: { x: 1, y: 2, z: 3 } },
      '/part',
    ],
    [
      'an item',
      Type.Object({ list: Type.Array(point) }),
      {
        list: [
          { x: 1, y: 2 },
          { x: 1, y: '' },
        ],
      },
      '/list/1/y',
    ],
    ['an item of a tuple', Type.Tuple([Type.Number(), point]), [1, { x: 1, y: '' }], '/1/y'],
    ['a list that is too long', Type.Array(Type.Number(), { maxItems: 1 }), [1, 2], ''],
    ['a property by pattern', Type.Record(Type.String(), point), { home: { x: 1, y: '' } }, '/home/y'],
    [
      'a further property',
      Type.Object({}, { additionalProperties: point }),
      { home: { x: '', y: 1 } },
      '/home/x',
    ],
    ['the form that a tag names', tagged, { kind: 'point', at: { x: 1, y: '' } }, '/at/y'],
    ['the form that one of two tags names', tagged, { kind: 'b', list: [1, ''] }, '/list/1'],
    ['a property too many in a form', ofPart(tagged), { part: { kind: 'text', text: '', at: 1 } }, '/part'],
    ['a tag that no form has', ofPart(tagged), { part: { kind: 'c', text: '' } }, '/part'],
    [
      'the form that alone names all keys',
      Type.Union([point, Type.Object({ x: Type.Number(), y: Type.Number(), z: Type.Number() })]),
      { x: 1, y: 1, z: '' },
      '/z',
    ],
    [
      'the object of several types',
      ofPart(Type.Union([Type.String(), point])),
      { part: { x: 1, y: '' } },
      '/part/y',
    ],
    ['neither of several types', ofPart(Type.Union([Type.String(), Type.Number()])), { part: true }, '/part'],
    [
      'a member of an intersection',
      Type.Intersect([point, Type.Object({ z: point })]),
      { x: 1, y: 1, z: { x: 1 } },
      '/z',
    ],
    [
      'a schema that holds itself',
      tree,
      { value: 1, next: [{ value: 1, next: [{ value: '', next: [] }] }] },
      '/next/0/next/0/value',
    ],
    [
      'a reference to the whole',
      ofPart({ anyOf: [{ type: 'null' }, { $ref: '#' }] }),
      { part: { part: { part: 5 } } },
      '/part/part/part',
    ],
    [
      'a reference to a definition',
      { ...ofPart({ $ref: '#/$defs/p' }), $defs: { p: point } },
      { part: { x: 1, y: '' } },
      '/part/y',
    ],
    [
      'a branch of a condition',
      JSON.parse(
        '{"type":"object","properties":{"a":{},"b":{}},"if":{"properties":{"a":{"const":1}}},"then":{"properties":{"b":{"type":"number"}}}}',
      ),
      { a: 1, b: '' },
      '/b',
    ],
    ['a refinement', ofPart(Type.Refine(Type.String(), (text) => text !== 'no')), { part: 'no' }, '/part'],
    ['a key with signs of a pointer', Type.Record(Type.String(), Type.Number()), { 'a/b~c': '' }, '/a~1b~0c'],
  ])('%s', (_what, schema, value, pointer) => {
    expect(locate(schema, value)).toBe(pointer);
  });

  test('is told as far as the work allows, where long texts make the search cost much', () => {
    const levels = 20;
    let schema: unknown = Type.Array(Type.String({ maxLength: 100 }));
    let value: unknown = [...Array(400).fill('x'.repeat(100)), 'x'.repeat(101)];
    for (let i = 0; i < levels; i++) [schema, value] = [ofPart(schema), { part: value }];
    expect(locate(schema, value)).toBe('/part/part');
  });
});
