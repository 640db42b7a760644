import { expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { SCHEMAS } from '../../src/asyncapi/portable-schema.ts';
import { SchemaShelf } from '../../src/asyncapi/schema-shelf.ts';

const text = { type: 'string' };
const node = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });
const to = (key: string) => ({ $ref: `${SCHEMAS}${key}` });

test('a body without references is unchanged and adds no component', () => {
  const shelf = new SchemaShelf();
  expect(shelf.body(node({ a: text }, { $defs: { unused: text } }), 'say')).toEqual(node({ a: text }));
  expect(shelf.record).toBeUndefined();
});

test('a part that is referred to in several ways becomes one component', () => {
  const shelf = new SchemaShelf();
  const body = node(
    {
      whole: { $ref: '#' },
      defined: { $ref: '#/$defs/a~1b' },
      again: { $ref: '#/$defs/a%7E1b' },
      draft7: { $ref: '#/definitions/old' },
      named: { $ref: 'Id' },
      anchored: { $ref: '#spot' },
      inner: { $ref: '#/properties/plain' },
      plain: { type: 'number' },
    },
    {
      $defs: {
        'a/b': node({ up: { $ref: '#' } }),
        c: { ...text, $id: 'Id' },
        d: { ...text, $anchor: 'spot' },
      },
      definitions: { old: text },
    },
  );
  const led = {
    whole: to('say'),
    defined: to('say.a_1b'),
    again: to('say.a_1b'),
    draft7: to('say.old'),
    named: to('say.Id'),
    anchored: to('say.spot'),
    inner: to('say.plain'),
    plain: { type: 'number' },
  };
  expect(shelf.body(body, 'say')).toEqual(node(led));
  expect(shelf.record).toEqual({
    say: node(led),
    'say.a_1b': node({ up: to('say') }),
    'say.old': text,
    'say.Id': text,
    'say.spot': text,
    'say.plain': { type: 'number' },
  });
});

test('a recursive TypeBox type becomes a component that refers to itself', () => {
  const shelf = new SchemaShelf();
  const Node = Type.Object({ kids: Type.Array(Type.Ref('Node')) });
  const cyclic = Type.Cyclic({ Node }, 'Node');
  const led = { ...node({ kids: { type: 'array', items: to('tree.Node') } }), required: ['kids'] };
  // A body that is nothing but a reference is what it refers to.
  expect(shelf.body(cyclic as never, 'tree')).toMatchObject(led);
  expect(shelf.body(Type.Object({ tree: cyclic }) as never, 'plant')).toMatchObject(
    node({ tree: to('plant.Node') }),
  );
  expect(shelf.record).toEqual({
    'tree.Node': led,
    'plant.Node': { ...led, properties: { kids: { type: 'array', items: to('plant.Node') } } },
  });
});

test.each([
  ['nowhere', '#/$defs/none'],
  ['no schema', '#/required'],
  ['another place', 'https://example.com/a'],
  ['nonsense', '#/%'],
])('a reference to %s allows any value', (_where, $ref) => {
  const shelf = new SchemaShelf();
  expect(shelf.body(node({ a: { $ref, minLength: 1 } }, { required: ['a'] }), 'say')).toEqual(
    node({ a: { minLength: 1 } }, { required: ['a'] }),
  );
  expect(shelf.record).toBeUndefined();
});

test('references that form a circle are resolved once', () => {
  const circle = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } };
  expect(new SchemaShelf().body(circle, 'say')).toEqual(to('say.b'));
});

test('two bodies of one name are shared if they are equal, and separate if not', () => {
  const shelf = new SchemaShelf();
  const body = (inner: object) => node({ a: { $ref: '#/$defs/a' } }, { $defs: { a: inner } });
  expect(shelf.body(body(text), 'say')).toEqual(node({ a: to('say.a') }));
  expect(shelf.body(body({ type: 'null' }), 'say')).toEqual(node({ a: to('say.a.2') }));
  expect(shelf.body(body(text), 'say')).toEqual(node({ a: to('say.a') }));
  expect(shelf.record).toEqual({ 'say.a': text, 'say.a.2': { type: 'null' } });
});
