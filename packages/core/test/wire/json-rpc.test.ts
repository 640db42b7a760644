import { describe, expect, test } from '@jest/globals';
import { Compile } from 'typebox/compile';
import { type Reason, reasons } from '../../src/vocabulary/reasons.ts';
import { type Addressee, type Incoming, UNADDRESSED, UNREAD } from '../../src/wire/incoming.ts';
import { jsonRpc } from '../../src/wire/json-rpc.ts';
import { BAD_IDS, GOOD_IDS } from '../support/message-ids.ts';

const open = (text: string): Incoming | undefined => jsonRpc.open(JSON.parse(text));
const call = (more: object): string => JSON.stringify({ jsonrpc: '2.0', method: 'say', ...more });
const ERROR = { code: 'message_invalid', path: '/text', message: 'no' } as const;

describe('open', () => {
  test.each<[string, object]>([
    [call({}), { type: 'say', body: {}, id: undefined, envelopeKeys: 2 }],
    [call({ params: { a: 1 } }), { body: { a: 1 }, id: undefined, envelopeKeys: 3 }],
    [call({ params: [1, 2], id: 'x' }), { body: [1, 2], id: 'x', envelopeKeys: 4 }],
    [call({ params: [] }), { body: [] }],
    [call({ method: '' }), { type: '' }],
    [call({ method: '__proto__' }), { type: '__proto__' }],
  ])('%s is read as a JSON-RPC call', (text, expected) => {
    expect(open(text)).toMatchObject(expected);
  });

  test.each([
    'null',
    '7',
    '"2.0"',
    // Batches (§6), of one and of none, too.
    '[]',
    `[${call({ id: 1 })}]`,
    `[${call({ id: 1 })},${call({ id: 2 })}]`,
    '{}',
    '{"method":"say","id":1}',
    call({ jsonrpc: '1.0' }),
    call({ jsonrpc: 2 }),
    call({ jsonrpc: ['2.0'] }),
    call({ method: undefined, id: 1 }),
    call({ method: null }),
    call({ method: 1 }),
    call({ method: ['say'] }),
    // §4.2: params are an object or an array.
    call({ params: null }),
    call({ params: 'text' }),
    call({ params: 7 }),
    call({ params: true }),
    // An answer from a client, and a call that is one as well.
    '{"jsonrpc":"2.0","id":1,"result":{}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}',
    call({ id: 1, result: {} }),
    call({ id: 1, error: null }),
    call({ extra: 1 }),
    call({ Params: {} }),
    '{"jsonrpc":"2.0","method":"say","__proto__":{}}',
    '{"jsonrpc":"2.0","method":"say","\\u005f_proto__":{"params":{}}}',
    call({ constructor: { prototype: {} } }),
    '{"__proto__":{"jsonrpc":"2.0","method":"say"}}',
  ])('%s is no JSON-RPC call', (text) => {
    expect(open(text)).toBeUndefined();
  });

  test.each(GOOD_IDS.map((id) => [id]))('%j is an id of a JSON-RPC call', (id) => {
    expect(open(call({ id }))?.id).toBe(id);
  });

  test.each(BAD_IDS.map((id) => [id]))('a JSON-RPC call with the id %j is refused', (id) => {
    expect(open(call({ id }))).toBeUndefined();
  });
});

test('rewrite replaces the params and keeps everything else', () => {
  const incoming = open('{"id":7,"params":{"a":1},"method":"say","jsonrpc":"2.0"}') as Incoming;
  incoming.body = { b: 2 };
  expect(JSON.stringify(jsonRpc.rewrite(incoming))).toBe(
    '{"id":7,"params":{"b":2},"method":"say","jsonrpc":"2.0"}',
  );
});

describe('what is sent', () => {
  test('a notice is a JSON-RPC notification', () => {
    expect(jsonRpc.notice('said', { a: 1 })).toEqual({ jsonrpc: '2.0', method: 'said', params: { a: 1 } });
  });

  test.each<[unknown, unknown]>([
    [{ a: 1 }, { a: 1 }],
    ['text', 'text'],
    [0, 0],
    [false, false],
    ['', ''],
    [null, null],
    // §5: a result has to be there.
    [undefined, null],
  ])('an answer of %j has the result %j', (body, result) => {
    for (const name of ['said', undefined])
      expect(jsonRpc.answer(7, name, body)).toStrictEqual({ jsonrpc: '2.0', id: 7, result });
  });

  test.each(GOOD_IDS.map((id) => [id]))('a JSON-RPC answer carries the id %j', (id) => {
    expect(jsonRpc.answer(id, undefined, {})).toMatchObject({ id });
  });

  test('a notification gets no answer, and a reply with a type is a notification', () => {
    expect(jsonRpc.answer(undefined, undefined, { a: 1 })).toBeUndefined();
    const sent = jsonRpc.answer(undefined, 'said', { a: 1 });
    expect(sent).toStrictEqual({ jsonrpc: '2.0', method: 'said', params: { a: 1 } });
  });

  test.each<[Reason, number]>([
    ['message_malformed', -32600],
    ['message_type_unknown', -32601],
    ['message_invalid', -32602],
    ['internal', -32603],
    ['message_forbidden', -32000],
    ['message_rate', -32000],
    ['message_out_of_order', -32000],
    ['step_up_required', -32000],
  ])('the denial %s is the error %i, with the reason in its data', (code, number) => {
    expect(jsonRpc.error(7, { code, message: 'no', path: '/a' })).toStrictEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: number, message: 'no', data: { code, path: '/a' } },
    });
  });

  test('an error about an unreadable message or an invalid call has the id null', () => {
    const { code, message } = { code: 'message_malformed', message: 'no' } as const;
    expect(jsonRpc.error(UNREAD, { code, message })).toMatchObject({ id: null, error: { code: -32700 } });
    expect(jsonRpc.error(UNADDRESSED, { code, message })).toMatchObject({
      id: null,
      error: { code: -32600 },
    });
  });

  test.each(Object.keys(reasons).map((code) => [code as Reason]))(
    'a notification gets no error %s',
    (code) => {
      expect(jsonRpc.error(undefined, { code, message: 'no' })).toBeUndefined();
    },
  );
});

test('messages in both directions fit the schemas that document them', () => {
  const taken = Compile(jsonRpc.describe('say', { schema: { type: 'object' }, optional: true }) as never);
  for (const text of [call({}), call({ params: {}, id: 7 }), call({ id: 'x' })])
    expect(taken.Check(JSON.parse(text))).toBe(true);
  for (const text of [call({ extra: 1 }), call({ method: 'other' }), call({ id: 0.5 })])
    expect(taken.Check(JSON.parse(text))).toBe(false);
  const denial = Compile(jsonRpc.describeError() as never);
  for (const to of [7, 'x', UNREAD, UNADDRESSED] satisfies Addressee[])
    expect(denial.Check(jsonRpc.error(to, ERROR))).toBe(true);
  expect(denial.Check(jsonRpc.answer(7, undefined, {}))).toBe(false);
});
