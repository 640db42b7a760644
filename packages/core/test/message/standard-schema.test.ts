import { describe, expect, test } from '@jest/globals';
import { type } from 'arktype';
import Joi from 'joi';
import * as v from 'valibot';
import * as yup from 'yup';
import * as z from 'zod';
import * as zm from 'zod/mini';
import * as z3 from 'zod/v3';
import type { Check, Mistake } from '../../src/message/check.ts';
import { compileStandard, compileStandardReply } from '../../src/message/standard-check.ts';
import { isStandardSchema, type StandardSchema } from '../../src/message/standard-schema.ts';
import { isPromise } from '../../src/vocabulary/decision.ts';
import { Incoming } from '../../src/wire/incoming.ts';
import { settle } from '../support/late-auth.ts';
import { WIDE } from '../support/message-room.ts';
import { openConnection } from '../support/open-connection.ts';

type Unknown = 'refuse' | 'strip';
const compile = (schema: unknown, unknown: Unknown = 'refuse', name?: string): Check =>
  compileStandard(schema as StandardSchema, {
    type: name,
    unknown,
    option: 'policy.messages.say',
    bounds: WIDE,
  });

/** A schema of a library that nobody knows. */
const stranger = (validate: (value: unknown) => unknown, document?: unknown, vendor = 'stranger') => ({
  '~standard': {
    version: 1,
    vendor,
    validate,
    ...(document !== undefined && { jsonSchema: { input: () => document } }),
  },
});
const ANY_OBJECT = { type: 'object', additionalProperties: true };

/** What the handler would get, or the pointer to the mistake. */
async function outcome(schema: unknown, came: unknown, unknown: Unknown = 'refuse'): Promise<unknown> {
  const incoming = new Incoming('say', came, {}, undefined, 0);
  const mistake = (await compile(schema, unknown).look(incoming)) as Mistake | undefined;
  if (mistake === undefined) return { body: incoming.body };
  expect(mistake.stage).toBe('schema');
  expect(incoming).toMatchObject({ body: came, changed: false });
  return mistake.pointer;
}

/** The same messages, as each library says them. */
const inZod = {
  user: z.object({ name: z.string(), age: z.number().int().optional() }),
  closed: z.strictObject({ name: z.string() }),
};
const inValibot = {
  user: v.object({ name: v.string(), age: v.optional(v.pipe(v.number(), v.integer())) }),
  closed: v.strictObject({ name: v.string() }),
};
const inArktype = {
  user: type({ name: 'string', 'age?': 'number.integer' }),
  closed: type({ name: 'string', '+': 'reject' }),
};
const LIBRARIES: [
  string,
  { user: unknown; closed: unknown },
  (inner: never) => { in: unknown; list: unknown; record: unknown },
][] = [
  [
    'zod',
    inZod,
    (inner: z.ZodType) => ({
      in: z.object({ in: inner }),
      list: z.array(inner),
      record: z.record(z.string(), inner),
    }),
  ],
  [
    'valibot',
    inValibot,
    (inner: v.GenericSchema) => ({
      in: v.object({ in: inner }),
      list: v.array(inner),
      record: v.record(v.string(), inner),
    }),
  ],
  [
    'arktype',
    inArktype,
    (inner: typeof inArktype.user) => ({
      in: type({ in: inner }),
      list: inner.array(),
      record: type({ '[string]': inner }),
    }),
  ],
];

describe.each(LIBRARIES)('%s', (_, { user, closed }, around) => {
  const nested = around(user as never);
  const alice = { name: 'alice', age: 7 };
  const evil = { ...alice, evil: 'made up' };

  test('a schema of this library is recognized as Standard Schema', () => {
    expect(isStandardSchema(user)).toBe(true);
  });

  test.each<[string, unknown, unknown]>([
    ['itself', user, alice],
    ['without what is optional', user, { name: 'bob' }],
    ['inside', nested.in, { in: alice }],
    ['in a list', nested.list, [alice, { name: 'bob' }]],
    ['in a record', nested.record, { any: alice }],
  ])('a body that fits passes as the library returns it: %s', async (_what, schema, came) => {
    expect(await outcome(schema, came)).toEqual({ body: came });
    expect(await outcome(schema, came, 'strip')).toEqual({ body: came });
  });

  test.each<[string, unknown, unknown, unknown, string]>([
    ['itself', user, evil, alice, ''],
    ['inside', nested.in, { in: evil }, { in: alice }, '/in'],
    ['in a list', nested.list, [alice, evil], [alice, alice], '/1'],
    ['around', nested.in, { in: alice, evil: 1 }, { in: alice }, ''],
    ['in a record', nested.record, { any: evil }, { any: alice }, '/any'],
  ])(
    'an unknown property is refused or stripped without naming it: %s',
    async (_what, schema, came, left, pointer) => {
      expect(await outcome(schema, structuredClone(came))).toBe(pointer);
      expect(await outcome(schema, structuredClone(came), 'strip')).toEqual({ body: left });
    },
  );

  test("the library's own refusal of an unknown property does not name it", async () => {
    expect(await outcome(closed, { name: 'alice', evil: 1 })).toBe('');
    expect(await outcome(around(closed as never).in, { in: { name: 'alice', evil: 1 } })).toBe('/in');
  });

  test('a property named like an inherited one is refused', async () => {
    for (const key of ['toString', 'constructor', 'hasOwnProperty'])
      expect([key, await outcome(user, { ...alice, [key]: 1 })]).toEqual([key, '']);
  });

  test.each<[string, unknown, unknown, string]>([
    ['a wrong field', user, { name: 7 }, '/name'],
    ['a missing field', user, {}, '/name'],
    ['a wrong field beside an unknown one', user, { name: 7, evil: 1 }, '/name'],
    ['a field that is refused', user, { name: 'a', age: 0.5 }, '/age'],
    ['deep inside', nested.in, { in: { name: null } }, '/in/name'],
    ['in a list', nested.list, [alice, { name: 7 }], '/1/name'],
    ['a list in an object’s place', user, [], ''],
    ['nothing', user, null, ''],
  ])('the pointer names the place of the mistake: %s', async (what, schema, came, pointer) => {
    // valibot takes a list for an object with missing fields.
    const expected =
      what.startsWith('a list') && typeof (schema as { kind?: unknown }).kind === 'string'
        ? '/name'
        : pointer;
    expect(await outcome(schema, came)).toBe(expected);
    expect(await outcome(schema, came, 'strip')).toBe(expected);
  });

  test('the check is synchronous', () => {
    const mistake = compile(user).look(new Incoming('say', alice, {}, undefined, 0));
    expect(isPromise(mistake)).toBe(false);
  });

  test('the library checks the body without the message type', () => {
    const check = compile(user, 'refuse', 'say');
    const incoming = new Incoming('say', { type: 'say', ...alice }, {}, undefined, 0);
    expect(check.look(incoming)).toBeUndefined();
    expect(incoming).toMatchObject({ body: alice, changed: true });
    expect(Object.keys(incoming.body as object)).toEqual(['name', 'age']);
  });

  test('a body is checked for bounds before the library sees it', () => {
    expect(compile(user).fixedKeys).toBeUndefined();
    expect(compile(user).fits(alice)).toBe(false);
  });
});

describe('values that the library returns', () => {
  const trimmed: [string, unknown][] = [
    [
      'zod',
      z.object({
        name: z.string().trim(),
        size: z.string().transform((text) => text.length),
        role: z.string().default('guest'),
      }),
    ],
    [
      'valibot',
      v.object({
        name: v.pipe(v.string(), v.trim()),
        size: v.pipe(
          v.string(),
          v.transform((text) => text.length),
        ),
        role: v.optional(v.string(), 'guest'),
      }),
    ],
    [
      'arktype',
      type({
        name: 'string.trim',
        size: type('string').pipe((text) => text.length),
        role: "string = 'guest'",
      }),
    ],
  ];
  test.each(trimmed)(
    "handlers and listeners on the bare socket get the library's value: %s",
    async (_, schema) => {
      const { say, socket, on } = await openConnection({ messages: { say: schema } });
      const seen: unknown[] = [];
      on('say', (message) => void seen.push(message));
      await say({ type: 'say', name: ' alice ', size: 'four' });
      expect(seen).toEqual([{ name: 'alice', size: 4, role: 'guest' }]);
      expect(socket.delivered.map((data) => JSON.parse(String(data)))).toEqual([
        { type: 'say', name: 'alice', size: 4, role: 'guest' },
      ]);
    },
  );

  test.each(['nested', 'json-rpc'])(
    "the library's value is delivered in the envelope in which the message came: %s",
    async (envelope) => {
      const { say, socket } = await openConnection({ messages: { say: trimmed[0]?.[1] }, envelope });
      const params = { name: ' alice ', size: 'four' };
      const left = { name: 'alice', size: 4, role: 'guest' };
      if (envelope === 'nested') await say({ type: 'say', data: params, id: 7 });
      else await say({ jsonrpc: '2.0', method: 'say', params });
      expect(JSON.parse(String(socket.delivered[0]))).toEqual(
        envelope === 'nested'
          ? { type: 'say', data: left, id: 7 }
          : { jsonrpc: '2.0', method: 'say', params: left },
      );
    },
  );

  test("authorize gets the library's value", async () => {
    const seen: unknown[] = [];
    const authorize = ({ message }: { message: unknown }) => seen.push(message) > 0;
    const { say } = await openConnection({ messages: { say: { schema: trimmed[0]?.[1], authorize } } });
    await say({ type: 'say', name: ' alice ', size: 'four' });
    expect(seen).toEqual([{ name: 'alice', size: 4, role: 'guest' }]);
  });

  test('a transformation to another object needs stripping, and is refused otherwise', async () => {
    const renamed = z.object({ a: z.number() }).transform(({ a }) => ({ b: a }));
    expect(await outcome(renamed, { a: 1 })).toBe('');
    expect(await outcome(renamed, { a: 1, evil: 2 }, 'strip')).toEqual({ body: { b: 1 } });
    const date = z.object({
      at: z.object({ year: z.number() }).transform(({ year }) => new Date(Date.UTC(year, 0))),
    });
    expect(await outcome(date, { at: { year: 2030 } })).toBe('/at');
    expect(await outcome(date, { at: { year: 2030 } }, 'strip')).toEqual({
      body: { at: new Date(Date.UTC(2030, 0)) },
    });
    // A single field cannot lose a property, and arktype reports unknown ones itself.
    const field = z.object({ at: z.string().transform((text) => new Date(text)) });
    expect(await outcome(field, { at: '2030-01-01' })).toEqual({ body: { at: new Date('2030-01-01') } });
    const ark = type({ a: 'number' }).pipe(({ a }) => ({ b: a }));
    expect(await outcome(ark, { a: 1 })).toEqual({ body: { b: 1 } });
    expect(await outcome(ark, { a: 1, evil: 2 })).toBe('');
  });

  test('bytes of a codec reach the library as one value', async () => {
    const bytes = z.object({ data: z.instanceof(Uint8Array) });
    const data = new Uint8Array(60_000);
    expect(await outcome(bytes, { data })).toEqual({ body: { data } });
    const length = z.object({
      data: z.instanceof(Uint8Array).transform((whole) => ({ length: whole.length })),
    });
    expect(await outcome(length, { data })).toEqual({ body: { data: { length: 60_000 } } });
  });
});

describe('unions', () => {
  const forms: [string, unknown][] = [
    [
      'zod',
      z.discriminatedUnion('k', [
        z.object({ k: z.literal('a'), x: z.number() }),
        z.object({ k: z.literal('b'), y: z.number() }),
      ]),
    ],
    [
      'valibot',
      v.variant('k', [
        v.object({ k: v.literal('a'), x: v.number() }),
        v.object({ k: v.literal('b'), y: v.number() }),
      ]),
    ],
    ['arktype', type({ k: '"a"', x: 'number' }).or({ k: '"b"', y: 'number' })],
  ];
  test.each(forms)('members of a union are told apart: %s', async (_, schema) => {
    expect(await outcome(schema, { k: 'b', y: 1 })).toEqual({ body: { k: 'b', y: 1 } });
    expect(await outcome(schema, { k: 'b', y: 1, x: 1 })).toBe('');
    expect(await outcome(schema, { k: 'b', y: 1, x: 1 }, 'strip')).toEqual({ body: { k: 'b', y: 1 } });
    expect(await outcome(schema, { k: 'c', y: 1 })).not.toEqual(
      expect.objectContaining({ body: expect.anything() }),
    );
  });

  test('an arktype union without a literal can be refused and not stripped', async () => {
    const either = type({ a: 'number' }).or({ b: 'number' });
    expect(await outcome(either, { a: 1 })).toEqual({ body: { a: 1 } });
    expect(await outcome(either, { a: 1, evil: 1 })).not.toMatch(/evil/);
    expect(() => compile(either, 'strip')).toThrow(
      /^policy\.messages\.say: arktype cannot tell which properties to leave out.*unknownProperties/s,
    );
  });
});

describe('asynchronous checks', () => {
  const checks: [string, unknown][] = [
    ['zod', z.object({ name: z.string().refine(async (name) => name !== 'taken') })],
    [
      'valibot',
      v.objectAsync({
        name: v.pipeAsync(
          v.string(),
          v.checkAsync(async (name) => name !== 'taken'),
        ),
      }),
    ],
  ];
  test.each(checks)('an asynchronous check is awaited: %s', async (_, schema) => {
    expect(await outcome(schema, { name: 'free' })).toEqual({ body: { name: 'free' } });
    expect(await outcome(schema, { name: 'taken' })).toBe('/name');
    expect(await outcome(schema, { name: 'free', evil: 1 })).toBe('');
    expect(await outcome(schema, { name: 'free', evil: 1 }, 'strip')).toEqual({ body: { name: 'free' } });
  });

  test.each(checks)('messages with asynchronous checks stay in order: %s', async (_, schema) => {
    const { connection, socket, on } = await openConnection({
      messages: { say: schema, ping: z.object({}) },
    });
    const seen: unknown[] = [];
    on('say', ({ name }: { name: string }) => void seen.push(name));
    on('ping', () => void seen.push('ping'));
    for (const message of [
      { type: 'say', name: 'a' },
      { type: 'ping' },
      { type: 'say', name: 'taken' },
      { type: 'ping' },
    ])
      connection.receive(JSON.stringify(message), false);
    expect(seen).toEqual([]);
    for (let i = 0; i < 5; i++) await settle();
    expect(seen).toEqual(['a', 'ping', 'ping']);
    expect(socket.sent).toMatchObject([{ code: 'message_invalid', path: '/name' }]);
  });
});

describe('a schema that throws', () => {
  const boom = () => {
    throw new Error('down');
  };
  test.each<[string, unknown]>([
    ['zod throws', z.object({ a: z.string().transform(boom) })],
    ['valibot throws', v.object({ a: v.pipe(v.string(), v.transform(boom)) })],
    [
      'valibot rejects',
      v.objectAsync({
        a: v.pipeAsync(
          v.string(),
          v.checkAsync(async () => boom()),
        ),
      }),
    ],
    ['arktype throws', type({ a: type('string').pipe(boom) })],
  ])('a check that %s is a fault', async (_, schema) => {
    for (const onFault of ['close', 'reply']) {
      const { say, socket, faults } = await openConnection({ messages: { say: schema }, onFault });
      await say({ type: 'say', a: 'x' });
      await settle();
      expect([socket.delivered, faults.length]).toEqual([[], 1]);
      if (onFault === 'close') expect(socket.closes).toMatchObject([{ code: 1011 }]);
      else expect(socket.sent).toMatchObject([{ code: 'internal' }]);
    }
  });
});

describe('a failure with a value', () => {
  test('a failure that also holds a value is a failure', async () => {
    const check = v.pipe(
      v.object({ a: v.string() }),
      v.check(() => false),
    );
    const result = check['~standard'].validate({ a: 'x' }) as { value?: unknown; issues?: unknown };
    expect(result).toMatchObject({ value: { a: 'x' }, issues: [expect.anything()] });
    expect(await outcome(check, { a: 'x' })).toBe('');
  });
});

describe('pointers', () => {
  const at = (path: unknown) => stranger(() => ({ issues: [{ path }] }), ANY_OBJECT);
  test.each<[unknown, string]>([
    [undefined, ''],
    [[], ''],
    [['a', 0, 'b'], '/a/0/b'],
    [[{ key: 'a' }, { key: 1 }], '/a/1'],
    [['a/b', 'c~d', ''], '/a~1b/c~0d/'],
    [[Symbol('s')], '/Symbol(s)'],
    [['x'.repeat(500)], `/${'x'.repeat(199)}`],
  ])('path %p becomes a JSON Pointer', async (path, pointer) => {
    expect(await outcome(at(path), {})).toBe(pointer);
  });

  test('a failure without an issue is still a failure', async () => {
    expect(
      await outcome(
        stranger(() => ({ issues: [] }), ANY_OBJECT),
        {},
      ),
    ).toBe('');
  });
});

/** The same messages in libraries that keep unknown properties or convert known ones. */
const user = { name: 'alice', tags: [{ k: 'a' }], at: { x: 1 } };
const spoilt: [what: string, came: object, pointer: string][] = [
  ['itself', { ...user, evil: 1 }, ''],
  ['inside', { ...user, at: { x: 1, evil: { $ne: null } } }, '/at'],
  ['in a list', { ...user, tags: [{ k: 'a' }, { k: 'b', evil: 1 }] }, '/tags/1'],
  ['under a name that objects inherit', { ...user, toString: 1 }, ''],
];
const inYup = {
  name: yup.string().required(),
  tags: yup.array(yup.object({ k: yup.string() })),
  at: yup.object({ x: yup.number() }),
};
const inJoi = {
  name: Joi.string().required(),
  tags: Joi.array().items(Joi.object({ k: Joi.string() })),
  at: Joi.object({ x: Joi.number() }),
};
const OPEN_HANDED: [string, unknown][] = [
  ['yup', yup.object(inYup)],
  ['yup, strict', yup.object(inYup).strict()],
  ['yup, which refuses what it does not know', yup.object(inYup).noUnknown()],
  ['yup, lazily', yup.lazy(() => yup.object(inYup))],
  ['joi', Joi.object(inJoi)],
  ['joi, which refuses what it does not know', Joi.object(inJoi).unknown(false)],
];

describe.each(OPEN_HANDED)('%s', (what, schema) => {
  test('a body that fits reaches the handler', async () => {
    for (const unknown of ['refuse', 'strip'] as const)
      expect(await outcome(schema, structuredClone(user), unknown)).toEqual({ body: user });
  });

  test.each(spoilt)('an unknown property is refused or stripped: %s', async (_where, came, pointer) => {
    expect(await outcome(schema, structuredClone(came))).toBe(pointer);
    const left = await outcome(schema, structuredClone(came), 'strip');
    const tags = 'tags' in came && Array.isArray(came.tags) ? came.tags.map(({ k }) => ({ k })) : [];
    // joi refuses even to leave out what its schema forbids by name.
    expect(left).toEqual(what.includes('joi, which') && pointer === '' ? '' : { body: { ...user, tags } });
  });

  test('the pointer names the place of a wrong value', async () => {
    expect(await outcome(schema, { ...user, at: { x: 'no number' } })).toBe('/at/x');
    expect(await outcome(schema, { tags: [], at: {} })).toBe('/name');
  });
});

describe('yup', () => {
  test('yup casts a body once, and the handler gets the result', async () => {
    const doubled = yup.object({
      n: yup.number().transform((n: number) => n * 2),
      s: yup.string().trim().default('x'),
    });
    for (const unknown of ['refuse', 'strip'] as const)
      expect(await outcome(doubled, { n: '2' }, unknown)).toEqual({ body: { n: 4, s: 'x' } });
    const dated = yup.object({ at: yup.date() });
    expect(await outcome(dated, { at: '2030-01-01' }, 'strip')).toEqual({
      body: { at: new Date('2030-01-01') },
    });
  });

  test('unknown properties of an object that yup parses from a text are stripped', async () => {
    const text = yup.object({ in: yup.object({ a: yup.number() }).json() });
    for (const unknown of ['refuse', 'strip'] as const)
      expect(await outcome(text, { in: '{"a":1,"evil":2}' }, unknown)).toEqual({ body: { in: { a: 1 } } });
  });

  test("a rename in yup needs unknownProperties: 'strip'", async () => {
    const renamed = yup.object({ b: yup.number() }).from('a', 'b');
    expect(await outcome(renamed, { a: 1 })).toBe('');
    expect(await outcome(renamed, { a: 1 }, 'strip')).toEqual({ body: { b: 1 } });
  });

  test('a cast in yup that throws is a fault', async () => {
    const boom = yup.object({
      a: yup.string().transform(() => {
        throw new Error('down');
      }),
    });
    await expect(outcome(boom, { a: 'x' })).rejects.toThrow('down');
  });

  test('yup is refused for replies, because its checks are asynchronous', () => {
    expect(() =>
      compileStandardReply(yup.object({}) as never, { type: 'said', option: 'policy.replies.said' }),
    ).toThrow(/^policy\.replies\.said: .*yup answers later/);
  });
});

describe('joi', () => {
  test('an object of joi with unknown() stays open', async () => {
    const open = Joi.object({ in: Joi.object({ a: Joi.number() }).unknown() });
    for (const unknown of ['refuse', 'strip'] as const)
      expect(await outcome(open, { in: { a: '1', more: 2 } }, unknown)).toEqual({
        body: { in: { a: 1, more: 2 } },
      });
  });

  test('alternatives of joi are told apart by their keys', async () => {
    const either = Joi.object({
      in: Joi.alternatives(Joi.object({ x: Joi.number() }), Joi.object({ y: Joi.number() })),
    });
    expect(await outcome(either, { in: { y: 1 } })).toEqual({ body: { in: { y: 1 } } });
    expect(await outcome(either, { in: { y: 1, x: 1 } })).not.toHaveProperty('body');
  });

  const allowing = Joi.defaults((schema) => schema.options({ allowUnknown: true }));
  test.each<[string, unknown, string]>([
    ['an object without keys', Joi.object({ in: Joi.object() }), '/in'],
    ['one that says so, and is not closed for that', Joi.object({ in: Joi.object().unknown(false) }), '/in'],
    ['in a list', Joi.object({ l: Joi.array().items(Joi.object()) }), '/l'],
    ['in an alternative', Joi.object({ in: Joi.alternatives(Joi.string(), Joi.object()) }), '/in'],
    // biome-ignore lint/suspicious/noThenProperty: Joi names what a condition leads to so.
    ['by a condition', Joi.object({ a: Joi.any(), in: Joi.when('a', { is: 1, then: Joi.object() }) }), '/in'],
    ['under a pattern', Joi.object().pattern(/^x/, Joi.object()), ''],
    ['a preference', Joi.object({ a: Joi.any() }).options({ allowUnknown: true }), ''],
    [
      'a preference inside',
      Joi.object({ in: Joi.object({ a: Joi.any() }).prefs({ allowUnknown: true }) }),
      '/in',
    ],
    [
      'a preference to keep',
      Joi.object({ in: Joi.object({ a: Joi.any() }).prefs({ stripUnknown: false }) }),
      '/in',
    ],
    ['a default', allowing.object({ a: allowing.number() }), ''],
  ])('what would be handed on unnamed is refused at construction: %s', (_what, schema, at) => {
    expect(() => compile(schema)).toThrow(`joi would keep unknown properties of the object at '${at}'`);
  });
});

describe('an unknown library', () => {
  const handsOn = (value: unknown) => ({ value });
  const document = {
    type: 'object',
    properties: { a: { type: 'number' }, in: { type: 'object', properties: {} } },
    required: ['a'],
  };

  test('an unknown library without a JSON Schema is refused, because it might keep unknown properties', () => {
    for (const schema of [
      stranger(handsOn),
      stranger(handsOn, {}),
      stranger(handsOn, { title: 'x' }),
      stranger(handsOn, true),
    ])
      expect(() => compile(schema)).toThrow(
        /^policy\.messages\.say: it cannot be known which properties its library, 'stranger', would keep.*jsonSchema\.input/,
      );
  });

  test('an unknown library with a JSON Schema that cannot be enforced is refused', () => {
    expect(() => compile(stranger(handsOn, { type: 'object', properties: { a: { type: 'int' } } }))).toThrow(
      /^policy\.messages\.say#\/properties\/a\/type: 'int' is no type/,
    );
  });

  test('an unknown library gets only bodies that fit its JSON Schema', async () => {
    const asked: unknown[] = [];
    const schema = stranger((value) => {
      asked.push(value);
      return { value };
    }, document);
    expect(await outcome(schema, { a: 1 })).toEqual({ body: { a: 1 } });
    expect(await outcome(schema, { a: 1, evil: 1 })).toBe('');
    expect(await outcome(schema, { a: 1, in: { evil: 1 } })).toBe('/in');
    expect(await outcome(schema, { a: 'x' }, 'strip')).toBe('/a');
    expect(await outcome(schema, { a: 1, in: { evil: 1 }, evil: 1 }, 'strip')).toEqual({
      body: { a: 1, in: {} },
    });
    expect(asked).toEqual([{ a: 1 }, { a: 1, in: {} }]);
  });

  test('the JSON Schema of an unknown library is asked for by target', () => {
    const targets: string[] = [];
    const input = ({ target }: { target: string }): unknown => {
      targets.push(target);
      if (target === 'draft-07') throw new Error('unsupported');
      return document;
    };
    const schema = {
      '~standard': { version: 1, vendor: 'stranger', validate: handsOn, jsonSchema: { input } },
    };
    expect(() => compile(schema)).not.toThrow();
    expect(targets).toContain('draft-2020-12');
  });

  test('an unknown library with onDeepUndeclaredKey is told to reject or delete unknown properties', async () => {
    const schema = Object.assign(stranger(handsOn), {
      onDeepUndeclaredKey: (what: string) => stranger(() => ({ value: what })),
    });
    expect(await outcome(schema, {})).toEqual({ body: 'reject' });
    expect(await outcome(schema, {}, 'strip')).toEqual({ body: 'delete' });
  });
});

describe('a body with a type of its own', () => {
  const literal: [string, (type: string) => unknown][] = [
    ['zod', (type) => z.object({ type: z.literal(type), a: z.number() })],
    [
      'zod, strict, with what JSON Schema has no words for',
      (type) => z.strictObject({ type: z.enum([type]), a: z.number(), at: z.date().optional() }),
    ],
    [
      'zod, in every form',
      (type) =>
        z.union([
          z.object({ type: z.literal(type), a: z.literal(1) }),
          z.object({ type: z.literal(type), a: z.number().min(5) }),
        ]),
    ],
    [
      'zod, recursively',
      (type) => {
        const node: z.ZodType = z.object({
          type: z.literal(type),
          a: z.number(),
          get next() {
            return node.optional();
          },
        });
        return node;
      },
    ],
    ['valibot', (type) => v.object({ type: v.literal(type), a: v.number() })],
    [
      'valibot, strict, piped',
      (type) =>
        v.pipe(
          v.strictObject({ type: v.picklist([type]), a: v.number() }),
          v.check(() => true),
        ),
    ],
    ['valibot, optional', (type) => v.object({ type: v.optional(v.literal(type)), a: v.number() })],
    [
      'valibot, together',
      (type) => v.intersect([v.object({ type: v.literal(type) }), v.object({ a: v.number() })]),
    ],
    ['arktype', (artype) => type({ type: `'${artype}'`, a: 'number' } as never)],
    ['joi', (type) => Joi.object({ type: Joi.string().valid(type).required(), a: Joi.number().strict() })],
    ['joi, in short', (type) => Joi.object({ type, a: Joi.number().strict() })],
    ['yup', (type) => yup.object({ type: yup.string().oneOf([type]).required(), a: yup.number().strict() })],
    [
      'a stranger',
      (type) =>
        stranger((value) => ({ value }), {
          type: 'object',
          properties: { type: { const: type }, a: { type: 'number' } },
        }),
    ],
    ['zod/mini', (type) => zm.object({ type: zm.literal(type), a: zm.number() })],
    ['zod 3', (type) => z3.object({ type: z3.literal(type), a: z3.number() })],
    ['zod 3, strict', (type) => z3.object({ type: z3.enum([type]), a: z3.number() }).strict()],
    [
      'zod 3, in every form',
      (type) =>
        z3.union([
          z3.object({ type: z3.literal(type), a: z3.literal(1) }),
          z3.object({ type: z3.nativeEnum({ type }), a: z3.number().min(5) }),
        ]),
    ],
    [
      'zod 3, refined and transformed',
      (type) =>
        z3
          .object({ type: z3.literal(type).brand('t'), a: z3.number() })
          .refine(() => true)
          .transform((body) => body),
    ],
    ['zod 3, lazily', (type) => z3.lazy(() => z3.object({ type: z3.literal(type), a: z3.number() }))],
    ['zod, lazily', (type) => z.lazy(() => z.object({ type: z.literal(type), a: z.number() }))],
    ['zod, one of one', (type) => z.object({ type: z.union([z.literal(type)]), a: z.number() })],
    ['valibot, lazily', (type) => v.lazy(() => v.object({ type: v.literal(type), a: v.number() }))],
    [
      'valibot, behind something else',
      (type) => v.pipe(v.unknown(), v.object({ type: v.literal(type), a: v.number() })),
    ],
    [
      'valibot, a piped literal',
      (type) => v.object({ type: v.pipe(v.string(), v.literal(type)), a: v.number() }),
    ],
    [
      'joi, one of one',
      (type) => Joi.object({ type: Joi.alternatives(type).required(), a: Joi.number().strict() }),
    ],
    [
      'yup, lazily',
      (type) =>
        yup.lazy(() => yup.object({ type: yup.string().oneOf([type]).required(), a: yup.number().strict() })),
    ],
  ];

  test.each(literal)("a property type that is the message's name is accepted: %s", async (_what, schema) => {
    const check = compile(schema('say'), 'refuse', 'say');
    const look = async (body: object) => {
      const incoming = new Incoming('say', { type: 'say', ...body }, {}, undefined, 0);
      return { mistake: await check.look(incoming), body: incoming.body };
    };
    expect(await look({ a: 1 })).toEqual({ mistake: undefined, body: { type: 'say', a: 1 } });
    expect(await look({ a: 'x' })).toMatchObject({ mistake: { stage: 'schema' } });
    expect(await look({ a: 1, evil: 1 })).toMatchObject({ mistake: { stage: 'schema', pointer: '' } });
  });

  test.each(literal)('a property type with another value is refused at construction: %s', (_what, schema) => {
    expect(() => compile(schema('shout'), 'refuse', 'say')).toThrow(
      /^policy\.messages\.say: it has a property 'type' of its own.*say the literal 'say'/,
    );
  });

  test.each<[string, unknown]>([
    ['zod', z.object({ type: z.string() })],
    [
      'zod, in one of two forms',
      z.union([z.object({ type: z.literal('say') }), z.object({ a: z.number() })]),
    ],
    [
      'valibot',
      v.variant('type', [v.object({ type: v.literal('say') }), v.object({ type: v.literal('shout') })]),
    ],
    ['arktype', type({ type: 'string' })],
    ['joi', Joi.object({ type: Joi.string() })],
    ['joi, in one of two forms', Joi.alternatives(Joi.object({ type: 'say' }), Joi.object({ a: 1 }))],
    ['yup', yup.object({ type: yup.string() })],
    ['zod/mini', zm.object({ type: zm.string() })],
    ['zod 3', z3.object({ type: z3.string() })],
    ['zod, one of two literals', z.object({ type: z.literal(['say', 'shout']) })],
  ])('which may be anything is refused at construction: %s', (_what, schema) => {
    expect(() => compile(schema, 'refuse', 'say')).toThrow(/it has a property 'type' of its own/);
  });

  test.each<[string, unknown]>([
    ['zod', z.object({ type: z.literal('other'), a: z.number() })],
    ['valibot', v.object({ type: v.literal('other'), a: v.number() })],
    ['joi', Joi.object({ type: 'other', a: Joi.number() })],
  ])('is its own where the envelope holds the message’s: %s', async (_what, schema) => {
    expect(await outcome(schema, { type: 'other', a: 1 })).toEqual({ body: { type: 'other', a: 1 } });
  });

  test.each<[string, unknown]>([
    ['zod', z.string()],
    ['zod', z.array(z.object({}))],
    ['zod', z.union([z.string(), z.number()])],
    ['valibot', v.string()],
    ['arktype', type('string[]')],
    ['joi', Joi.array().items(Joi.any())],
    ['yup', yup.number()],
    ['zod 3', z3.string()],
    ['zod/mini', zm.array(zm.string())],
    ['valibot', v.lazy(() => v.string())],
    ['valibot', v.pipe(v.unknown(), v.string())],
    ['joi', Joi.date()],
  ])('what can be no object is no body beside a type: %s', (_what, schema) => {
    expect(() => compile(schema, 'refuse', 'say')).toThrow(/the body of a message is not an object. Wrap it/);
    expect(() => compile(schema)).not.toThrow();
  });
});

describe('a library that does not tell its structure', () => {
  /** A schema that is known only by what it says of bodies, as those of older versions of arktype. */
  const opaque = (inner: unknown, vendor = 'arktype') => ({
    ...stranger((value) => (inner as StandardSchema)['~standard'].validate(value), undefined, vendor),
    onDeepUndeclaredKey: () => inner,
  });
  const object = (name: string) => type({ type: `'${name}'`, a: 'number', '+': 'reject' } as never);
  const look = (schema: unknown, body: object) =>
    compile(schema, 'refuse', 'say').look(new Incoming('say', { type: 'say', ...body }, {}, undefined, 0));

  test("a property type that is the message's name is accepted, and another one refused", () => {
    expect(look(opaque(object('say')), { a: 1 })).toBeUndefined();
    expect(look(opaque(object('say')), { a: 'x' })).toMatchObject({ pointer: '/a' });
    expect(() => compile(opaque(object('shout')), 'refuse', 'say')).toThrow(/a property 'type' of its own/);
    expect(() => compile(opaque(type({ type: 'number' })), 'refuse', 'say')).toThrow(/a property 'type'/);
  });

  test('without a type of its own it gets the body without one, and so does a record', () => {
    expect(look(opaque(type({ a: 'number', '+': 'reject' })), { a: 1 })).toBeUndefined();
    expect(look(opaque(type({ '[string]': 'number' })), { a: 1 })).toBeUndefined();
    expect(look(opaque(type({ '[string]': 'number' })), { a: 'x' })).toMatchObject({ pointer: '/a' });
  });

  test('a validation that throws, or that fails later, is no unhandled rejection at construction', async () => {
    const throwing = {
      ...opaque(object('say')),
      ...stranger(() => Promise.reject(new Error('late')), undefined, 'arktype'),
    };
    expect(() => compile(throwing, 'refuse', 'say')).not.toThrow();
    const early = {
      ...opaque(object('say')),
      ...stranger(
        () => {
          throw new Error('early');
        },
        undefined,
        'arktype',
      ),
    };
    expect(() => compile(early, 'refuse', 'say')).not.toThrow();
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('replies of other libraries', () => {
  const replies: [string, unknown][] = [
    ['zod', z.object({ a: z.number(), in: z.object({ b: z.number() }).optional() })],
    ['valibot', v.object({ a: v.number(), in: v.optional(v.object({ b: v.number() })) })],
    ['arktype', type({ a: 'number', 'in?': { b: 'number' } })],
    ['joi', Joi.object({ a: Joi.number(), in: Joi.object({ b: Joi.number() }) })],
  ];
  test.each(replies)('%s: a reply with an unknown property is not sent', (_what, schema) => {
    for (const name of ['said', undefined]) {
      const check = compileStandardReply(schema as StandardSchema, {
        type: name,
        option: 'policy.replies.said',
      });
      const body = (more: object) => ({ ...(name !== undefined && { type: name }), a: 1, ...more });
      expect([check.passes(body({})), check.pointer(body({}))]).toEqual([true, '']);
      expect([check.passes(body({ password: 'x' })), check.pointer(body({ password: 'x' }))]).toEqual([
        false,
        '',
      ]);
      expect([
        check.passes(body({ in: { b: 1, password: 'x' } })),
        check.pointer(body({ in: { b: 1, password: 'x' } })),
      ]).toEqual([false, '/in']);
      expect(check.passes(body({ a: 'x' }))).toBe(false);
    }
  });

  test("a reply's literal type must be the name of the reply", () => {
    const said = (type: string) =>
      compileStandardReply(z.object({ type: z.literal(type) }) as never, {
        type: 'said',
        option: 'policy.replies.said',
      });
    expect(said('said').passes({ type: 'said' })).toBe(true);
    expect(() => said('other')).toThrow(/^policy\.replies\.said: it has a property 'type'/);
  });
});
