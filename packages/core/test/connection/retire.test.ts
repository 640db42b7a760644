// A connection whose turn has come in a shutdown: what is being handled is handled to its end, and nothing else.
import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { Held, settle } from '../support/late-auth.ts';
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

test('a retiring connection without a message in progress is closed at once', async () => {
  const { connection, socket } = await chat();
  connection.retire();
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
    expect([socket.closes, begun]).toEqual([BYE, ['a']]);
  });

  test('waiting and later messages reach no handler, and the socket is read again', async () => {
    const { connection, socket, say: hand, held, begun } = await chat({ limits: { queuedMessages: 1 } });
    await hand(say('a'));
    await hand(say('b'));
    expect(socket.calls).toEqual(['pause']);
    connection.retire();
    expect(socket.calls).toEqual(['pause', 'resume']);
    await hand(say('c'));
    await held.answer({ text: 'done' });
    await settle();
    expect([begun, socket.delivered, socket.closes]).toEqual([['a'], [JSON.stringify(say('a'))], BYE]);
  });

  test('if the handler in progress fails, the error is answered before the close', async () => {
    const { connection, socket, say: hand, held, faults } = await chat({ onFault: 'reply' });
    await hand(say('a'));
    connection.retire();
    await held.fail();
    expect(socket.sent).toMatchObject([{ code: 'internal' }]);
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
    expect(socket.closes).toEqual(BYE);
  },
);

test('a message whose authorize is pending reaches no handler', async () => {
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
  expect(permission.count).toBe(1);
  connection.retire();
  expect(socket.closes).toEqual([]);
  await permission.answer(true);
  await settle();
  expect([begun, socket.closes]).toEqual([[], BYE]);
});

test('retire does not wait for messages that are throttled', async () => {
  const throttled = { onRate: 'throttle', limits: { messages: { rate: '1/s', burst: 1 } } };
  const early = await chat(throttled);
  await early.say(say('a'));
  await early.held.answer({ text: 'done' });
  await early.say(say('b'));
  expect(early.socket.calls).toEqual(['pause']);
  early.connection.retire();
  expect([early.socket.closes, early.begun]).toEqual([BYE, ['a']]);

  const costly = await openConnection({
    messages: { say: { schema: messages.say, cost: 5 } },
    onRate: 'throttle',
    limits: { messages: { rate: '1/s', burst: 6 } },
  });
  const begun: string[] = [];
  costly.on('say', ({ text }: { text: string }) => void begun.push(text));
  await costly.say(say('a'));
  await costly.say(say('b'));
  expect(costly.socket.calls).toEqual(['pause']);
  costly.connection.retire();
  expect(costly.socket.closes).toEqual(BYE);
  costly.connection.closed(1001);
  costly.clock.advance(60_000);
  await settle();
  expect(begun).toEqual(['a']);
  expect(costly.clock.pending).toBe(0);
});

test('a second retire changes nothing, and a connection that is closing already keeps its reason', async () => {
  const { connection, socket } = await chat();
  connection.close(1000, 'bye');
  connection.retire();
  connection.retire();
  expect(socket.closes).toEqual([{ code: 1000, reason: 'bye' }]);
});
