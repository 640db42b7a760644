import { describe, expect, test } from '@jest/globals';
import { Compile } from 'typebox/compile';
import type { SchemaNode } from '../../src/wire/envelope.ts';
import { type EnvelopeName, envelopes } from '../../src/wire/envelopes.ts';
import { type Addressee, UNADDRESSED, UNREAD } from '../../src/wire/incoming.ts';

const fits = (schema: SchemaNode | undefined, value: unknown) =>
  schema !== undefined && Compile(schema as never).Check(value);
const any = { schema: {}, optional: true };
const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
const some = { schema: text, optional: false };
const call = (more: object) => ({ jsonrpc: '2.0', method: 'say', ...more });

/** What may be a message, in every envelope but the flat one, whose check holds the type itself. */
const received: [EnvelopeName, unknown][] = (
  [
    ['nested', { type: 'say' }],
    ['nested', { type: 'say', data: 1, id: 'a' }],
    ['nested', { type: 'say', data: {}, id: 2 ** 53 - 1 }],
    ['nested', { type: 'say', data: {}, id: 2 ** 53 }],
    ['nested', { type: 'say', data: {}, id: 1.5 }],
    ['nested', { type: 'say', data: {}, id: null }],
    ['nested', { type: 'say', data: {}, id: 'a'.repeat(64) }],
    ['nested', { type: 'say', data: {}, id: 'a'.repeat(65) }],
    ['nested', { type: 'say', data: {}, more: 1 }],
    ['nested', { data: {} }],
    ['nested', []],
    ['json-rpc', call({})],
    ['json-rpc', call({ params: {} })],
    ['json-rpc', call({ params: [] })],
    ['json-rpc', call({ params: 'a' })],
    ['json-rpc', call({ params: null })],
    ['json-rpc', call({ id: 'a'.repeat(65) })],
    ['json-rpc', call({ id: null })],
    ['json-rpc', call({ id: -(2 ** 53) })],
    ['json-rpc', call({ id: 7 })],
    ['json-rpc', call({ jsonrpc: '1.0' })],
    ['json-rpc', call({ more: 1 })],
    ['json-rpc', { method: 'say' }],
    ['json-rpc', [call({})]],
  ] satisfies [EnvelopeName, unknown][]
).map(([name, value]) => [name, value]);

test.each(received)('envelope %s: %j fits the described schema exactly if it is read', (name, value) => {
  const { open, describe } = envelopes[name];
  const taken = open(value) !== undefined;
  expect([fits(describe('say', any), value), fits(describe(undefined, any), value)]).toEqual([taken, taken]);
  expect(fits(describe('other', any), value)).toBe(false);
});

test('some of the sample messages are read and some are not', () => {
  const taken = received.filter(([name, value]) => envelopes[name].open(value) !== undefined);
  expect([taken.length, received.length]).toEqual([8, 24]);
});

describe.each(['nested', 'json-rpc'] as const)('%s: a body', (name) => {
  const { describe, describeNotice, notice } = envelopes[name];
  const without = name === 'nested' ? { type: 'say' } : call({});

  test('a body may be absent exactly if an empty one passes', () => {
    expect(fits(describe('say', { ...some, optional: true }), without)).toBe(true);
    expect(fits(describe('say', some), without)).toBe(false);
    expect(fits(describeNotice('say', some), without)).toBe(false);
  });

  test('a body must match its schema', () => {
    for (const schema of [describe('say', some), describeNotice('say', some)]) {
      expect(fits(schema, notice('say', { text: 'hi' }))).toBe(true);
      expect(fits(schema, notice('say', { text: 1 }))).toBe(false);
      expect(fits(schema, notice('other', { text: 'hi' }))).toBe(false);
    }
  });
});

describe.each(['flat', 'nested', 'json-rpc'] as const)('%s: what is sent', (name) => {
  const envelope = envelopes[name];
  const merged = { ...text, properties: { ...text.properties, type: { const: 'said' } } };
  const body = { schema: envelope.mergesType ? merged : text, optional: false };

  test('a message of the server fits its schema, alone and as an answer', () => {
    const notice = envelope.describeNotice('said', body);
    expect(fits(notice, envelope.notice('said', { text: 'hi' }))).toBe(true);
    for (const id of ['a', 7, undefined]) {
      const answer = envelope.answer(id, 'said', { text: 'hi' });
      const schema = name === 'json-rpc' && id !== undefined ? envelope.describeAnswer() : notice;
      expect(fits(schema, answer)).toBe(true);
      expect(fits(envelope.describeError(), answer)).toBe(false);
    }
  });

  test.each<[Addressee, string | undefined]>([
    ['a', '/text'],
    [7, undefined],
    [UNREAD, undefined],
    [UNADDRESSED, undefined],
  ])('an error to %p fits its schema', (to, path) => {
    const told = { code: 'message_invalid', message: 'no', ...(path !== undefined && { path }) } as const;
    const error = envelope.error(to, told);
    expect(fits(envelope.describeError(), error)).toBe(true);
    expect(fits(envelope.describeAnswer(), error)).toBe(false);
    expect(fits(envelope.describeError(), { ...(error as object), detail: 'secret' })).toBe(false);
    const odd = envelope.error(to, { ...told, code: 'route_unknown' });
    expect(fits(envelope.describeError(), odd)).toBe(false);
  });
});

test("in JSON-RPC the server's own messages have no id", () => {
  const { describe, describeNotice } = envelopes['json-rpc'];
  expect(fits(describe('say', any), call({ id: 1 }))).toBe(true);
  expect(fits(describeNotice('say', any), call({ id: 1 }))).toBe(false);
});
