import { describe, expect, test } from '@jest/globals';
import type { ConnectionView, Identity } from '@sallyport/core';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf, SAY } from '../support/guards.ts';
import { type Answers, auth, Held, keys, replies, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { bareThenable } from '../support/thenable.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const START = new ManualClock().now() / 1_000;

async function open(rule: object, answers: Answers, options: object = {}) {
  const clock = new ManualClock();
  const guard = guardOf({
    clock,
    auth: [keys(answers).authenticator],
    messages: { say: { schema: SAY, ...rule } },
    renewal: true,
    ...options,
  });
  const socket = new RecordingSocket();
  const request = upgradeRequest({ headers: { Authorization: 'Bearer key' } });
  const connection = connect(await admitted(guard, request), socket);
  const send = async (text: string) => {
    connection.receive(text, false);
    await settle();
  };
  return { clock, guard, socket, connection, send };
}

const issued =
  (issuedAt: number | undefined): Answers =>
  () => ({ subject: 'alice', issuedAt });

describe('freshness', () => {
  test.each<[string, number | undefined, number, boolean]>([
    ['just young enough', START, 60_000, true],
    ['a millisecond too old', START, 60_001, false],
    ['without an issue date', undefined, 0, false],
    ['issued before it connected', START - 120, 0, false],
  ])(
    'with freshness: 1m, a credential that is %s is accepted or asked to renew',
    async (_what, issuedAt, wait, fresh) => {
      const { clock, socket, send } = await open({ freshness: '1m' }, issued(issuedAt));
      clock.advance(wait);
      await send(say('hi'));
      expect([socket.delivered, replies(socket)]).toEqual(
        fresh ? [[say('hi')], []] : [[], ['step_up_required']],
      );
    },
  );

  test('step_up_required counts as no violation', async () => {
    const options = { limits: { violations: 2 }, onDenied: 'close' };
    const { socket, connection, send } = await open({ freshness: '1m' }, issued(undefined), options);
    for (let i = 0; i < 5; i++) await send(say('hi'));
    expect([replies(socket).length, connection.state]).toEqual([5, 'open']);
  });

  test('a renewal makes the credential fresh', async () => {
    const dates = [START - 3_600, START];
    const { socket, send } = await open({ freshness: '1m' }, () => issued(dates.shift())('', null as never));
    await send(say('too early'));
    await send(auth('key'));
    await send(say('now'));
    expect([replies(socket), socket.delivered]).toEqual([['step_up_required', 'auth_ok'], [say('now')]]);
  });
});

describe('recheck', () => {
  const asking =
    (stillValid: () => unknown): Answers =>
    () =>
      ({ subject: 'alice', stillValid }) as never;

  test.each<[string, () => unknown, string[], number[]]>([
    ['gone', () => false, [], [4401]],
    ['something truthy', () => 1, [], [4401]],
    ['a rejection', () => Promise.reject(new Error('down')), ['auth_unavailable'], []],
    [
      'a throw',
      () => {
        throw new Error('down');
      },
      ['auth_unavailable'],
      [],
    ],
  ])('the message is not handled if stillValid answers with %s', async (_what, answer, told, codes) => {
    const { socket, send } = await open({ recheck: true }, asking(answer));
    await send(say('hi'));
    expect([socket.delivered, replies(socket)]).toEqual([[], told]);
    expect(socket.closes.map(({ code }) => code)).toEqual(codes);
  });

  test('stillValid is asked for each message, before authorize, and messages stay in order', async () => {
    const order: string[] = [];
    const held = new Held<boolean>();
    const { socket, send } = await open(
      {
        recheck: true,
        authorize: ({ message }: { message: { text: string } }) => {
          order.push(`authorize ${message.text}`);
          return true;
        },
      },
      asking(() => {
        order.push('session');
        return held.ask();
      }),
    );
    await send(say('1'));
    await send(say('2'));
    expect([order, socket.delivered]).toEqual([['session'], []]);
    await held.answer(true);
    await held.answer(true);
    expect(order).toEqual(['session', 'authorize 1', 'session', 'authorize 2']);
    expect(socket.delivered).toEqual([say('1'), say('2')]);
  });

  test('an authorize that rejects while the session is checked leaves no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const held = new Held<boolean>();
      const { socket, send } = await open(
        { recheck: true, authorize: () => Promise.reject(new Error('a bug')) },
        asking(held.ask),
      );
      await send(say('hi'));
      await settle();
      await held.answer(true);
      expect([socket.closes.map(({ code }) => code), socket.delivered, unhandled]).toEqual([[1011], [], []]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('an outage of the session store counts as no violation', async () => {
    const { socket, connection, send } = await open(
      { recheck: true },
      asking(() => Promise.reject(new Error('down'))),
      { limits: { violations: 2 } },
    );
    for (let i = 0; i < 5; i++) await send(say('hi'));
    expect([replies(socket).length, connection.state]).toEqual([5, 'open']);
  });
});

describe('refused at construction', () => {
  test.each<[object, RegExp]>([
    [{ recheck: 'yes' }, /policy\.messages\.say\.recheck/],
    [{ freshness: 'soon' }, /policy\.messages\.say\.freshness/],
    [{ fresh: '1m' }, /policy\.messages\.say\.fresh: unknown option/],
  ])('the rule %j throws a PolicyError', (rule, message) => {
    expect(() => guardOf({ messages: { say: { schema: SAY, ...rule } } })).toThrow(message);
  });
});

describe('authorize', () => {
  test('authorize gets the connection with the identity of its newest credential', async () => {
    const subjects = [{ issuedAt: START }, { issuedAt: START + 60 }];
    const seen: { id: string; issuedAt: unknown; own: boolean; facts: unknown }[] = [];
    const opened = await open(
      {
        authorize: ({ connection, identity }: { connection: ConnectionView; identity: Identity }) => {
          const { id, address, path, subprotocol } = connection;
          seen.push({
            id,
            issuedAt: identity.issuedAt,
            own: connection.identity === identity,
            facts: { address, path, subprotocol },
          });
          return true;
        },
      },
      () => ({ subject: 'alice', ...subjects.shift() }),
    );
    await opened.send(say('1'));
    opened.clock.advance(60_000);
    await opened.send(auth('key'));
    await opened.send(say('2'));
    const { id } = opened.connection;
    const facts = { address: '127.0.0.1', path: '/chat', subprotocol: undefined };
    expect(seen).toEqual([
      { id, issuedAt: START, own: true, facts },
      { id, issuedAt: START + 60, own: true, facts },
    ]);
  });

  test.each<[string, () => unknown]>([
    ['says no', () => false],
    ['says no later', async () => false],
    ['says nothing', () => undefined],
    ['says something that is no yes', async () => 'yes'],
    ['gives a thenable that says no', () => bareThenable(false)],
  ])('a message whose authorize %s is denied in its stage and answered by its id', async (_, authorize) => {
    const opened = await open({ authorize }, () => ({ subject: 'alice' }), { envelope: 'nested' });
    const denied = collect(opened.guard, 'message.denied');
    await opened.send('{"type":"say","data":{"text":"a"},"id":"x"}');
    expect(opened.socket.delivered).toEqual([]);
    expect(opened.socket.sent).toEqual([
      {
        type: 'error',
        id: 'x',
        data: { code: 'message_forbidden', message: 'This message is not permitted.' },
      },
    ]);
    expect(denied).toEqual([
      expect.objectContaining({ stage: 'message-authorization', reason: 'message_forbidden' }),
    ]);
  });

  test('authorize is not called for a message that its schema refuses or that comes out of order', async () => {
    let asked = 0;
    const authorize = () => ++asked > 0;
    const { send } = await open({ authorize, rate: { rate: '1/m', burst: 2 } }, () => ({ subject: 'alice' }));
    await send('{"type":"say","text":7}');
    for (let i = 0; i < 3; i++) await send(say('a'));
    expect(asked).toBe(1);
  });

  test("once one type has a rule, types without a rule are refused, except with 'any'", async () => {
    const messages = {
      say: { schema: SAY, authorize: 'any' },
      ruled: { schema: SAY, authorize: () => true },
      bare: SAY,
      plain: { schema: SAY },
    };
    const { send, socket } = await open({}, () => ({ subject: 'alice' }), { messages });
    for (const type of Object.keys(messages)) await send(JSON.stringify({ type, text: type }));
    expect(socket.delivered).toHaveLength(2);
    expect(replies(socket)).toEqual(['message_forbidden', 'message_forbidden']);
  });
});
