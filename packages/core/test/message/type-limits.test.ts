import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { SAY } from '../support/guards.ts';
import { Held, replies, settle } from '../support/late-auth.ts';
import { openConnection } from '../support/open-connection.ts';

const PING = Type.Object({});
const say = { type: 'say', text: 'a' };
const ping = { type: 'ping' };
/** Rules for `say`, beside a `ping` without any; violations never end the connection. */
const open = (rule: object, options: object = {}) =>
  openConnection({
    messages: { say: { schema: SAY, ...rule }, ping: PING },
    limits: { violations: 1_000, messages: { rate: '1/s', burst: 10 } },
    ...options,
  });

describe('the size of a type', () => {
  const text = (bytes: number) => JSON.stringify({ ...say, text: 'x'.repeat(bytes - 24) });

  test('a message above the size of its type is answered with message_too_big, and other types are not affected', async () => {
    const {
      say: send,
      socket,
      denied,
    } = await open(
      { size: 30 },
      { messages: { say: { schema: SAY, size: 30 }, ping: Type.Object({ pad: Type.String() }) } },
    );
    expect(text(30)).toHaveLength(30);
    await send(text(30));
    await send(text(31));
    await send(text(30).replace('xxxxxx', 'xxxx\u20ac'));
    await send({ ...ping, pad: 'x'.repeat(100) });
    expect([socket.delivered.length, replies(socket), socket.closes]).toEqual([
      2,
      ['message_too_big', 'message_too_big'],
      [],
    ]);
    expect(denied[0]).toMatchObject({ stage: 'size' });
  });

  test('the size of a type counts the bytes as received', async () => {
    const { say: send, socket } = await open({ size: 30 });
    await send(Buffer.from(text(30)).toString());
    await send(`${text(30)} `);
    expect([socket.delivered.length, replies(socket)]).toEqual([1, ['message_too_big']]);
  });

  test('a size equal to limits.message has no effect of its own', async () => {
    const { say: send, socket } = await open({ size: 30 }, { limits: { message: 30 } });
    await send(text(31));
    expect([replies(socket), socket.closes]).toEqual([[], [{ code: 1009, reason: expect.any(String) }]]);
  });
});

describe('the rate of a type', () => {
  const rate = { rate: '1/s', burst: 2 };

  test('a message above the rate of its type is answered with message_rate until time has passed, and other types are not affected', async () => {
    const { say: send, socket, clock, connection, denied } = await open({ rate });
    for (let i = 0; i < 4; i++) await send(say);
    await send(ping);
    expect([socket.delivered.length, replies(socket)]).toEqual([3, ['message_rate', 'message_rate']]);
    expect(denied[0]).toMatchObject({ stage: 'message-rate', reason: 'message_rate' });
    clock.advance(999);
    await send(say);
    clock.advance(1);
    await send(say);
    expect([socket.delivered.length, connection.state]).toEqual([4, 'open']);
  });

  test('messages that the schema refuses count towards the rate of their type', async () => {
    const { say: send, socket } = await open({ rate });
    for (let i = 0; i < 3; i++) await send({ ...say, text: 7 });
    expect(replies(socket)).toEqual(['message_invalid', 'message_invalid', 'message_rate']);
  });

  test('each connection has its own rate of a type', async () => {
    const [one, other] = await Promise.all([open({ rate }), open({ rate })]);
    for (let i = 0; i < 2; i++) await one.say(say);
    await other.say(say);
    expect(replies(other.socket)).toEqual([]);
  });

  test('the answer about the rate of a type carries the id of the request', async () => {
    const { say: send, socket } = await open({ rate }, { envelope: 'json-rpc' });
    const call = (id?: number) => ({ jsonrpc: '2.0', method: 'say', params: { text: 'a' }, id });
    for (const id of [1, 2, 3, undefined]) await send(call(id));
    expect(socket.sent).toEqual([
      {
        jsonrpc: '2.0',
        id: 3,
        error: { code: -32_000, message: expect.any(String), data: { code: 'message_rate' } },
      },
    ]);
  });

  test('in report-only mode a message above the rate of its type passes and is reported', async () => {
    const { say: send, socket, reported } = await open({ rate }, { report: ['message-rate'] });
    for (let i = 0; i < 4; i++) await send(say);
    expect([socket.delivered.length, reported.length]).toEqual([4, 2]);
  });
});

describe('the cost of a type', () => {
  test('the cost of a type is taken from limits.messages', async () => {
    const { say: send, socket } = await open({ cost: 4 });
    await send(say);
    await send(say);
    for (let i = 0; i < 2; i++) await send(ping);
    expect([socket.delivered.length, socket.closes]).toEqual([4, []]);
    await send(ping);
    expect(socket.closes).toEqual([{ code: 4429, reason: 'Too many messages.' }]);
  });

  test('a message whose cost does not fit is refused and costs nothing', async () => {
    const { say: send, socket, clock, connection } = await open({ cost: 4 });
    for (let i = 0; i < 8; i++) await send(ping);
    // Two of the limit are left: one for the message itself, but not four.
    await send(say);
    expect([socket.delivered.length, socket.closes.length, connection.state]).toEqual([8, 1, 'closing']);
    expect(clock.monotonic()).toBe(1_000);
  });

  test('the cost of a type recovers with time', async () => {
    const { say: send, socket, clock } = await open({ cost: 10 });
    for (let i = 0; i < 3; i++) {
      await send(say);
      clock.advance(10_000);
    }
    expect([socket.delivered.length, socket.closes]).toEqual([3, []]);
  });

  test('rate and cost of a type are taken together or not at all', async () => {
    const { say: send, socket, clock } = await open({ cost: 3, rate: { rate: '1/m', burst: 1 } });
    await send(say);
    for (let i = 0; i < 3; i++) await send(say);
    // The first message cost three of ten, each refused one only 1.
    for (let i = 0; i < 4; i++) await send(ping);
    expect([socket.delivered.length, replies(socket).length, socket.closes]).toEqual([5, 3, []]);
    clock.advance(0);
    await send(ping);
    expect(socket.closes).toHaveLength(1);
  });

  test('in report-only mode no more cost is taken than there is', async () => {
    const { say: send, socket, clock, reported } = await open({ cost: 6 }, { report: ['message-rate'] });
    for (let i = 0; i < 3; i++) await send(say);
    expect([socket.delivered.length, reported.length]).toEqual([3, 2]);
    clock.advance(6_000);
    await send(say);
    expect(reported).toHaveLength(2);
  });
});

const FORBIDS = { authorize: () => false };

interface Failing {
  readonly handler?: () => unknown;
  readonly listener?: () => unknown;
  readonly reply?: string;
}

describe('steps', () => {
  const messages = {
    hello: { schema: PING, once: true },
    join: { schema: PING, after: ['hello'] },
    say: { schema: SAY, after: ['hello', 'join'] },
  };
  const hello = { type: 'hello' };
  const join = { type: 'join' };
  const outOfOrder = 'message_out_of_order';

  test('steps come in order, and later ones any number of times', async () => {
    const { say: send, socket, denied, on } = await openConnection({ messages });
    const seen: string[] = [];
    for (const type of ['hello', 'join', 'say']) on(type, () => void seen.push(type));
    for (const message of [say, join, hello, say, join, say, say, join]) await send(message);
    expect(seen).toEqual(['hello', 'join', 'say', 'say', 'join']);
    expect(replies(socket)).toEqual([outOfOrder, outOfOrder, outOfOrder]);
    expect(denied[0]).toMatchObject({ stage: 'order', reason: outOfOrder });
  });

  test('a step with once: true is refused the second time', async () => {
    const { say: send, socket } = await openConnection({ messages });
    for (const message of [hello, hello, join, hello]) await send(message);
    expect([socket.delivered.length, replies(socket)]).toEqual([2, [outOfOrder, outOfOrder]]);
  });

  test('each connection has its own steps', async () => {
    const [one, other] = await Promise.all([openConnection({ messages }), openConnection({ messages })]);
    await one.say(hello);
    await other.say(join);
    expect(replies(other.socket)).toEqual([outOfOrder]);
  });

  test('a step counts once it was handled, and messages that wait for it pass then', async () => {
    const { connection, socket, on } = await openConnection({ messages });
    const held = new Held<void>();
    on('hello', held.ask);
    for (const message of [hello, hello, join]) connection.receive(JSON.stringify(message), false);
    await settle();
    expect([socket.delivered.length, replies(socket)]).toEqual([1, []]);
    await held.answer();
    await settle();
    expect([socket.delivered.length, replies(socket)]).toEqual([2, [outOfOrder]]);
  });

  test.each<[string, object, Failing]>([
    [
      'its handler throws',
      {},
      {
        handler: () => {
          throw new Error('down');
        },
      },
    ],
    ['its handler rejects', {}, { handler: () => Promise.reject(new Error('down')) }],
    [
      'a listener of the bare library throws',
      {},
      {
        listener: () => {
          throw new Error('down');
        },
      },
    ],
    ['a listener of the bare library rejects', {}, { listener: () => Promise.reject(new Error('down')) }],
    [
      'its rule throws',
      {
        authorize: () => {
          throw new Error('down');
        },
      },
      {},
    ],
    ['its rule says no', FORBIDS, {}],
    ['its reply does not fit', {}, { reply: 'ack', handler: () => ({ wrong: 1 }) }],
    ['its late reply does not fit', {}, { reply: 'ack', handler: async () => ({ wrong: 1 }) }],
  ])('a step does not count if %s', async (_, rule, { handler = () => undefined, listener, reply }) => {
    const {
      say: send,
      socket,
      on,
    } = await openConnection({
      messages: {
        ...messages,
        hello: { ...messages.hello, authorize: 'any', ...(rule as object) },
        join: { ...messages.join, authorize: 'any' },
      },
      replies: { ack: Type.Object({ ok: Type.Boolean() }) },
      onFault: 'reply',
    });
    if (reply === undefined) on('hello', handler);
    else on('hello', reply, handler);
    if (listener !== undefined) socket.onDeliver = listener;
    for (const message of [hello, join, hello]) await send(message);
    const why = rule === FORBIDS ? 'message_forbidden' : 'internal';
    expect(replies(socket)).toEqual([why, outOfOrder, why]);
  });

  test('a step counts without a handler on the connection', async () => {
    const { say: send, socket } = await openConnection({ messages });
    await send(hello);
    await send(join);
    expect(replies(socket)).toEqual([]);
  });

  test('a message out of order is refused without a check of its body', async () => {
    const { say: send, socket } = await openConnection({ messages });
    await send({ ...say, text: 7 });
    expect(replies(socket)).toEqual([outOfOrder]);
  });
});
