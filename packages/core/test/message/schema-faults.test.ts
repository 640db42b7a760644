import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Type as Old, TypeRegistry } from '@sinclair/typebox';
import { Type } from 'typebox';
import { Settings } from 'typebox/system';
import { compileReply, compileSchema } from '../../src/message/schema.ts';
import { safeText } from '../../src/sanitize/safe-text.ts';
import { PolicyError } from '../../src/vocabulary/policy-error.ts';
import { Incoming } from '../../src/wire/incoming.ts';
import { WIDE } from '../support/message-room.ts';

const option = 'policy.messages.say';
const compile = (schema: unknown, type?: string) =>
  compileSchema(schema, { type, option, unknown: 'refuse', bounds: WIDE });
const passes = (schema: unknown, body: unknown): boolean =>
  compile(schema).look(new Incoming('say', body, {}, undefined, 0)) === undefined;
/** A body with one property that has this schema. */
const holding = (a: unknown) => ({ type: 'object', properties: { a } });
/** As text, since an object with a `then` is taken for a promise. */
const json = (text: string): object => JSON.parse(text) as object;

function faultOf(schema: unknown): string {
  try {
    compile(schema);
  } catch (error) {
    expect(error).toBeInstanceOf(PolicyError);
    return (error as PolicyError).message;
  }
  return 'none';
}

type Case = [what: string, schema: unknown, at: string, problem: RegExp];

/** Each is refused where it says, as a message and as a reply. */
function refuses(cases: readonly Case[]): void {
  test.each(cases)('a schema is refused at construction: %s', (_what, schema, at, problem) => {
    const message = faultOf(schema);
    expect(message).toMatch(problem);
    expect(message.split(': ')[0]).toBe(at === '' ? option : `${option}#${at}`);
    expect(() => compileReply(schema, { type: undefined, option: 'policy.replies.said' })).toThrow(problem);
  });
}

describe('an invalid type', () => {
  refuses([
    ...['int', 'strng', 'any', 'Date', 'RegExp', 'Uint8Array', '', 'toString', '__proto__', 'String'].map(
      (type): Case => [
        type,
        holding({ type }),
        '/properties/a/type',
        /is no type of JSON Schema, so that it would check nothing/,
      ],
    ),
    ...[null, 7, {}, true, undefined, ['string', 7], ['string', 'int']].map(
      (type): Case => [
        JSON.stringify(type) ?? 'undefined',
        holding({ type }),
        '/properties/a/type',
        /is no type of JSON Schema/,
      ],
    ),
    ['an empty list', holding({ type: [] }), '/properties/a/type', /names no type/],
    ...[Type.BigInt(), Type.Symbol(), Type.Function([], Type.Null()), Type.Constructor([], Type.Null())].map(
      (schema): Case => [
        JSON.stringify(schema),
        holding(schema),
        '/properties/a/type',
        /no message can hold '.*Describe what is sent/,
      ],
    ),
    [
      'undefined',
      Type.Object({ a: Type.Union([Type.String(), Type.Undefined()]) }),
      '/properties/a/anyOf/1/type',
      /'undefined'. Make the property optional/,
    ],
    ['void', Type.Object({ a: Type.Void() }), '/properties/a/type', /'void'. Make the property optional/],
  ]);

  test.each([
    'string',
    'number',
    'integer',
    'boolean',
    'object',
    'null',
    ['string', 'null'],
    ['integer', 'boolean'],
  ])('the type %j is accepted', (type) => {
    expect(faultOf(holding({ type }))).toBe('none');
  });

  test('an object is refused where the schema says integer', () => {
    expect(passes(holding({ type: 'integer' }), { a: { $ne: null } })).toBe(false);
  });
});

describe('@sinclair/typebox 0.34', () => {
  TypeRegistry.Set('Custom', () => false);
  refuses(
    [
      [
        'Date',
        Old.Object({ a: Old.Date() }),
        '/properties/a',
        /'Date' of @sinclair\/typebox 0\.34 is no type of JSON Schema.*date-time/,
      ],
      ['RegExp', Old.Object({ a: Old.RegExp(/a/) }), '/properties/a', /'RegExp' of @sinclair\/typebox/],
      [
        'Uint8Array',
        Old.Object({ a: Old.Uint8Array() }),
        '/properties/a',
        /'Uint8Array' of @sinclair\/typebox/,
      ],
      ['BigInt', Old.Object({ a: Old.BigInt() }), '/properties/a', /'BigInt' of @sinclair\/typebox/],
      ['Undefined', Old.Object({ a: Old.Union([Old.Undefined()]) }), '/properties/a', /Undefined/],
      ['Function', Old.Array(Old.Function([], Old.Null())), '/items', /'Function' of/],
      [
        'a transform',
        Old.Object({ a: Old.Transform(Old.String()).Decode(Number).Encode(String) }),
        '/properties/a',
        /codec.*convert in the handler/,
      ],
      [
        'a kind of one’s own',
        Old.Object({ a: Old.Unsafe({ [Symbol.for('TypeBox.Kind')]: 'Custom' } as never) }),
        '/properties/a',
        /'Custom' of/,
      ],
    ].map(([what, schema, at, problem]) => [what, schema, at, problem] as Case),
  );

  const record = Old.Record(Old.String(), Old.Number());
  const tree = Old.Recursive((This) => Old.Object({ name: Old.String(), children: Old.Array(This) }));
  const module_ = Old.Module({ A: Old.Object({ b: Old.Ref('B') }), B: Old.String() });
  test.each<[string, unknown, unknown, unknown]>([
    [
      'an object',
      Old.Object({ a: Old.Optional(Old.String()), b: Old.Readonly(Old.Integer()) }),
      { b: 1 },
      { b: 1, evil: 1 },
    ],
    ['a record', record, { x: 1 }, { x: '1' }],
    ['a tuple', Old.Tuple([Old.String(), Old.Number()]), ['a', 1], ['a', 1, {}]],
    ['a union', Old.Union([Old.Literal('a'), Old.Null()]), 'a', 'b'],
    [
      'an intersection',
      Old.Intersect([Old.Object({ a: Old.Number() }), Old.Object({ b: Old.Number() })]),
      { a: 1, b: 2 },
      { a: 1, b: 2, c: 3 },
    ],
    ['a template', Old.TemplateLiteral([Old.Literal('a'), Old.String()]), 'abc', 'bc'],
    [
      'a recursive one',
      tree,
      { name: 'a', children: [{ name: 'b', children: [] }] },
      { name: 'a', children: [{ name: 'b', children: [], evil: 1 }] },
    ],
    ['one of a module', module_.Import('A'), { b: 'x' }, { b: 'x', evil: 1 }],
    ['an enum', Old.Enum({ A: 'a', B: 'b' }), 'a', 'c'],
  ])('@sinclair/typebox 0.34: %s is checked', (_what, schema, right, wrong) => {
    expect([passes(schema, right), passes(schema, wrong)]).toEqual([true, false]);
  });
});

describe('a keyword that is unknown, or misspelt', () => {
  refuses([
    [
      'maxLenght',
      holding({ type: 'string', maxLenght: 5 }),
      '/properties/a/maxLenght',
      /passed over\. Did you mean 'maxLength'\?/,
    ],
    [
      'maxlength',
      holding({ type: 'string', maxlength: 5 }),
      '/properties/a/maxlength',
      /Did you mean 'maxLength'/,
    ],
    ['propertes', { type: 'object', propertes: {} }, '/propertes', /Did you mean 'properties'/],
    ['requried', { type: 'object', requried: ['a'] }, '/requried', /Did you mean 'required'/],
    [
      'nullable',
      holding({ type: 'string', nullable: true }),
      '/properties/a/nullable',
      /type: \['string', 'null'\]/,
    ],
    [
      'discriminator',
      { oneOf: [{ type: 'null' }], discriminator: { propertyName: 'k' } },
      '/discriminator',
      /Leave it out/,
    ],
    ['id', { type: 'object', id: 'x' }, '/id', /Write '\$id'/],
    ['$dynamicRef', holding({ $dynamicRef: '#a' }), '/properties/a/$dynamicRef', /Use '\$ref'/],
    ['$recursiveRef', holding({ $recursiveRef: '#' }), '/properties/a/$recursiveRef', /Use '\$ref'/],
    [
      'contentEncoding',
      holding({ type: 'string', contentEncoding: 'base64' }),
      '/properties/a/contentEncoding',
      /Use a format or a pattern/,
    ],
    ['errorMessage', { type: 'object', errorMessage: 'no' }, '/errorMessage', /called 'x-errorMessage'/],
    ['instanceof', { instanceof: 'Uint8Array' }, '/instanceof', /no keyword that is known/],
    ['components', { type: 'object', components: { a: {} } }, '/components', /no keyword that is known/],
    ['toString', { type: 'object', toString: 'x' }, '/toString', /no keyword that is known/],
    ['a parameter of TypeBox', Type.Parameter('T'), '/name', /no keyword that is known/],
    [
      'a symbol',
      { type: 'object', [Symbol('check')]: 1 },
      '',
      /Symbol\(check\), which would not be looked at/,
    ],
    [
      'a hidden one',
      Object.defineProperty({ type: 'object' }, 'properties', { value: { a: {} } }),
      '/properties',
      /hidden/,
    ],
    [
      'one of another TypeBox',
      Object.defineProperty({ type: 'object' }, '~guard', { value: {} }),
      '',
      /'~guard' is of another version/,
    ],
    [
      'a class',
      new (class {
        readonly type = 'object';
      })(),
      '',
      /an instance of a class/,
    ],
    [
      'what it inherits',
      Object.create({ type: 'object', properties: {} }) as object,
      '',
      /an instance of a class/,
    ],
  ]);

  test('keywords that only describe are accepted', () => {
    const notes = {
      $schema: 'https://json-schema.org/draft/2020-12/schema', $comment: 'c', title: 't', description: 'd', default: {}, examples: [{}],
      deprecated: true, readOnly: true, writeOnly: false, 'x-mine': () => 1,
    }; // biome-ignore format: a list of notes reads best as a block
    expect(faultOf({ type: 'object', ...notes })).toBe('none');
    expect(faultOf(Object.assign(Object.create(null), { type: 'object' }))).toBe('none');
  });
});

describe('a keyword of the wrong kind', () => {
  const text = (keyword: string, value: unknown) => holding({ type: 'string', [keyword]: value });
  const number = (keyword: string, value: unknown) => holding({ type: 'number', [keyword]: value });
  const list = (keyword: string, value: unknown) => holding({ type: 'array', items: true, [keyword]: value });
  const object = (keyword: string, value: unknown) => holding({ type: 'object', [keyword]: value });
  const wrong: [string, (keyword: string, value: unknown) => unknown, readonly unknown[]][] = [
    ['enum', text, ['x', [], {}, null, [undefined], [() => 1], [Number.NaN], [1n], [new Date()], undefined]],
    ['const', text, [undefined, 1n, Number.NaN, () => 1, Symbol('a'), new Date(), new Map()]],
    [
      'minLength',
      text,
      ['3', -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, null, true, [3], undefined, { $data: '1/x' }],
    ],
    ['maxLength', text, ['3', undefined]],
    ['pattern', text, [7, null, {}, undefined, /a/g, /a/y]],
    ['format', text, [7, null, 'int32', undefined]],
    ['minimum', number, ['3', null, Number.NaN, 3n, undefined]],
    ['exclusiveMinimum', number, [true, false]],
    ['exclusiveMaximum', number, [true]],
    ['multipleOf', number, [0, -1, '2']],
    ['items', list, [null, 'string', 7, undefined, [null], [7]]],
    ['prefixItems', list, [true, {}, [], [7]]],
    ['contains', list, [null, 'a', []]],
    ['minItems', list, ['1', -1]],
    ['uniqueItems', list, ['true', 1, null]],
    ['properties', object, [[], null, 'a', true, { a: null }, { a: 'string' }, { a: undefined }, new Map()]],
    ['patternProperties', object, [[], null, { a: 7 }]],
    ['additionalProperties', object, [null, 'false', 0, undefined, []]],
    ['unevaluatedProperties', object, [null, 'false']],
    ['propertyNames', object, [null, 'a', []]],
    ['required', object, ['a', true, {}, [7], null, undefined]],
    ['minProperties', object, ['1']],
    ['dependencies', object, [[], { a: 'b' }, { a: [7] }]],
    ['dependentRequired', object, [['a'], { a: 'b' }, { a: true }]],
    ['dependentSchemas', object, [{ a: ['b'] }, { a: 7 }]],
    ['allOf', object, [[], {}, true, [null]]],
    ['anyOf', object, [[], { type: 'string' }, ['string']]],
    ['oneOf', object, [[]]],
    ['not', object, ['string', null, []]],
    ['$ref', object, [7, null, {}]],
    ['$defs', object, [[], { a: 7 }]],
    ['title', object, [7]],
  ];
  refuses(
    wrong.flatMap(([keyword, around, values]) =>
      values.map((value): Case => {
        const what = inspect(value);
        return [
          `${keyword}: ${what}`,
          around(keyword, value),
          `/properties/a/${keyword}`,
          /\. (?:Give|Use|Leave|Register)/,
        ];
      }),
    ),
  );

  refuses([
    [
      'a pattern that is none',
      holding({ type: 'string', pattern: '(' }),
      '/properties/a/pattern',
      /Unterminated group/,
    ],
    [
      'a name’s pattern that is none',
      { type: 'object', patternProperties: { '[': {} } },
      '/patternProperties',
      /Invalid regular expression/,
    ],
    ['a sparse list', holding({ enum: new Array(2) }), '/properties/a/enum', /not a list of values/],
    [
      'draft 3’s required',
      { type: 'object', properties: { a: { type: 'string', required: true } } },
      '/properties/a/required',
      /not a list of names/,
    ],
  ]);
});

describe('a keyword that does nothing where it is', () => {
  refuses([
    [
      'if without then',
      { type: 'object', if: { required: ['a'] } },
      '/if',
      /does nothing here\. Say what follows/,
    ],
    ['then without if', json('{ "type": "object", "then": {} }'), '/then', /does nothing here\. Ask/],
    ['else without if', { type: 'object', else: {} }, '/else', /does nothing here\. Ask/],
    [
      'minContains alone',
      { type: 'array', items: true, minContains: 1 },
      '/minContains',
      /Say what is counted/,
    ],
    [
      'additionalItems without a list',
      { type: 'array', items: {}, additionalItems: false },
      '/additionalItems',
      /does nothing here/,
    ],
    [
      'additionalItems behind prefixItems',
      { type: 'array', prefixItems: [{}], additionalItems: false },
      '/additionalItems',
      /does nothing here/,
    ],
    ['two lists', { type: 'array', prefixItems: [{}], items: [{}] }, '/prefixItems', /one list of items/],
    [
      'a pattern of numbers',
      holding({ type: 'number', pattern: '^1' }),
      '/properties/a/pattern',
      /says something of strings only/,
    ],
    [
      'a minimum of texts',
      holding({ type: 'string', minimum: 3 }),
      '/properties/a/minimum',
      /says something of numbers only/,
    ],
    [
      'a maximum of a constant text',
      holding({ const: 'a', maximum: 3 }),
      '/properties/a/maximum',
      /numbers only/,
    ],
    ['items of an object', { type: 'object', items: {} }, '/items', /arrays only/],
    ['required of a list', { type: 'array', items: true, required: ['a'] }, '/required', /objects only/],
  ]);
});

describe('a keyword that is ignored for other types', () => {
  const through = /and would let any value of another type through\. Add type: '/;
  refuses([
    ['a pattern', holding({ pattern: '^a' }), '/properties/a/pattern', through],
    ['a minimum', holding({ minimum: 0 }), '/properties/a/minimum', through],
    ['a maxLength', holding({ maxLength: 3 }), '/properties/a/maxLength', through],
    ['a format', holding({ format: 'email' }), '/properties/a/format', through],
    ['properties', holding({ properties: { b: { type: 'string' } } }), '/properties/a/properties', through],
    ['required', holding({ required: ['b'] }), '/properties/a/required', through],
    ['items', holding({ items: { type: 'string' } }), '/properties/a/items', through],
    [
      'in a union of which one may be anything',
      holding({ anyOf: [{ type: 'string' }, {}], maxLength: 3 }),
      '/properties/a/maxLength',
      through,
    ],
    [
      'in a member',
      holding({ anyOf: [{ type: 'null' }, { maxLength: 3 }] }),
      '/properties/a/anyOf/1/maxLength',
      through,
    ],
    [
      'behind a reference',
      { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { maxLength: 3 } } },
      '/$defs/a/maxLength',
      through,
    ],
  ]);

  test.each<[string, unknown]>([
    ['the type around', holding({ type: 'string', anyOf: [{ maxLength: 3 }, { pattern: '^a' }] })],
    ['a sibling', holding({ allOf: [{ type: 'string' }, { maxLength: 3 }] })],
    ['a union', holding({ anyOf: [{ type: 'string' }, { type: 'null' }], maxLength: 3 })],
    ['an enum', holding({ enum: ['a', 'b'], maxLength: 3 })],
    [
      'what is referred to',
      { ...holding({ $ref: '#/$defs/a', maxLength: 3 }), $defs: { a: { type: 'string' } } },
    ],
    ['several of which one is meant', holding({ type: ['string', 'null'], maxLength: 3 })],
    [
      'both ways of a condition',
      json(
        '{ "type": "object", "properties": { "a": { "if": { "const": "" }, "then": { "type": "string" }, "else": { "type": "string" }, "maxLength": 3 } } }',
      ),
    ],
    [
      'what is asked, which lets nothing through',
      json(
        '{ "type": "object", "properties": { "a": {} }, "if": { "properties": { "a": { "minimum": 3 } } }, "then": { "required": ["a"] } }',
      ),
    ],
    ['names, which are texts', { type: 'object', propertyNames: { maxLength: 3 } }],
  ])("the type of a keyword's values may be given by %s", (_what, schema) => {
    expect(faultOf(schema)).toBe('none');
  });

  test('the body of a message with its type counts as an object', () => {
    const check = compile({ properties: { text: { type: 'string' } }, required: ['text'] }, 'say');
    const look = (body: object) => check.look(new Incoming('say', body, {}, undefined, 0));
    expect(look({ type: 'say', text: 'hi' })).toBeUndefined();
    expect(look({ type: 'say', text: 'hi', evil: 1 })).toEqual({ stage: 'schema', pointer: '' });
  });
});

describe('schemas that no value could pass', () => {
  refuses([
    [
      'lengths',
      holding({ type: 'string', minLength: 3, maxLength: 2 }),
      '/properties/a/minLength',
      /a maxLength of 2 nothing would pass/,
    ],
    [
      'numbers',
      holding({ type: 'number', exclusiveMinimum: 3, maximum: 3 }),
      '/properties/a/exclusiveMinimum',
      /nothing would pass/,
    ],
    [
      'a required property that no schema describes',
      { type: 'object', properties: { text: {} }, required: ['txt'] },
      '/required',
      /'txt' is required and not among the properties/,
    ],
    [
      'one in an intersection',
      {
        allOf: [
          { type: 'object', properties: { a: {} } },
          { type: 'object', required: ['b'] },
        ],
      },
      '/allOf/1/required',
      /'b' is required/,
    ],
    [
      'one that may not be there',
      { type: 'object', properties: { a: false }, required: ['a'] },
      '/required',
      /'a' is required/,
    ],
  ]);

  test.each<[string, object]>([
    ['equal bounds', holding({ type: 'string', minLength: 3, maxLength: 3 })],
    [
      'a required property of a record',
      { type: 'object', patternProperties: { '^x': {} }, required: ['x1'] },
    ],
    [
      'a required property of an open object',
      { type: 'object', additionalProperties: true, required: ['a'] },
    ],
    [
      'a required property that another part describes',
      { type: 'object', properties: { a: {} }, anyOf: [{ required: ['a'] }] },
    ],
    [
      'one that a branch describes',
      json(
        '{ "type": "object", "properties": { "k": {} }, "if": { "required": ["k"] }, "then": { "properties": { "a": {} }, "required": ["a"] } }',
      ),
    ],
  ])('a schema that some value can pass is accepted: %s', (_what, schema) => {
    expect(faultOf(schema)).toBe('none');
  });
});

describe('references', () => {
  const named = (schema: object, $defs: object) => ({ type: 'object', properties: { in: schema }, $defs });
  const inner = { type: 'object', properties: { a: { type: 'number' } } };
  refuses([
    [
      'to nothing',
      named({ $ref: '#/$defs/b' }, { a: inner }),
      '/properties/in/$ref',
      /'#\/\$defs\/b' leads to no schema in it\. Define it/,
    ],
    [
      'to another document',
      named({ $ref: 'https://example.com/a' }, {}),
      '/properties/in/$ref',
      /leads to no schema/,
    ],
    ['to what objects inherit', named({ $ref: 'toString' }, {}), '/properties/in/$ref', /leads to no schema/],
    [
      'to an example',
      { ...named({ $ref: '#/examples/0' }, {}), examples: [{ type: 'object' }] },
      '/properties/in/$ref',
      /leads to no schema/,
    ],
    [
      'to a default',
      { ...named({ $ref: '#/default' }, {}), default: {} },
      '/properties/in/$ref',
      /leads to no schema/,
    ],
    [
      'to a constant',
      {
        ...named({ $ref: '#/properties/c/const' }, {}),
        properties: { in: { $ref: '#/properties/c/const' }, c: { const: {} } },
      },
      '/properties/in/$ref',
      /leads to no schema/,
    ],
    ['to a list', named({ $ref: '#/$defs' }, {}), '/properties/in/$ref', /leads to no schema/],
    [
      'to a part',
      { allOf: [inner], ...named({ $ref: '#/allOf/0' }, {}) },
      '/properties/in/$ref',
      /a part of a schema, which is not closed/,
    ],
    [
      'to what is asked',
      { ...named({ $ref: '#/not' }, {}), not: inner },
      '/properties/in/$ref',
      /not closed by itself/,
    ],
    [
      'in a question',
      named({ not: { $ref: '#/$defs/a' } }, { a: inner }),
      '/properties/in/not/$ref',
      /what is asked here is not closed/,
    ],
    [
      'in an intersection of objects',
      { allOf: [{ $ref: '#/$defs/a' }, { type: 'object', properties: { b: {} } }], $defs: { a: inner } },
      '/allOf/0/$ref',
      /would refuse the properties that are described beside it/,
    ],
    [
      'beside properties',
      named({ $ref: '#/$defs/a', type: 'object', properties: { b: {} } }, { a: inner }),
      '/properties/in/$ref',
      /described beside it/,
    ],
    ['to itself', named({ $ref: '#/properties/in' }, {}), '/properties/in', /without an end/],
    [
      'round',
      named(
        { $ref: '#/$defs/a' },
        { a: { $ref: '#/$defs/b' }, b: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/a' }] } },
      ),
      '/$defs/a',
      /without an end/,
    ],
    [
      'to one of two of a name',
      named({ $ref: 'N' }, { a: { ...inner, $id: 'N' }, b: { type: 'object', $id: 'N' } }),
      '/$defs/a',
      /the same name/,
    ],
    ['with an empty name', { ...inner, $id: '' }, '/$id', /is no name/],
    ['with a name that is a place', { ...inner, $id: '#a' }, '/$id', /is no name/],
  ]);

  test.each<[string, object]>([
    ['a definition', named({ $ref: '#/$defs/a' }, { a: inner })],
    [
      'a definition of draft 7',
      { type: 'object', properties: { in: { $ref: '#/definitions/a~1%62' } }, definitions: { 'a/b': inner } },
    ],
    [
      'another property',
      { type: 'object', properties: { first: inner, in: { $ref: '#/properties/first' } } },
    ],
    [
      'an item',
      {
        type: 'object',
        properties: { l: { type: 'array', items: inner }, in: { $ref: '#/properties/l/items' } },
      },
    ],
    [
      'a member of a union',
      {
        type: 'object',
        properties: { u: { anyOf: [{ type: 'null' }, inner] }, in: { $ref: '#/properties/u/anyOf/1' } },
      },
    ],
    [
      'a further property',
      { type: 'object', properties: { in: { $ref: '#/additionalProperties' } }, additionalProperties: inner },
    ],
    ['an anchor', named({ $ref: '#here' }, { a: { ...inner, $anchor: 'here' } })],
    ['a name', named({ $ref: 'N' }, { a: { ...inner, $id: 'N' } })],
    ['a URL', named({ $ref: 'https://example.com/n' }, { a: { ...inner, $id: 'https://example.com/n' } })],
    [
      'inside of a name',
      named(
        { $ref: 'N' },
        {
          a: {
            $id: 'N',
            type: 'object',
            properties: { a: { type: 'number' }, n: { $ref: '#/properties/a' } },
          },
        },
      ),
    ],
    ['one that is given twice', named({ anyOf: [{ $ref: 'N' }] }, { a: { ...inner, $id: 'N' } })],
  ])('references to %s are closed at their target', (_what, schema) => {
    expect(passes(schema, { in: { a: 1 } })).toBe(true);
    for (const wrong of [{ a: 1, evil: 1 }, { a: '1' }]) expect(passes(schema, { in: wrong })).toBe(false);
  });

  test('a reference to a schema that stands in two places under one name is accepted', () => {
    const tree = Old.Recursive((This) => Old.Object({ next: Old.Optional(This) }));
    const both = Type.Object({ a: tree, b: tree } as never);
    expect([
      passes(both, { a: { next: {} }, b: {} }),
      passes(both, { a: { next: { evil: 1 } }, b: {} }),
    ]).toEqual([true, false]);
  });

  test('a reference within allOf may be described further', () => {
    const schema = named({ allOf: [{ $ref: '#/$defs/a' }, { maxLength: 2 }] }, { a: { type: 'string' } });
    expect([passes(schema, { in: 'ab' }), passes(schema, { in: 'abc' })]).toEqual([true, false]);
  });

  test('a schema that contains itself is refused at construction', () => {
    const schema: Record<string, unknown> = { type: 'object' };
    schema.properties = { in: schema };
    expect(faultOf(schema)).toMatch(/nests more than 100 schemas, or holds itself\. Use \$ref/);
  });
});

describe('items of arrays', () => {
  const inner = { type: 'object', properties: { a: { type: 'number' } } };
  refuses([
    [
      'nothing is',
      holding({ type: 'array' }),
      '/properties/a',
      /does not say what its items are.*items: true/,
    ],
    [
      'only what it contains is',
      holding({ type: 'array', contains: inner }),
      '/properties/a',
      /does not say what its items are/,
    ],
    [
      'what it contains would count',
      holding({ type: 'array', contains: inner, unevaluatedItems: false }),
      '/properties/a/contains',
      /would count as described/,
    ],
    [
      'a list without an end in an intersection',
      holding({ allOf: [{ type: 'array', prefixItems: [inner] }] }),
      '/properties/a/allOf/0',
      /has no end.*Say items: false/,
    ],
  ]);

  test.each<[string, object]>([
    ['items of draft 7', { type: 'array', items: [inner] }],
    ['prefixItems', { type: 'array', prefixItems: [inner] }],
    ['prefixItems of what may be null', { type: ['array', 'null'], prefixItems: [inner] }],
    ['prefixItems in a definition', { $ref: '#/$defs/list' }],
    ['prefixItems in a union', { anyOf: [{ type: 'null' }, { type: 'array', prefixItems: [inner] }] }],
  ])('a list ends with its listed items: %s', (_what, list) => {
    const schema = { ...holding(list), $defs: { list: { type: 'array', prefixItems: [inner] } } };
    expect([passes(schema, { a: [] }), passes(schema, { a: [{ a: 1 }] })]).toEqual([true, true]);
    for (const wrong of [[{ a: 1 }, {}], [{ a: 1 }, 1], [{ a: 1, evil: 1 }]])
      expect(passes(schema, { a: wrong })).toBe(false);
  });

  test.each<[string, object]>([
    ['items', { type: 'array', prefixItems: [inner], items: true }],
    ['additionalItems', { type: 'array', items: [inner], additionalItems: true }],
    ['unevaluatedItems', { type: 'array', prefixItems: [inner], unevaluatedItems: true }],
    ['items alone', { type: 'array', items: true }],
  ])('a list may allow any further items if it says so: %s', (_what, list) => {
    expect(passes(holding(list), { a: [{ a: 1 }, { evil: 1 }] })).toBe(true);
  });
});

describe.each([
  ['with code generation', true],
  ['without', false],
])('objects that TypeBox would leave open, %s', (_mode, useAcceleration) => {
  beforeAll(() => Settings.Set({ useAcceleration }));
  afterAll(() => Settings.Set({ useAcceleration: true }));
  const evil = { evil: 1 };

  test('a schema that TypeBox alone would leave open is closed when compiled', () => {
    expect(compile(holding({})).accelerated).toBe(useAcceleration);
  });

  test.each<[string, string, object, object]>([
    [
      'by what a condition asks about',
      '{ "properties": { "k": {} }, "if": { "properties": { "a": { "type": "object" } }, "required": ["a"] }, "then": { "properties": { "b": {} } } }',
      { k: 1 },
      { a: evil },
    ],
    [
      'by further properties that a condition asks about',
      '{ "properties": { "k": {} }, "if": { "additionalProperties": true }, "then": { "properties": { "b": {} } } }',
      { k: 1, b: 1 },
      { k: 1, evil: 1 },
    ],
    [
      'by what must not be',
      '{ "properties": { "k": {} }, "allOf": [{}], "not": { "properties": { "a": { "type": "number" }, "b": { "type": "number" } }, "required": ["a"], "minProperties": 5 } }',
      { k: 1 },
      { a: 1 },
    ],
    [
      'by what must not be, as far as it is',
      '{ "properties": { "k": {}, "b": {} }, "allOf": [{}], "not": { "properties": { "a": {}, "b": { "type": "number" } } } }',
      { k: 1, b: 'x' },
      { a: evil, b: 'x' },
    ],
    [
      'by dependencies',
      '{ "properties": { "k": {} }, "dependencies": { "k": { "properties": { "in": { "type": "object", "properties": { "a": {} } } } } } }',
      { k: 1, in: { a: 1 } },
      { k: 1, in: { a: 1, evil: 1 } },
    ],
    [
      'beside dependencies',
      '{ "properties": { "k": {} }, "dependencies": { "k": { "properties": { "b": {} } } } }',
      { k: 1, b: 1 },
      { k: 1, evil: 1 },
    ],
    [
      'beside names that depend',
      '{ "properties": { "k": {}, "b": {} }, "dependencies": { "k": ["b"] } }',
      { k: 1, b: 1 },
      { k: 1, b: 1, evil: 1 },
    ],
    [
      'in unevaluated ones',
      '{ "allOf": [{ "properties": { "k": {} } }], "unevaluatedProperties": { "type": "object" } }',
      { x: {} },
      { x: evil },
    ],
    [
      'in unevaluated items',
      '{ "properties": { "l": { "type": "array", "unevaluatedItems": { "type": "object" } } } }',
      { l: [{}] },
      { l: [evil] },
    ],
  ])('an unnamed property is refused %s', (_what, text, right, wrong) => {
    const schema = { type: 'object', ...json(text) };
    expect([passes(schema, right), passes(schema, wrong)]).toEqual([true, false]);
  });

  test('an unnamed property is refused although another message had it', () => {
    const schema = {
      type: 'object',
      properties: { k: {} },
      ...json('{ "if": { "required": ["k"] }, "then": { "properties": { "a": {} } } }'),
    };
    const numbers = { allOf: [{ type: 'object' }], unevaluatedProperties: { type: 'number' } };
    const [one, other] = [compile(schema), compile(numbers)];
    const look = (check: typeof one, body: object) => check.look(new Incoming('say', body, {}, undefined, 0));
    expect(look(one, { k: 1, a: 1 })).toBeUndefined();
    expect(look(one, { a: evil })).toMatchObject({ stage: 'schema' });
    expect(look(other, { x: 1 })).toBeUndefined();
    expect(look(other, { x: evil })).toMatchObject({ stage: 'schema' });
  });

  test('a required name that every object inherits must have a schema of its own', () => {
    const open = { type: 'object', properties: { valueOf: {} }, required: ['valueOf'] };
    expect(faultOf(open)).toMatch(/every object has a 'valueOf' that it inherits/);
    for (const more of [
      { required: ['toString'] },
      { dependentRequired: { k: ['toString'] } },
      { dependencies: { k: ['hasOwnProperty'] } },
    ])
      expect(faultOf({ type: 'object', properties: { k: {} }, additionalProperties: true, ...more })).toMatch(
        /every object has a/,
      );
    const typed = { type: 'object', properties: { valueOf: { type: 'number' } }, required: ['valueOf'] };
    expect([passes(typed, { valueOf: 1 }), passes(typed, evil), passes(typed, {})]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('a pattern of names that refers to a group is refused at construction', () => {
    for (const pattern of ['^(a)\\1$', '^(?<x>a)\\k<x>$', '^(?<x>a)$', '\\\\(a)\\1'])
      expect(faultOf({ type: 'object', patternProperties: { [pattern]: {} } })).toMatch(
        /refers to a group, or names one/,
      );
    for (const pattern of ['^(a|b)$', '^(?=a)a$', '^(?<!a)b$', '^\\\\1$', '^(?:a)$'])
      expect(faultOf({ type: 'object', patternProperties: { [pattern]: {} } })).toBe('none');
  });
});

describe('refinements', () => {
  refuses([
    [
      'with a text, which TypeBox never asks',
      holding(Type.Refine(Type.String(), () => false, 'wrong' as never)),
      '/properties/a',
      /TypeBox would never ask.*\(\) => 'what is wrong'/,
    ],
    [
      'without a function',
      holding(Type.Refine(Type.String(), 'a' as never)),
      '/properties/a',
      /TypeBox would never ask/,
    ],
    [
      'that are asynchronous',
      holding(Type.Refine(Type.String(), (async () => false) as never)),
      '/properties/a',
      /asynchronous refinement, whose promise would pass/,
    ],
    [
      'that are none',
      Object.defineProperty({ type: 'string' }, '~refine', { value: 'x' }),
      '',
      /TypeBox would never ask/,
    ],
  ]);

  test('a refinement that returns a promise is a fault', () => {
    const late = Type.Refine(Type.String(), (() => Promise.resolve(false)) as never);
    expect(() => passes(late, 'a')).toThrow(/cannot be asynchronous: its promise would pass for a yes/);
  });

  test('a refinement is called', () => {
    const even = Type.Refine(
      Type.Refine(Type.Number(), (n) => n % 2 === 0),
      (n) => n > 2,
    );
    expect([2, 3, 4].map((n) => passes(even, n))).toEqual([false, false, true]);
  });

  test('a refinement is not called for a body that is otherwise wrong', () => {
    const body = Type.Refine(Type.Object({ n: Type.String() }), ({ n }) => n.startsWith('a'));
    const check = compile(body);
    for (const wrong of [{ n: 7 }, {}, 7, null])
      expect(check.look(new Incoming('say', wrong, {}, undefined, 0))).toMatchObject({ stage: 'schema' });
  });
});

test('a sanitized text as the key of a record is refused', () => {
  for (const key of [safeText(), Type.Optional(safeText())])
    expect(() => Type.Record(key, Type.Number())).toThrow(
      /^Type\.Record\(\): a sanitized text cannot be the key.*Use identifier\(\)/,
    );
});
