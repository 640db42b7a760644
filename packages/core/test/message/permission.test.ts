import { describe, expect, test } from '@jest/globals';
import { admitted, connect } from '../support/decide.ts';
import { guardOf, SAY } from '../support/guards.ts';
import { type Answers, auth, Held, keys, replies, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
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
  ])('%s', async (_what, issuedAt, wait, fresh) => {
    const { clock, socket, send } = await open({ freshness: '1m' }, issued(issuedAt));
    clock.advance(wait);
    await send(say('hi'));
    expect([socket.delivered, replies(socket)]).toEqual(
      fresh ? [[say('hi')], []] : [[], ['step_up_required']],
    );
  });

  test('is no violation, however often it is asked for, and whatever denied messages get', async () => {
    const options = { limits: { violations: 2 }, onDenied: 'close' };
    const { socket, connection, send } = await open({ freshness: '1m' }, issued(undefined), options);
    for (let i = 0; i < 5; i++) await send(say('hi'));
    expect([replies(socket).length, connection.state]).toEqual([5, 'open']);
  });

  test('comes with a renewal', async () => {
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
  ])('%s: the message is not handled', async (_what, answer, told, codes) => {
    const { socket, send } = await open({ recheck: true }, asking(answer));
    await send(say('hi'));
    expect([socket.delivered, replies(socket)]).toEqual([[], told]);
    expect(socket.closes.map(({ code }) => code)).toEqual(codes);
  });

  test('the session that is still there is asked each time, before authorize, and messages stay in order', async () => {
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

  test('an authorize that rejects while the session is asked for harms nobody else', async () => {
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

  test('an outage of the session store is no violation of the client', async () => {
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
  ])('%j', (rule, message) => {
    expect(() => guardOf({ messages: { say: { schema: SAY, ...rule } } })).toThrow(message);
  });
});
