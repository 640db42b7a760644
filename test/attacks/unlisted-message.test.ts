// M1, M9: types, properties at any depth, and keys of the envelope that the policy does not name reach no handler. Neither do names
// that every object inherits (OWASP WebSocket Security Cheat Sheet, input validation; ASVS 5.0, 2.2).
import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { type } from 'arktype';
import Joi from 'joi';
import * as v from 'valibot';
import * as yup from 'yup';
import { z } from 'zod';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { envelopes } from '../support/envelopes.ts';
import { watch } from '../support/watched.ts';
import { frame } from '../support/wire.ts';

const inner = Type.Object({ a: Type.Number() });
const messages = {
  say: Type.Object({ text: Type.String() }),
  deep: Type.Object({
    list: Type.Array(inner),
    either: Type.Union([Type.Null(), inner]),
    map: Type.Record(Type.String(), inner),
  }),
  plain: { type: 'object', properties: { text: { type: 'string' } } },
  zod: z.object({ text: z.string(), inner: z.object({ a: z.number() }).optional() }),
  valibot: v.object({ text: v.string(), inner: v.optional(v.object({ a: v.number() })) }),
  arktype: type({ text: 'string', 'inner?': { a: 'number' } }),
  joi: Joi.object({ text: Joi.string(), inner: Joi.object({ a: Joi.number() }) }),
  yup: yup.object({ text: yup.string(), inner: yup.object({ a: yup.number() }).default(undefined) }),
  referring: {
    type: 'object',
    properties: { first: inner, second: { $ref: '#/properties/first' } },
  },
  depending: {
    type: 'object',
    properties: { text: {} },
    dependencies: { text: { properties: { inner } } },
  },
  next: Type.Object({}),
};
/** Messages whose unknown parts can only be refused: elements of a list, and what a condition asks about. */
const lists = {
  tuple: { type: 'object', properties: { pair: { type: 'array', prefixItems: [inner] } } },
  asking: {
    type: 'object',
    properties: { text: {} },
    if: { properties: { admin: { type: 'object' } }, required: ['admin'] },
    else: { required: ['text'] },
  },
};
const unlistable: readonly (readonly [type: string, body: object, pointer: string])[] = [
  ['tuple', { pair: [{ a: 1 }, { admin: true }] }, '/pair'],
  ['tuple', { pair: [{ a: 1, admin: true }] }, '/pair/0'],
  ['asking', { admin: { any: 'thing' } }, ''],
];
const deep = { list: [{ a: 1 }], either: { a: 1 }, map: { x: { a: 1 } } };

const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty'];
const types = [
  ...INHERITED,
  'shout',
  '',
  'Say',
  'say ',
  'say\u0000',
  's\u0430y',
  'messages.say',
  'error',
  'auth',
];

const hi = { text: 'hi' };
/** Bodies with an unknown property, the body without it, and the pointer of the denial. */
const extra: readonly (readonly [type: string, body: object, left: object, pointer: string])[] = [
  ...['admin', 'toString', 'hasOwnProperty', 'constructor', 'prototype', '', '$ref'].map(
    (name) => ['say', { ...hi, [name]: 1 }, hi, ''] as const,
  ),
  ['next', { admin: true }, {}, ''],
  ['plain', { admin: true }, {}, ''],
  ['zod', { ...hi, admin: true }, hi, ''],
  ['zod', { ...hi, inner: { a: 1, admin: true } }, { ...hi, inner: { a: 1 } }, '/inner'],
  ...['valibot', 'arktype', 'joi', 'yup'].flatMap((library) => [
    [library, { ...hi, admin: true }, hi, ''] as const,
    [library, { ...hi, toString: 1 }, hi, ''] as const,
    [library, { ...hi, inner: { a: 1, admin: true } }, { ...hi, inner: { a: 1 } }, '/inner'] as const,
  ]),
  ['referring', { second: { a: 1, admin: true } }, { second: { a: 1 } }, '/second'],
  ['depending', { ...hi, inner: { a: 1, admin: true } }, { ...hi, inner: { a: 1 } }, '/inner'],
  ['deep', { ...deep, list: [{ a: 1, admin: true }] }, deep, '/list/0'],
  ['deep', { ...deep, either: { a: 1, admin: true } }, deep, '/either'],
  ['deep', { ...deep, map: { x: { a: 1, admin: true } } }, deep, '/map/x'],
];

/** JSON that is no message in its envelope. */
const strangers: Readonly<Record<string, readonly unknown[]>> = {
  flat: [null, 7, 'say', [], [{ type: 'say', text: 'hi' }]],
  nested: [
    { type: 'say', text: 'hi' },
    { type: 'say', data: { text: 'hi' }, admin: true },
    { type: 'say', data: { text: 'hi' }, toString: 1 },
    { data: { text: 'hi' } },
    { type: ['say'], data: { text: 'hi' } },
    { type: { toString: 'say' }, data: { text: 'hi' } },
    [{ type: 'say', data: { text: 'hi' } }],
    ...[null, true, {}, [], 1.5, 2 ** 53, 'x'.repeat(65)].map((id) => ({
      type: 'say',
      data: { text: 'hi' },
      id,
    })),
  ],
  'json-rpc': [
    { method: 'say', params: { text: 'hi' } },
    { jsonrpc: '1.0', method: 'say', params: { text: 'hi' } },
    { jsonrpc: 2, method: 'say', params: { text: 'hi' } },
    { jsonrpc: '2.0', method: 'say', params: { text: 'hi' }, admin: true },
    { jsonrpc: '2.0', method: ['say'], params: { text: 'hi' } },
    { jsonrpc: '2.0', method: 'say', params: 'hi' },
    { jsonrpc: '2.0', method: 'say', params: null },
    // Batches, and answers to requests that were never sent.
    [{ jsonrpc: '2.0', method: 'say', params: { text: 'hi' }, id: 1 }],
    { jsonrpc: '2.0', result: { text: 'hi' }, id: 1 },
    { jsonrpc: '2.0', error: { code: 1, message: 'hi' }, id: 1 },
    ...[null, true, {}, [], 1.5, 2 ** 53, 'x'.repeat(65)].map((id) => ({
      jsonrpc: '2.0',
      method: 'say',
      params: { text: 'hi' },
      id,
    })),
  ],
};

const json = (value: unknown): Buffer => frame(JSON.stringify(value));

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  describe.each(envelopes)('$name', (envelope) => {
    /** Sends these on one connection with a valid message behind them, and returns what the application saw. */
    async function attack(sent: readonly Buffer[], policy: PolicyOverrides = {}) {
      const app = await watch(start, host, {
        messages: messages as never,
        envelope: envelope.name,
        ...policy,
        limits: { violations: 1_000 },
      });
      const wire = await open(app, { headers: await goodHeaders() });
      wire.send(Buffer.concat([...sent, json(envelope.write('next', {}))]));
      await app.settled();
      return { ...app, wire };
    }

    /** Only the valid message reached the handlers. */
    function onlyNext({ typed, raw, faults }: Awaited<ReturnType<typeof attack>>): void {
      expect(typed.map(([type]) => type)).toEqual(['next']);
      expect(raw).toEqual([JSON.stringify(envelope.write('next', {}))]);
      expect(faults).toEqual([]);
    }

    test('types that are not in the policy get message_type_unknown and reach no handler', async () => {
      const app = await attack(types.map((type, i) => json(envelope.write(type, { text: 'hi' }, `id ${i}`))));
      onlyNext(app);
      const errors = (await app.wire.messages(types.length)).map(envelope.errorOf);
      expect(errors).toEqual(
        types.map((_, i) => ({ code: 'message_type_unknown', ...(envelope.hasIds && { id: `id ${i}` }) })),
      );
      expect(app.denied).toEqual(types.map(() => 'schema message_type_unknown'));
    });

    test('properties that are not in the schema get message_invalid with their place, and reach no handler', async () => {
      const app = await attack(extra.map(([type, body], i) => json(envelope.write(type, body, i))));
      onlyNext(app);
      const errors = (await app.wire.messages(extra.length)).map(envelope.errorOf);
      expect(errors).toEqual(
        extra.map(([, , , path], id) => ({ code: 'message_invalid', path, ...(envelope.hasIds && { id }) })),
      );
    });

    test('elements behind the end of a list, and properties that only a condition names, get message_invalid', async () => {
      const app = await attack(
        unlistable.map(([type, body], i) => json(envelope.write(type, body, i))),
        { messages: { ...lists, next: Type.Object({}) } as never },
      );
      onlyNext(app);
      const errors = (await app.wire.messages(unlistable.length)).map(envelope.errorOf);
      expect(errors).toEqual(
        unlistable.map(([, , path], id) => ({
          code: 'message_invalid',
          path,
          ...(envelope.hasIds && { id }),
        })),
      );
    });

    test("with unknownProperties: 'strip', typed and raw listeners get the bodies without unknown properties", async () => {
      const sent = extra.map(([type, body]) => json(envelope.write(type, body)));
      const app = await attack(sent, { unknownProperties: 'strip' });
      expect([app.denied, app.faults]).toEqual([[], []]);
      const left = [...extra.map(([type, , rest]) => [type, rest] as const), ['next', {}] as const];
      expect(app.typed.map(([type, body]) => [type, withoutType(body as object)])).toEqual(left);
      expect(app.raw.map((text) => JSON.parse(text as string))).toEqual(
        left.map(([type, rest]) => envelope.write(type, rest)),
      );
    });

    test('JSON that is no message in this envelope gets message_malformed and reaches no handler', async () => {
      const sent = strangers[envelope.name] as readonly unknown[];
      const app = await attack(sent.map(json));
      onlyNext(app);
      expect(app.denied).toEqual(sent.map(() => 'parse message_malformed'));
      const errors = (await app.wire.messages(sent.length)).map(envelope.errorOf);
      expect(errors).toEqual(
        sent.map(() => ({ code: 'message_malformed', ...(envelope.name === 'json-rpc' && { id: null }) })),
      );
    });
  });

  test('a type that is no text gets message_type_unknown', async () => {
    const app = await watch(start, host, { messages: messages as never, limits: { violations: 1_000 } });
    const wire = await open(app, { headers: await goodHeaders() });
    const sent = [{}, ...[null, 7, true, ['say'], { toString: 'say' }].map((type) => ({ type, text: 'hi' }))];
    wire.send(Buffer.concat([...sent, { type: 'next' }].map(json)));
    await app.settled();
    expect(app.typed).toEqual([['next', { type: 'next' }]]);
    expect(app.denied).toEqual(sent.map(() => 'schema message_type_unknown'));
  });
});

/** The body without the type that a flat message has among its properties. */
function withoutType(body: object): object {
  const { type: _type, ...rest } = body as { type?: string };
  return rest;
}
