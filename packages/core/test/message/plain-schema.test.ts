import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { Format } from 'typebox/format';
import { compileSchema } from '../../src/message/schema.ts';
import { Incoming } from '../../src/wire/incoming.ts';
import { guardOf } from '../support/guards.ts';
import { WIDE } from '../support/message-room.ts';
import { openConnection } from '../support/open-connection.ts';

/** Whether a body fits the schema. */
function fits(schema: unknown, body: unknown): boolean {
  const options = {
    type: undefined,
    option: 'policy.messages.say',
    unknown: 'refuse',
    bounds: WIDE,
  } as const;
  return compileSchema(schema, options).look(new Incoming('say', body, {}, undefined, 0)) === undefined;
}

describe('plain JSON Schema', () => {
  const address = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'An address',
    type: 'object',
    properties: {
      street: { type: 'string', minLength: 1, maxLength: 10 },
      number: { type: 'integer', exclusiveMinimum: 0, maximum: 999 },
      country: { enum: ['AT', 'DE', null] },
      tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, uniqueItems: true, maxItems: 2 },
      point: {
        type: 'array',
        prefixItems: [{ type: 'number' }, { type: 'number' }],
        minItems: 2,
        maxItems: 2,
      },
    },
    required: ['street', 'number'],
  };
  const home = { street: 'Main', number: 7 };

  test.each<[object, boolean]>([
    [home, true],
    [{ ...home, country: 'AT', tags: ['a', 'b'], point: [1.5, -2] }, true],
    [{ ...home, country: null }, true],
    [{ street: 'Main' }, false],
    [{ ...home, street: '' }, false],
    [{ ...home, street: 'x'.repeat(11) }, false],
    [{ ...home, number: 0 }, false],
    [{ ...home, number: 1_000 }, false],
    [{ ...home, number: 1.5 }, false],
    [{ ...home, number: '7' }, false],
    [{ ...home, country: 'CH' }, false],
    [{ ...home, tags: ['a', 'a'] }, false],
    [{ ...home, tags: ['A'] }, false],
    [{ ...home, tags: ['a', 'b', 'c'] }, false],
    [{ ...home, point: [1] }, false],
    [{ ...home, point: [1, 'x'] }, false],
    [{ ...home, extra: 1 }, false],
    [[], false],
  ])('body %j fits the plain JSON Schema: %s', (body, expected) => {
    expect(fits(address, body)).toBe(expected);
  });

  test('plain JSON Schema validates a message with its type among the properties', async () => {
    const { say, socket, on } = await openConnection({ messages: { move: address } });
    const seen: unknown[] = [];
    on('move', (message) => void seen.push(message));
    await say({ type: 'move', ...home });
    await say({ type: 'move', ...home, number: 0 });
    expect(seen).toEqual([{ type: 'move', ...home }]);
    expect(socket.sent).toMatchObject([{ code: 'message_invalid', path: '/number' }]);
  });

  test('plain JSON Schema with a type from Type.Unsafe validates', () => {
    const unsafe = Type.Unsafe<{ street: string }>(address);
    expect([
      fits(unsafe, home),
      fits(unsafe, { ...home, number: 0 }),
      fits(unsafe, { ...home, extra: 1 }),
    ]).toEqual([true, false, false]);
    const inside = Type.Object({ at: Type.Unsafe<{ street: string }>(address) });
    expect([fits(inside, { at: home }), fits(inside, { at: { ...home, extra: 1 } })]).toEqual([true, false]);
  });

  test('a plain JSON Schema that refers to itself validates', () => {
    const tree = {
      type: 'object',
      properties: { value: { type: 'number' }, children: { type: 'array', items: { $ref: '#' } } },
      required: ['value'],
    };
    expect(fits(tree, { value: 1, children: [{ value: 2, children: [{ value: 3 }] }] })).toBe(true);
    expect(fits(tree, { value: 1, children: [{ value: 2, children: [{ value: '3' }] }] })).toBe(false);
    expect(fits(tree, { value: 1, children: [{ value: 2, evil: 1 }] })).toBe(false);
  });
});

describe('formats', () => {
  const mail = (format: unknown) => Type.Object({ text: Type.String({ format: format as string }) });
  const where: [string, string, (format: string) => unknown][] = [
    ['a property', '/properties/text', mail],
    [
      'an item',
      '/properties/list/items',
      (format) => Type.Object({ list: Type.Array(Type.String({ format })) }),
    ],
    [
      'a union',
      '/properties/one/anyOf/1',
      (format) => Type.Object({ one: Type.Union([Type.Null(), Type.String({ format })]) }),
    ],
    [
      'a record',
      '/properties/map/patternProperties/^.*$',
      (format) => Type.Object({ map: Type.Record(Type.String(), Type.String({ format })) }),
    ],
    [
      'a definition',
      '/$defs/a~1b',
      (format) => ({ type: 'object', $defs: { 'a/b': { type: 'string', format } } }),
    ],
    [
      'a tuple of draft 7',
      '/properties/t/items/0',
      (format) => ({
        type: 'object',
        properties: { t: { type: 'array', items: [{ type: 'string', format }] } },
      }),
    ],
    [
      'a condition',
      '/if/properties/a',
      (format) => ({ type: 'object', if: { properties: { a: { format } } }, else: false }),
    ],
    ['names', '/propertyNames', (format) => ({ type: 'object', propertyNames: { format } })],
    [
      'what must be contained',
      '/properties/l/contains',
      (format) => ({
        type: 'object',
        properties: { l: { type: 'array', items: true, contains: { format } } },
      }),
    ],
    [
      'further properties',
      '/additionalProperties',
      (format) => ({ type: 'object', additionalProperties: { type: 'string', format } }),
    ],
  ];

  test.each(where)('an unknown format is refused at construction in %s', (_, pointer, schema) => {
    expect(() => guardOf({ messages: { say: schema('made-up') } })).toThrow(
      `policy.messages.say#${pointer}/format: the format 'made-up' is unknown, so that it would check nothing. Register it with typebox/format, or use a pattern.`,
    );
    expect(() => guardOf({ messages: { say: { schema: schema('made-up'), authorize: 'any' } } })).toThrow(
      /'made-up' is unknown/,
    );
    expect(() => guardOf({ messages: { say: schema('email') } })).not.toThrow();
  });

  test.each([7, null, {}, '', 'toString', '__proto__'])('the format %j is refused as unknown', (format) => {
    expect(() => guardOf({ messages: { say: mail(format) } })).toThrow(/is unknown/);
  });

  test('an unknown format in a reply is refused at construction', () => {
    expect(() => guardOf({ replies: { said: mail('made-up') } })).toThrow(
      /^policy\.replies\.said#\/properties\/text\/format: the format 'made-up'/,
    );
  });

  test.each<[string, string, string]>([
    ['email', 'a@example.com', 'nobody'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123'],
    ['date-time', '2030-01-01T00:00:00Z', 'tomorrow'],
    ['date', '2030-01-01', '2030-13-01'],
    ['ipv4', '192.0.2.1', '192.0.2.256'],
    ['uri', 'https://example.com/', 'no'],
  ])('the format %s is checked', (format, right, wrong) => {
    expect([fits(mail(format), { text: right }), fits(mail(format), { text: wrong })]).toEqual([true, false]);
  });

  test('a format that the application has registered is checked', () => {
    Format.Set('even-length', (text) => text.length % 2 === 0);
    expect([fits(mail('even-length'), { text: 'ab' }), fits(mail('even-length'), { text: 'a' })]).toEqual([
      true,
      false,
    ]);
  });
});
