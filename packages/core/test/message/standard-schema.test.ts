import { describe, expect, test } from '@jest/globals';
import { type } from 'arktype';
import * as v from 'valibot';
import * as z from 'zod';
import type { Check, Mistake } from '../../src/message/check.ts';
import { compileStandard, isStandardSchema, type StandardSchema } from '../../src/message/standard-schema.ts';
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

  test('is a schema of another library', () => {
    expect(isStandardSchema(user)).toBe(true);
  });

  test.each<[string, unknown, unknown]>([
    ['itself', user, alice],
    ['without what is optional', user, { name: 'bob' }],
    ['inside', nested.in, { in: alice }],
    ['in a list', nested.list, [alice, { name: 'bob' }]],
    ['in a record', nested.record, { any: alice }],
  ])('hands on what fits: %s', async (_what, schema, came) => {
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
    'refuses what it does not name, or leaves it out, and tells no name that was made up: %s',
    async (_what, schema, came, left, pointer) => {
      expect(await outcome(schema, structuredClone(came))).toBe(pointer);
      expect(await outcome(schema, structuredClone(came), 'strip')).toEqual({ body: left });
    },
  );

  test('refuses with its own word for it, and tells no name that was made up', async () => {
    expect(await outcome(closed, { name: 'alice', evil: 1 })).toBe('');
    expect(await outcome(around(closed as never).in, { in: { name: 'alice', evil: 1 } })).toBe('/in');
  });

  test('knows no key that objects inherit', async () => {
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
  ])('points at the mistake: %s', async (what, schema, came, pointer) => {
    // valibot takes a list for an object, whose fields are missing.
    const expected =
      what.startsWith('a list') && typeof (schema as { kind?: unknown }).kind === 'string'
        ? '/name'
        : pointer;
    expect(await outcome(schema, came)).toBe(expected);
    expect(await outcome(schema, came, 'strip')).toBe(expected);
  });

  test('answers at once', () => {
    const mistake = compile(user).look(new Incoming('say', alice, {}, undefined, 0));
    expect(isPromise(mistake)).toBe(false);
  });

  test('is asked about the body without the type', () => {
    const check = compile(user, 'refuse', 'say');
    const incoming = new Incoming('say', { type: 'say', ...alice }, {}, undefined, 0);
    expect(check.look(incoming)).toBeUndefined();
    expect(incoming).toMatchObject({ body: alice, changed: true });
    expect(Object.keys(incoming.body as object)).toEqual(['name', 'age']);
  });

  test('is walked through before it is asked', () => {
    expect(compile(user).fixedKeys).toBeUndefined();
    expect(compile(user).fits(alice)).toBe(false);
  });
});

describe('what the handler gets is what the library makes of it', () => {
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
  test.each(trimmed)('%s, and what listeners of the bare library get as well', async (_, schema) => {
    const { say, socket, on } = await openConnection({ messages: { say: schema } });
    const seen: unknown[] = [];
    on('say', (message) => void seen.push(message));
    await say({ type: 'say', name: ' alice ', size: 'four' });
    expect(seen).toEqual([{ name: 'alice', size: 4, role: 'guest' }]);
    expect(socket.delivered.map((data) => JSON.parse(String(data)))).toEqual([
      { type: 'say', name: 'alice', size: 4, role: 'guest' },
    ]);
  });

  test.each(['nested', 'json-rpc'])('in the envelope in which it came: %s', async (envelope) => {
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
  });

  test('a permission is asked about the same', async () => {
    const seen: unknown[] = [];
    const authorize = ({ message }: { message: unknown }) => seen.push(message) > 0;
    const { say } = await openConnection({ messages: { say: { schema: trimmed[0]?.[1], authorize } } });
    await say({ type: 'say', name: ' alice ', size: 'four' });
    expect(seen).toEqual([{ name: 'alice', size: 4, role: 'guest' }]);
  });

  test('what it makes something else of needs stripping, since nobody can tell what it knew', async () => {
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
    // Of a single field nothing can get lost, and arktype says itself what it does not know.
    const field = z.object({ at: z.string().transform((text) => new Date(text)) });
    expect(await outcome(field, { at: '2030-01-01' })).toEqual({ body: { at: new Date('2030-01-01') } });
    const ark = type({ a: 'number' }).pipe(({ a }) => ({ b: a }));
    expect(await outcome(ark, { a: 1 })).toEqual({ body: { b: 1 } });
    expect(await outcome(ark, { a: 1, evil: 2 })).toBe('');
  });

  test('bytes that a codec made are a value, not an object of numbers', async () => {
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
  test.each(forms)('%s: by their kind', async (_, schema) => {
    expect(await outcome(schema, { k: 'b', y: 1 })).toEqual({ body: { k: 'b', y: 1 } });
    expect(await outcome(schema, { k: 'b', y: 1, x: 1 })).toBe('');
    expect(await outcome(schema, { k: 'b', y: 1, x: 1 }, 'strip')).toEqual({ body: { k: 'b', y: 1 } });
    expect(await outcome(schema, { k: 'c', y: 1 })).not.toEqual(
      expect.objectContaining({ body: expect.anything() }),
    );
  });

  test('arktype: that nobody can tell apart can be refused, and cannot be stripped', async () => {
    const either = type({ a: 'number' }).or({ b: 'number' });
    expect(await outcome(either, { a: 1 })).toEqual({ body: { a: 1 } });
    expect(await outcome(either, { a: 1, evil: 1 })).not.toMatch(/evil/);
    expect(() => compile(either, 'strip')).toThrow(
      /^policy\.messages\.say: nobody can tell what to leave out of it.*unknownProperties/s,
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
  test.each(checks)('%s', async (_, schema) => {
    expect(await outcome(schema, { name: 'free' })).toEqual({ body: { name: 'free' } });
    expect(await outcome(schema, { name: 'taken' })).toBe('/name');
    expect(await outcome(schema, { name: 'free', evil: 1 })).toBe('');
    expect(await outcome(schema, { name: 'free', evil: 1 }, 'strip')).toEqual({ body: { name: 'free' } });
  });

  test.each(checks)('%s: messages stay in order', async (_, schema) => {
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

describe('a check that fails itself is a fault', () => {
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
  ])('%s', async (_, schema) => {
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

describe('a failure that carries a value as well', () => {
  test('is a failure', async () => {
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
  const at = (path: unknown) => ({
    '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ path }] }) },
  });
  test.each<[unknown, string]>([
    [undefined, ''],
    [[], ''],
    [['a', 0, 'b'], '/a/0/b'],
    [[{ key: 'a' }, { key: 1 }], '/a/1'],
    [['a/b', 'c~d', ''], '/a~1b/c~0d/'],
    [[Symbol('s')], '/Symbol(s)'],
    [['x'.repeat(500)], `/${'x'.repeat(199)}`],
  ])('%p', async (path, pointer) => {
    expect(await outcome(at(path), {})).toBe(pointer);
  });

  test('of no issue at all: it has failed all the same', async () => {
    const schema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [] }) } };
    expect(await outcome(schema, {})).toBe('');
  });
});
