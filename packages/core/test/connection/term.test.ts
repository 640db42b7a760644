import { describe, expect, test } from '@jest/globals';
import { bearer, jwt } from '@sallyport/core';
import { SignJWT } from 'jose';
import { admitted, connect } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { type Answers, auth, Held, keys, replies, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const START = new ManualClock().now() / 1_000;
const DAY = 86_400;
const REQUEST = upgradeRequest({ headers: { Authorization: 'Bearer key' } });

async function open(options: object, answers: Answers) {
  const clock = new ManualClock();
  const guard = guardOf({ clock, auth: [keys(answers).authenticator], ...options });
  const socket = new RecordingSocket();
  const connection = connect(await admitted(guard, REQUEST), socket);
  return { clock, guard, socket, connection, closes: () => socket.closes.map(({ code }) => code) };
}

const until =
  (expiresAt: number | undefined, more: object = {}): Answers =>
  () => ({
    subject: 'alice',
    expiresAt,
    ...more,
  });

describe('expiresAt', () => {
  test('a connection ends when its credential expires', async () => {
    const { clock, socket, closes, connection } = await open({}, until(START + 60));
    clock.advance(59_000);
    expect(closes()).toEqual([]);
    clock.advance(1_000);
    expect(socket.closes).toEqual([{ code: 4401, reason: 'The credential has expired.' }]);
    connection.closed(4401);
    expect(clock.pending).toBe(0);
  });

  test('a credential that expires later than a timer can hold ends its connection on time', async () => {
    const { clock, closes } = await open({ limits: { revocationRetention: '90d' } }, until(START + 40 * DAY));
    clock.advance(60_000);
    expect(closes()).toEqual([]);
    clock.jump((40 * DAY - 62) * 1_000);
    clock.advance(1_000);
    expect(closes()).toEqual([]);
    clock.advance(1_000);
    expect(closes()).toEqual([4401]);
  });

  test("a credential's end is delayed by the clockTolerance of its authenticator only", async () => {
    const clock = new ManualClock();
    const secret = 'a secret of thirty-two bytes, yes';
    const auth = jwt({
      from: [bearer()],
      secret,
      algorithms: ['HS256'],
      issuer: 'me',
      audience: 'chat',
      clockTolerance: '5s',
    });
    const token = await new SignJWT({ sub: 'alice', iss: 'me', aud: 'chat', exp: START + 60 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    const request = upgradeRequest({ headers: { Authorization: `Bearer ${token}` } });
    const guard = guardOf({ clock, auth: [auth] });
    const socket = new RecordingSocket();
    connect(await admitted(guard, request), socket);
    clock.advance(64_000);
    expect(socket.closes).toEqual([]);
    clock.advance(1_000);
    expect(socket.closes.map(({ code }) => code)).toEqual([4401]);
  });

  test('a wall clock that jumps forwards ends the connection, and one that jumps backwards does not reopen it', async () => {
    const { clock, closes } = await open({}, until(START + 3_600));
    clock.jump(-7_200_000);
    clock.advance(1_000);
    expect(closes()).toEqual([]);
    clock.jump(7_200_000 + 3_600_000);
    clock.advance(1_000);
    expect(closes()).toEqual([4401]);
    clock.jump(-3_600_000);
    clock.advance(1_000);
    expect(closes()).toEqual([4401]);
  });
});

describe('limits.lifetime', () => {
  test('limits.lifetime ends a connection with a valid credential', async () => {
    const { clock, socket } = await open({ limits: { lifetime: '1h' } }, until(undefined));
    clock.advance(3_599_000);
    expect(socket.closes).toEqual([]);
    clock.advance(1_000);
    expect(socket.closes).toEqual([
      { code: 1001, reason: 'The connection has reached its longest lifetime.' },
    ]);
  });

  test('renewals do not extend limits.lifetime', async () => {
    const clock = new ManualClock();
    const answers: Answers = () => ({ subject: 'alice', expiresAt: Math.floor(clock.now() / 1_000) + 600 });
    const guard = guardOf({
      clock,
      auth: [keys(answers).authenticator],
      renewal: true,
      limits: { lifetime: '1h' },
    });
    const socket = new RecordingSocket();
    const connection = connect(await admitted(guard, REQUEST), socket);
    for (let minute = 5; minute < 60; minute += 5) {
      clock.advance(300_000);
      connection.receive(auth('key'), false);
      await settle();
    }
    expect(new Set(replies(socket))).toEqual(new Set(['auth_ok']));
    expect(socket.closes).toEqual([]);
    clock.advance(300_000);
    expect(socket.closes.map(({ code }) => code)).toEqual([1001]);
  });

  test('setting the wall clock back does not extend limits.lifetime', async () => {
    const { clock, closes } = await open({ limits: { lifetime: '1h' } }, until(undefined));
    clock.jump(-DAY * 1_000);
    clock.advance(3_600_000);
    expect(closes()).toEqual([1001]);
  });
});

describe('renewal.notice', () => {
  const renewal = { notice: '30s' };

  test('auth_expiring is sent once, renewal.notice before the end', async () => {
    const { clock, socket } = await open({ renewal }, until(START + 60));
    clock.advance(29_000);
    expect(socket.sent).toEqual([]);
    clock.advance(1_000);
    expect(socket.sent).toEqual([{ type: 'auth_expiring', expiresAt: START + 60 }]);
    clock.advance(29_000);
    expect(socket.sent).toHaveLength(1);
  });

  test('auth_expiring is sent once although the session is checked meanwhile', async () => {
    const { clock, socket } = await open({ renewal }, until(START + 60, { stillValid: () => true }));
    for (let i = 0; i < 55; i++) {
      clock.advance(1_000);
      await settle();
    }
    expect(replies(socket)).toEqual(['auth_expiring']);
  });

  test('auth_expiring is sent again for the next credential', async () => {
    const ends = [START + 60, START + 120];
    const { clock, socket, connection } = await open({ renewal }, () => ({
      subject: 'alice',
      expiresAt: ends.shift(),
    }));
    clock.advance(30_000);
    connection.receive(auth('key'), false);
    await settle();
    clock.advance(59_000);
    expect(replies(socket)).toEqual(['auth_expiring', 'auth_ok']);
    clock.advance(1_000);
    expect(replies(socket)).toEqual(['auth_expiring', 'auth_ok', 'auth_expiring']);
  });
});

describe('the session behind a connection', () => {
  test.each<[string, () => unknown, number | undefined]>([
    ['still there', () => true, undefined],
    ['still there, later', async () => true, undefined],
    ['gone', () => false, 4401],
    ['gone, later', async () => false, 4401],
    ['something truthy', () => 1, 4401],
    ['nothing', () => undefined, 4401],
    [
      'a throw',
      () => {
        throw new Error('down');
      },
      1013,
    ],
    ['a rejection', () => Promise.reject(new Error('down')), 1013],
  ])('the session is checked at its interval: %s', async (_what, stillValid, code) => {
    let asked = 0;
    const { clock, closes } = await open({}, () => ({
      subject: 'alice',
      stillValid: () => {
        asked++;
        return stillValid() as boolean;
      },
    }));
    clock.advance(9_000);
    expect(asked).toBe(0);
    clock.advance(1_000);
    await settle();
    expect([asked, closes()]).toEqual([1, code === undefined ? [] : [code]]);
    if (code !== undefined) return;
    for (let i = 0; i < 3; i++) {
      clock.advance(10_000);
      await settle();
    }
    expect([asked, closes()]).toEqual([4, []]);
  });

  test('a session check that does not answer before the next one ends the connection', async () => {
    const held = new Held<boolean>();
    const { clock, closes } = await open({}, () => ({ subject: 'alice', stillValid: held.ask }));
    clock.advance(19_000);
    expect([held.count, closes()]).toEqual([1, []]);
    clock.advance(1_000);
    expect([held.count, closes()]).toEqual([1, [1013]]);
  });

  test('after a late answer the session is checked again at the next interval', async () => {
    const held = new Held<boolean>();
    const { clock, closes } = await open({}, () => ({ subject: 'alice', stillValid: held.ask }));
    clock.advance(19_000);
    await held.answer(true);
    clock.advance(1_000);
    expect([held.count, closes()]).toEqual([1, []]);
    await held.answer(false);
    expect(closes()).toEqual([4401]);
  });

  test('the session is not checked after the connection has ended', async () => {
    let asked = 0;
    const { clock, connection } = await open({}, () => ({ subject: 'alice', stillValid: () => ++asked > 0 }));
    connection.close();
    clock.advance(60_000);
    connection.closed(1000);
    clock.advance(60_000);
    expect(asked).toBe(0);
  });
});

test('all connections share one timer, and no timer is left after they have closed', async () => {
  const clock = new ManualClock();
  const guard = guardOf({ clock, auth: [keys(until(START + 60)).authenticator] });
  const all = [];
  for (let i = 0; i < 15; i++) all.push(connect(await admitted(guard, REQUEST), new RecordingSocket()));
  expect(clock.pending).toBe(1);
  for (const connection of all) connection.closed(1000);
  expect(clock.pending).toBe(0);
  const last = connect(await admitted(guard, REQUEST), new RecordingSocket());
  expect(clock.pending).toBe(1);
  last.closed(1000);
});
