import { describe, expect, test } from '@jest/globals';
import { passthrough, Type } from '@sallyport/core';
import { Compile } from 'typebox/compile';
import * as v from 'valibot';
import { z } from 'zod';
import { messagesOf } from '../../src/asyncapi/messages.ts';
import { SchemaShelf } from '../../src/asyncapi/schema-shelf.ts';
import { internalsOf } from '../../src/guard/internals.ts';
import { sanitizedText } from '../../src/sanitize/sanitizer.ts';
import { guardOf, SAY } from '../support/guards.ts';
import { byName, keys } from '../support/late-auth.ts';

const { authenticator } = keys(byName);
const late = { auth: [authenticator], firstMessage: true };
const renewed = { auth: [authenticator], renewal: { notice: '1m' } };
const codec = {
  contentType: 'application/cbor',
  frames: 'binary',
  uniqueKeys: true,
  decode: () => 1,
  encode: () => '',
};

function described(options: object) {
  const { received, sent, answers } = messagesOf(internalsOf(guardOf(options)).route, new SchemaShelf());
  const names = (list: typeof sent) => list.map(({ name }) => name);
  return {
    received: names(received),
    sent: names(sent),
    answers: names(answers),
    message: (name: string) => [...received, ...sent].find((each) => each.name === name),
  };
}

const payloadOf = (schema: unknown, options: object = {}) =>
  described({ messages: { say: schema }, ...options }).message('say')?.payload;

describe('which messages there are', () => {
  const said = { replies: { said: SAY } };
  test.each<[string, object, string[], string[]]>([
    ['without replies anything may be sent', {}, ['say'], ['message', 'error']],
    ['with replies these', said, ['say'], ['said', 'error']],
    ['with a first message', { ...late, ...said }, ['say', 'auth'], ['said', 'error']],
    [
      'with a first message that is answered by id',
      { ...late, ...said, envelope: 'nested' },
      ['say', 'auth'],
      ['said', 'auth_ok', 'error'],
    ],
    ['with renewal', { ...renewed, ...said, renewal: true }, ['say', 'auth'], ['said', 'auth_ok', 'error']],
    [
      'with renewal and a notice',
      { ...renewed, ...said },
      ['say', 'auth'],
      ['said', 'auth_ok', 'auth_expiring', 'error'],
    ],
    ['in JSON-RPC', { ...said, envelope: 'json-rpc' }, ['say'], ['said', 'result', 'error']],
    ['opaque', { messages: passthrough({ text: true }) }, ['opaque'], ['opaque']],
    [
      'opaque with a first message',
      { messages: passthrough({ text: true }), ...late },
      ['opaque', 'auth'],
      ['opaque', 'error'],
    ],
    [
      'opaque with replies to faults',
      { messages: passthrough({ text: true }), onFault: 'reply' },
      ['opaque'],
      ['opaque', 'error'],
    ],
  ])('the messages received and sent: %s', (_what, options, received, sent) => {
    expect(described(options)).toMatchObject({ received, sent });
  });

  test('in JSON-RPC a request is answered by its result or an error', () => {
    expect(described({ envelope: 'json-rpc' }).answers).toEqual(['result', 'error']);
    expect(described({ envelope: 'nested' }).answers).toEqual([]);
  });
});

describe('the body', () => {
  const property = (properties: object, required: string[]) => ({
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  });
  const text = { type: 'string', maxLength: 20 };
  const body = property({ text }, ['text']);
  const open = { description: expect.stringContaining('does not tell') };

  test.each<[string, unknown]>([
    ['TypeBox', SAY],
    ['JSON Schema', { type: 'object', properties: { text }, required: ['text'] }],
    ['zod', z.object({ text: z.string().max(20) })],
  ])('the body of a schema of %s is closed in every envelope', (_library, schema) => {
    expect(payloadOf(schema)).toEqual(property({ type: { const: 'say' }, text }, ['text', 'type']));
    expect(payloadOf(schema, { envelope: 'nested' })).toMatchObject({
      properties: { type: { const: 'say' }, data: body },
      required: ['type', 'data'],
    });
    expect(payloadOf(schema, { envelope: 'json-rpc' })).toMatchObject({
      properties: { method: { const: 'say' }, params: body },
      required: ['jsonrpc', 'method', 'params'],
    });
  });

  test('a body that may be empty may be absent', () => {
    for (const schema of [Type.Object({}), Type.Object({ a: Type.Optional(Type.String()) }), z.object({})]) {
      expect(payloadOf(schema, { envelope: 'nested' })?.required).toEqual(['type']);
      expect(payloadOf(schema, { envelope: 'json-rpc' })?.required).toEqual(['jsonrpc', 'method']);
    }
  });

  test('the body of a library without JSON Schema is open, and the document says so', () => {
    const schema = v.object({ text: v.string() });
    expect(payloadOf(schema)).toEqual({
      type: 'object',
      properties: { type: { const: 'say' } },
      required: ['type'],
      ...open,
    });
    expect(payloadOf(schema, { envelope: 'nested' })?.properties).toMatchObject({ data: open });
    expect(payloadOf(schema, { envelope: 'json-rpc' })?.properties).toMatchObject({ params: open });
  });

  test.each<[string, unknown]>([
    ['anything', z.unknown()],
    ['something that JSON Schema has no words for', z.object({ at: z.date().optional() })],
  ])('a body that is %s is open in the flat envelope', (_what, schema) => {
    expect(payloadOf(schema)).toMatchObject({ properties: { type: { const: 'say' } }, ...open });
  });

  test('a body that has the literal of its name is described as it is', () => {
    for (const schema of [Type.Object({ type: Type.Literal('say') }), z.object({ type: z.literal('say') })])
      expect(payloadOf(schema)).toMatchObject({ properties: { type: { const: 'say' } }, required: ['type'] });
  });

  test('a body that is a record has the type beside its entries', () => {
    const schema = payloadOf(Type.Record(Type.String(), Type.Number()));
    const fits = Compile(schema as never);
    expect(fits.Check({ type: 'say', a: 1 })).toBe(true);
    for (const wrong of [{ type: 'say', a: 'x' }, { type: 'shout', a: 1 }, { a: 1 }])
      expect(fits.Check(wrong)).toBe(false);
    const some = payloadOf(Type.Record(Type.String({ pattern: '^t' }), Type.Number()));
    expect(Compile(some as never).Check({ type: 'say', t1: 1 })).toBe(true);
  });

  test('a body that contains its own type is described once, without the message type', () => {
    const tree = z.object({
      name: z.string(),
      get kids() {
        return z.array(tree);
      },
    });
    const schemas = new SchemaShelf();
    const { received } = messagesOf(internalsOf(guardOf({ messages: { tree } })).route, schemas);
    const kids = { type: 'array', items: { $ref: '#/components/schemas/tree' } };
    const properties = { name: { type: 'string' }, kids };
    expect(received[0]?.payload).toMatchObject({ properties: { ...properties, type: { const: 'tree' } } });
    expect(schemas.record).toEqual({ tree: property(properties, ['name', 'kids']) });
  });

  test('a body that is a union has the message type in each member', () => {
    const schema = z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]);
    const member = (name: string) =>
      property({ [name]: { type: 'string' }, type: { const: 'say' } }, [name, 'type']);
    expect(payloadOf(schema)).toEqual({ anyOf: [member('a'), member('b')] });
  });

  test('a body that is an intersection has the message type as well', () => {
    const schema = Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]);
    expect(payloadOf(schema)).toMatchObject({ propertyNames: { enum: ['a', 'b', 'type'] } });
  });

  test('a sanitized text keeps its description and not how it is sanitized', () => {
    const told = { maxLength: 9, pattern: '^a', format: 'uri', description: 'A link.' };
    const schema = Type.Object({ link: sanitizedText(told, () => undefined) });
    expect(payloadOf(schema)?.properties).toEqual({
      link: { type: 'string', ...told },
      type: { const: 'say' },
    });
  });

  test('the body of a reply is closed exactly if its check is', () => {
    const replies = { strict: SAY, loose: z.object({ text: z.string() }) };
    const { message } = described({ replies });
    expect(message('strict')?.payload).toEqual(
      property({ type: { const: 'strict' }, text }, ['text', 'type']),
    );
    expect(message('loose')?.payload).not.toHaveProperty('additionalProperties');
  });
});

describe('auth messages', () => {
  test('an auth message holds one of the fields that authenticators read', () => {
    const other = { ...authenticator, scheme: 'other', from: [], ambient: false, messageField: 'pin' };
    const field = (name: string) => ({
      type: 'object',
      properties: { [name]: { type: 'string' }, type: { const: 'auth' } },
      required: [name, 'type'],
      additionalProperties: false,
    });
    const options = { auth: [authenticator], renewal: true };
    expect(described(options).message('auth')?.payload).toEqual(field('key'));
    expect(described({ ...options, auth: [authenticator, other] }).message('auth')?.payload).toEqual({
      oneOf: [field('key'), field('pin')],
    });
  });

  test('an auth message says whether it comes first or renews', () => {
    const told = (options: object) => described(options).message('auth')?.description;
    expect(told(late)).toBe('Says who connects, as the first message.');
    expect(told(renewed)).toBe('Renews the credential of an open connection.');
    expect(told({ ...late, ...renewed })).toBe(`${told(late)} ${told(renewed)}`);
  });
});

describe('an opaque message', () => {
  test.each([
    [{ text: true }, 'text/plain', { type: 'string' }],
    [{ binary: true }, 'application/octet-stream', {}],
    [{ text: true, binary: true }, 'application/octet-stream', {}],
  ])('an opaque message of frames %j is %s', (frames, contentType, payload) => {
    expect(described({ messages: passthrough(frames) }).message('opaque')).toMatchObject({
      contentType,
      payload,
    });
  });
});

test('the content type is that of the codec, or JSON', () => {
  for (const name of ['say', 'message', 'error']) {
    expect(described({}).message(name)?.contentType).toBe('application/json');
    expect(described({ codec }).message(name)?.contentType).toBe('application/cbor');
  }
});

test('a message has an id exactly in envelopes with ids', () => {
  const location = '$message.payload#/id';
  const ids = (envelope: string) =>
    ['say', 'message', 'result', 'error'].map(
      (name) => described({ envelope }).message(name)?.correlationId?.location,
    );
  expect(ids('flat')).toEqual([undefined, undefined, undefined, undefined]);
  expect(ids('nested')).toEqual([location, location, undefined, location]);
  expect(ids('json-rpc')).toEqual([location, undefined, location, location]);
  // A property of the body that is called so is none.
  const own = described({ messages: { say: Type.Object({ id: Type.String() }) } });
  expect(own.message('say')).not.toHaveProperty('correlationId');
});

test('the size, rate and order of a message type are told in words', () => {
  const { message } = described({
    limits: { message: '2KiB' },
    messages: {
      hello: SAY,
      join: SAY,
      say: {
        schema: SAY,
        size: '1KiB',
        rate: { rate: '3/s', burst: 5 },
        after: ['hello', 'join'],
        once: true,
        freshness: '90s',
      },
    },
  });
  expect(message('hello')?.description).toBe('At most 2048 bytes.');
  expect(message('say')?.description).toBe(
    'At most 1024 bytes. At most 5 at once, and then one in 334 ms. Only after `hello` and `join`. Once on a connection. ' +
      'With a credential issued at most 90 s before; else the answer is `step_up_required`.',
  );
});
