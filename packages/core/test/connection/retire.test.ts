// A connection whose turn has come in a shutdown: what was received is handled, and what is not is answered so.
import { describe, expect, test } from '@jest/globals';
import { passthrough, Type } from '@sallyport/core';
import { Held, retired, settle } from '../support/late-auth.ts';
import { openConnection } from '../support/open-connection.ts';

const messages = { say: Type.Object({ text: Type.String() }) };
const say = (text: string) => ({ type: 'say', text });
const BYE = [{ code: 1001, reason: 'The service is shutting down.' }];

async function chat(options: object = {}) {
  const of = await openConnection({ messages, ...options });
  const held = new Held<unknown>();
  const begun: string[] = [];
  of.on('say', 'said', async ({ text }: { text: string }) => {
    begun.push(text);
    return held.ask();
  });
  return { ...of, held, begun };
}

test('a retiring connection without a message in progress is closed when what the kernel had received is read', async () => {
  const { connection, socket, held, begun } = await chat();
  connection.retire();
  expect(connection.state).toBe('open');
  await settle();
  connection.receive(JSON.stringify(say('just in time')), false);
  await retired();
  expect([begun, socket.closes]).toEqual([['just in time'], []]);
  await held.answer({ text: 'done' });
  await retired();
  expect([socket.closes, connection.state]).toEqual([BYE, 'closing']);
});

describe('retire while a message is handled', () => {
  test('a handler in progress can still send, and its answer is sent before the close', async () => {
    const { connection, socket, say: hand, held, begun, send } = await chat();
    await hand(say('a'));
    connection.retire();
    await settle();
    expect([socket.closes, connection.state]).toEqual([[], 'open']);
    expect(send('more', { text: 'nearly' })).toBe(true);
    await held.answer({ text: 'done' });
    expect(socket.sent).toEqual([
      { type: 'more', text: 'nearly' },
      { type: 'said', text: 'done' },
    ]);
    await retired();
    expect([socket.closes, begun]).toEqual([BYE, ['a']]);
  });

  test('messages that wait, and those that come before the close, are handled and answered in order', async () => {
    const { connection, socket, say: hand, held, begun } = await chat({ limits: { queuedMessages: 1 } });
    await hand(say('a'));
    await hand(say('b'));
    connection.retire();
    await hand(say('c'));
    expect([begun, socket.calls]).toEqual([['a'], ['pause']]);
    for (const text of ['1', '2', '3']) await held.answer({ text });
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(socket.sent).toEqual(['1', '2', '3'].map((text) => ({ type: 'said', text })));
    await retired();
    expect([socket.calls, socket.closes]).toEqual([['pause', 'resume'], BYE]);
    await hand(say('d'));
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  test('if the handler in progress fails, the error is answered before the close', async () => {
    const { connection, socket, say: hand, held, faults } = await chat({ onFault: 'reply' });
    await hand(say('a'));
    connection.retire();
    await held.fail();
    expect(socket.sent).toMatchObject([{ code: 'internal' }]);
    await retired();
    expect([faults.length, socket.closes]).toEqual([1, BYE]);
  });

  test('a close by the application keeps its code and reason', async () => {
    const { connection, socket, say: hand, held } = await chat();
    await hand(say('a'));
    connection.retire();
    connection.close(4000, 'enough');
    await held.answer({ text: 'done' });
    expect(socket.closes).toEqual([{ code: 4000, reason: 'enough' }]);
  });

  test('the promise of a listener of the bare library is awaited before the close', async () => {
    const { connection, socket, say: hand } = await openConnection({ messages });
    const held = new Held<void>();
    socket.onDeliver = () => held.ask();
    await hand(say('a'));
    connection.retire();
    expect(socket.closes).toEqual([]);
    await held.answer();
    await retired();
    expect(socket.closes).toEqual(BYE);
  });
});

test.each(['asynchronous', 'synchronous'])(
  'the answer of an %s handler that calls guard.close is sent before the close',
  async (kind) => {
    const { guard, connection, socket, on, say: hand } = await openConnection({ messages });
    on('say', 'said', () => {
      void guard.close();
      expect([socket.closes, connection.state]).toEqual([[], 'open']);
      const answer = { text: 'as you wish' };
      return kind === 'synchronous' ? answer : settle().then(() => answer);
    });
    await hand(say('stop'));
    await settle();
    expect(socket.sent).toEqual([{ type: 'said', text: 'as you wish' }]);
    await retired();
    expect(socket.closes).toEqual(BYE);
  },
);

test('a message whose authorize is pending is handled', async () => {
  const permission = new Held<boolean>();
  const begun: string[] = [];
  const {
    connection,
    socket,
    on,
    say: hand,
  } = await openConnection({
    messages: { say: { schema: messages.say, authorize: permission.ask } },
  });
  on('say', ({ text }: { text: string }) => void begun.push(text));
  await hand(say('a'));
  connection.retire();
  expect([permission.count, socket.closes]).toEqual([1, []]);
  await permission.answer(true);
  await settle();
  await retired();
  expect([begun, socket.closes]).toEqual([['a'], BYE]);
});

describe('messages that come too fast', () => {
  const throttled = { onRate: 'throttle', limits: { messages: { rate: '1/s', burst: 1 } } };

  async function tooFast() {
    const of = await openConnection({ messages, ...throttled });
    const begun: string[] = [];
    of.on('say', 'said', ({ text }: { text: string }) => {
      begun.push(text);
      return { text };
    });
    for (const text of ['a', 'b', 'c']) await of.say(say(text));
    return { ...of, begun };
  }

  test('are handled at the rate, before the close', async () => {
    const { connection, socket, clock, begun } = await tooFast();
    connection.retire();
    clock.advance(1_000);
    expect([begun, socket.closes]).toEqual([['a', 'b'], []]);
    clock.advance(1_000);
    await retired();
    expect([begun, socket.closes]).toEqual([['a', 'b', 'c'], BYE]);
  });

  test('are answered and not handled after the last call', async () => {
    const { connection, socket, clock, begun } = await tooFast();
    connection.retire();
    connection.dismiss();
    expect(socket.sent.slice(1)).toMatchObject([{ code: 'shutting_down' }, { code: 'shutting_down' }]);
    await retired();
    expect([begun, socket.closes]).toEqual([['a'], BYE]);
    connection.closed(1001);
    clock.advance(60_000);
    expect([begun, clock.pending]).toEqual([['a'], 0]);
  });

  test.each([
    ['is handled once it can be paid for', false, ['a', 'b']],
    ['is answered and not handled after the last call', true, ['a']],
  ])('a message whose type costs more than there is %s', async (_what, last, handled) => {
    const {
      connection,
      socket,
      clock,
      on,
      say: hand,
    } = await openConnection({
      messages: { say: { schema: messages.say, cost: 5 } },
      onRate: 'throttle',
      limits: { messages: { rate: '1/s', burst: 6 } },
    });
    const begun: string[] = [];
    on('say', ({ text }: { text: string }) => void begun.push(text));
    await hand(say('a'));
    await hand(say('b'));
    expect(socket.calls).toEqual(['pause']);
    connection.retire();
    if (last) connection.dismiss();
    clock.advance(10_000);
    await settle();
    await retired();
    expect([begun, socket.closes]).toEqual([handled, BYE]);
    expect(socket.sent).toMatchObject(last ? [{ code: 'shutting_down' }] : []);
  });
});

describe('the last call of a shutdown', () => {
  const asked = (id: number) => JSON.stringify({ type: 'say', id, data: { text: `${id}` } });

  test('what waits and what comes later is answered by its id, and the running handler is finished', async () => {
    const { connection, socket, held, begun, denied } = await chat({ envelope: 'nested' });
    for (const id of [1, 2, 3]) connection.receive(asked(id), false);
    connection.retire();
    connection.dismiss();
    connection.receive(asked(4), false);
    const refused = socket.sent as { id: number; type: string; data: { code: string } }[];
    expect(refused.map(({ id, data }) => [id, data.code])).toEqual(
      [2, 3, 4].map((id) => [id, 'shutting_down']),
    );
    expect(socket.closes).toEqual([]);
    await held.answer({ text: 'done' });
    expect(socket.sent.at(-1)).toEqual({ type: 'said', id: 1, data: { text: 'done' } });
    await retired();
    expect([begun, socket.closes]).toEqual([['1'], BYE]);
    expect(denied.map(({ reason, stage }) => [reason, stage])).toEqual(
      Array(3).fill(['shutting_down', 'shutdown']),
    );
  });

  test('a message whose authorize is pending is answered, and reaches no handler', async () => {
    const permission = new Held<boolean>();
    const {
      connection,
      socket,
      begun,
      say: hand,
    } = await chat({
      messages: { say: { schema: messages.say, authorize: permission.ask } },
    });
    await hand(say('a'));
    connection.retire();
    connection.dismiss();
    expect([socket.sent, socket.closes]).toEqual([[], []]);
    await permission.answer(true);
    await settle();
    expect(socket.sent).toMatchObject([{ type: 'error', code: 'shutting_down' }]);
    await retired();
    expect([begun, socket.closes]).toEqual([[], BYE]);
  });

  test('these answers are no violations, and a rate still ends who sends too fast', async () => {
    const {
      connection,
      socket,
      say: hand,
    } = await chat({
      limits: { violations: 2, messages: { rate: '1/s', burst: 6 } },
    });
    await hand(say('a'));
    connection.retire();
    connection.dismiss();
    for (const text of 'bcdef') await hand(say(text));
    expect([socket.sent.length, socket.closes]).toEqual([5, []]);
    await hand(say('g'));
    expect(socket.closes).toMatchObject([{ code: 4429 }]);
  });

  test('an opaque message is not answered, because the guard writes none', async () => {
    const { connection, socket, clock } = await openConnection({
      messages: passthrough({ text: true }),
      onRate: 'throttle',
      limits: { messages: { rate: '1/s', burst: 1 } },
    });
    connection.receive('a', false);
    connection.receive('b', false);
    connection.retire();
    connection.dismiss();
    clock.advance(5_000);
    await retired();
    expect([socket.delivered, socket.sent, socket.closes]).toEqual([['a'], [], BYE]);
  });

  test('a connection that has received nothing is not kept', async () => {
    const { connection, socket } = await chat();
    connection.dismiss();
    connection.retire();
    await retired();
    expect([socket.sent, socket.closes]).toEqual([[], BYE]);
  });
});

test('a second retire changes nothing, and a connection that is closing already keeps its reason', async () => {
  const { connection, socket } = await chat();
  connection.close(1000, 'bye');
  connection.retire();
  connection.retire();
  expect(socket.closes).toEqual([{ code: 1000, reason: 'bye' }]);
});
