import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { Held, settle } from '../support/late-auth.ts';
import { openConnection } from '../support/open-connection.ts';

const messages = { add: Type.Object({ a: Type.Number(), b: Type.Number() }), ping: Type.Object({}) };
const replies = { sum: Type.Object({ value: Type.Number() }), pong: Type.Object({}) };
type Sum = { a: number; b: number };
const sum = ({ a, b }: Sum) => ({ value: a + b });

const ENVELOPES = ['flat', 'nested', 'json-rpc'] as const;
type EnvelopeName = (typeof ENVELOPES)[number];

/** A message of the client in each envelope; flat ones have no ids. */
function write(envelope: EnvelopeName, type: string, body: object, id?: unknown): object {
  if (envelope === 'flat') return { type, ...body };
  if (envelope === 'nested') return { type, data: body, id };
  return { jsonrpc: '2.0', method: type, params: body, id };
}

const open = (envelope: EnvelopeName, options: object = {}) =>
  openConnection({ messages, replies, envelope, ...options });

describe('replies of handlers', () => {
  test.each<[EnvelopeName, unknown, unknown]>([
    ['flat', undefined, { type: 'sum', value: 3 }],
    ['nested', undefined, { type: 'sum', data: { value: 3 } }],
    ['nested', 'x', { type: 'sum', id: 'x', data: { value: 3 } }],
    ['nested', 0, { type: 'sum', id: 0, data: { value: 3 } }],
    ['json-rpc', 7, { jsonrpc: '2.0', id: 7, result: { value: 3 } }],
    ['json-rpc', '', { jsonrpc: '2.0', id: '', result: { value: 3 } }],
    // A notification is not answered; what has a name is a message of its own.
    ['json-rpc', undefined, { jsonrpc: '2.0', method: 'sum', params: { value: 3 } }],
  ])('%s, with the id %j', async (envelope, id, expected) => {
    for (const handler of [sum, async (message: Sum) => sum(message)]) {
      const { say, socket, on, faults } = await open(envelope);
      on('add', 'sum', handler);
      await say(write(envelope, 'add', { a: 1, b: 2 }, id));
      expect([socket.sent, faults]).toEqual([[expected], []]);
    }
  });

  test.each(ENVELOPES)('%s: a handler without a named reply sends no reply', async (envelope) => {
    const { say, socket, on } = await open(envelope);
    on('add', sum);
    await say(write(envelope, 'add', { a: 1, b: 2 }));
    if (envelope === 'nested') await say(write(envelope, 'add', { a: 1, b: 2 }, 7));
    expect(socket.sent).toEqual([]);
  });

  test.each<[unknown, unknown]>([
    [undefined, null],
    [null, null],
    [0, 0],
    ['', ''],
    [false, false],
    [[1], [1]],
  ])('in JSON-RPC every request is answered: %j is the result %j', async (returned, result) => {
    for (const handler of [() => returned, async () => returned]) {
      const { say, socket, on } = await open('json-rpc');
      on('ping', handler);
      await say(write('json-rpc', 'ping', {}, 7));
      await say(write('json-rpc', 'ping', {}));
      expect(socket.sent).toStrictEqual([{ jsonrpc: '2.0', id: 7, result }]);
    }
  });

  test('replies carry the ids of their requests, and come in the order of the requests', async () => {
    const { connection, socket, on } = await open('json-rpc');
    const held = new Held<unknown>();
    on('ping', held.ask);
    for (const id of ['a', 'b']) connection.receive(JSON.stringify(write('json-rpc', 'ping', {}, id)), false);
    await settle();
    await held.answer(1);
    await held.answer(2);
    expect(socket.sent).toMatchObject([
      { id: 'a', result: 1 },
      { id: 'b', result: 2 },
    ]);
  });

  test('a synchronous handler is answered before receive returns', async () => {
    const { connection, socket, on } = await open('flat');
    on('add', 'sum', sum);
    connection.receive(JSON.stringify(write('flat', 'add', { a: 1, b: 2 })), false);
    expect(socket.sent).toEqual([{ type: 'sum', value: 3 }]);
  });

  test('no reply is sent once the connection is closing', async () => {
    const { connection, socket, on } = await open('flat');
    const held = new Held<unknown>();
    on('add', 'sum', held.ask);
    connection.receive(JSON.stringify(write('flat', 'add', { a: 1, b: 2 })), false);
    connection.close();
    await held.answer({ value: 3 });
    expect(socket.sent).toEqual([]);
  });

  test('the named reply is sent although the handler sends other messages itself', async () => {
    const { say, socket, on, send } = await open('nested');
    on('add', 'sum', (message) => {
      send('pong', {});
      return sum(message);
    });
    await say(write('nested', 'add', { a: 1, b: 2 }, 7));
    expect(socket.sent).toEqual([
      { type: 'pong', data: {} },
      { type: 'sum', id: 7, data: { value: 3 } },
    ]);
  });

  test('the reply has its own type although the body contains another type', async () => {
    const { say, socket, on } = await openConnection({ messages });
    on('ping', 'pong', () => ({ type: 'error', code: 'internal' }));
    await say({ type: 'ping' });
    expect(socket.sent).toEqual([{ type: 'pong', code: 'internal' }]);
  });
});

describe('a reply that the policy does not allow', () => {
  const wrong: [string, string, unknown][] = [
    ['has a wrong field', 'sum', { value: 'secret' }],
    ['has an unknown field', 'sum', { value: 1, secret: 'x' }],
    ['is nothing', 'sum', undefined],
    ['is no reply of the policy', 'secret', { value: 1 }],
    ['is another one', 'pong', { value: 1 }],
  ];
  describe.each(ENVELOPES)('%s', (envelope) => {
    test.each(wrong)(
      '%s: a wrong reply is a fault, and the client is not sent it',
      async (_, reply, body) => {
        for (const handler of [() => body, async () => body]) {
          const { say, socket, on, faults } = await open(envelope);
          on('add', reply, handler as never);
          await say(write(envelope, 'add', { a: 1, b: 2 }, envelope === 'flat' ? undefined : 7));
          expect(socket.sent).toEqual([]);
          expect(socket.closes).toEqual([{ code: 1011, reason: 'Something went wrong.' }]);
          expect(faults).toEqual([
            expect.objectContaining({ stage: 'dispatch', error: expect.any(TypeError) }),
          ]);
          expect(JSON.stringify(faults)).not.toContain('secret');
        }
      },
    );
  });

  test('with checkReplies: false a wrong body is sent, but a reply with an unknown name is not', async () => {
    const { say, socket, on, faults } = await open('flat', { checkReplies: false });
    on('add', 'sum', () => ({ value: 'text' }));
    on('ping', 'secret', () => ({}));
    await say(write('flat', 'add', { a: 1, b: 2 }));
    await say({ type: 'ping' });
    expect([socket.sent, faults.length]).toEqual([[{ type: 'sum', value: 'text' }], 1]);
  });
});

describe('connection.on', () => {
  test('connection.on accepts one handler for each type, with or without a reply', async () => {
    const { on } = await open('flat');
    on('add', sum);
    expect(() => on('add', 'sum', sum)).toThrow(/has a handler already/);
    expect(() => on('sum', 'sum', sum)).toThrow(/no message 'sum'/);
  });
});
