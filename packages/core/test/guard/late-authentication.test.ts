import { describe, expect, test } from '@jest/globals';
import { bearer, cookie, custom, type Identity, jwt, type RequestView } from '@sallyport/core';
import { SignJWT } from 'jose';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf, SAY } from '../support/guards.ts';
import { type Answers, auth, Held, keys, replies, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const ISSUER = 'https://id.example.com';
const START = new ManualClock().now() / 1_000;
const as = (credential: string) => upgradeRequest({ headers: { Authorization: `Bearer ${credential}` } });

/** An open connection of Alice's in her first session, which ends in five minutes, and that may be renewed. */
async function open(options: object = {}, answers: Answers = wallet()) {
  const clock = new ManualClock();
  const { authenticator, asked } = keys(answers);
  const guard = guardOf({ clock, auth: [authenticator], renewal: true, ...options });
  const socket = new RecordingSocket();
  const connection = connect(await admitted(guard, as('first')), socket);
  const renew = async (key: string) => {
    connection.receive(auth(key), false);
    await settle();
  };
  return { clock, guard, socket, connection, renew, asked };
}

/** Credentials by name; each may say more. */
function wallet(more: Record<string, object | undefined> = {}): Answers {
  const alice = { subject: 'alice', session: 's1', issuedAt: START, expiresAt: START + 300 };
  const known: Record<string, object | undefined> = {
    first: { claims: { role: 'admin', iss: ISSUER } },
    second: { expiresAt: START + 600, issuedAt: START - 20, claims: { role: 'user', iss: ISSUER } },
    'other subject': { subject: 'mallory' },
    'other session': { session: 's2' },
    'no session': { session: undefined },
    'no issuer': { claims: {} },
    'other issuer': { claims: { iss: 'https://partner.example' } },
    ...more,
  };
  return (name) =>
    known[name] === undefined ? undefined : ({ ...alice, ...known[name] } as { subject: string });
}

test('a renewal replaces the identity with its end, issue date and claims', async () => {
  const { clock, socket, connection, renew } = await open({
    messages: {
      say: {
        schema: SAY,
        authorize: ({ identity }: { identity: Identity<'key', { role?: string }> }) =>
          identity.claims.role === 'admin',
      },
    },
  });
  connection.receive(say('as an admin'), false);
  await renew('second');
  expect(socket.sent).toEqual([{ type: 'auth_ok', expiresAt: START + 600 }]);
  expect(connection.identity).toMatchObject({
    subject: 'alice',
    claims: { role: 'user' },
    issuedAt: START - 20,
  });
  connection.receive(say('as a user'), false);
  expect(socket.delivered).toEqual([say('as an admin')]);
  clock.advance(599_000);
  expect(socket.closes).toEqual([]);
  clock.advance(1_000);
  expect(socket.closes).toEqual([{ code: 4401, reason: 'The credential has expired.' }]);
});

test.each(['other subject', 'other session', 'no session', 'other issuer', 'no issuer', 'wrong'])(
  'a renewal with another holder changes nothing: %s',
  async (key) => {
    const { clock, socket, connection, renew } = await open();
    const before = connection.identity;
    await renew(key);
    expect(replies(socket)).toEqual(['credential_invalid']);
    expect(connection.identity).toBe(before);
    clock.advance(300_000);
    expect(socket.closes.map(({ code }) => code)).toEqual([4401]);
  },
);

test('a credential that ends sooner ends the connection sooner', async () => {
  const { clock, socket, renew } = await open(
    {},
    wallet({ shorter: { expiresAt: START + 60, claims: { iss: ISSUER } } }),
  );
  await renew('shorter');
  clock.advance(60_000);
  expect(socket.closes.map(({ code }) => code)).toEqual([4401]);
});

describe('policy.authorize at a renewal', () => {
  test('a renewal calls policy.authorize with the new identity and the request without native', async () => {
    const seen: { identity: Identity; request: RequestView }[] = [];
    const { renew } = await open({ authorize: (context: never) => seen.push(context) > 0 });
    await renew('second');
    expect(seen.map(({ identity }) => identity.expiresAt)).toEqual([START + 300, START + 600]);
    expect(seen[1]?.request).toMatchObject({ path: '/chat', address: '127.0.0.1', native: undefined });
  });

  test('a renewal that policy.authorize refuses closes the connection', async () => {
    let allowed = true;
    const { socket, connection, renew } = await open({ authorize: () => allowed });
    allowed = false;
    await renew('second');
    expect(socket.closes.map(({ code }) => code)).toEqual([4403]);
    expect(connection.identity.expiresAt).toBe(START + 300);
  });
});

test('messages behind a renewal wait until it is decided', async () => {
  const held = new Held<{ subject: string }>();
  const { connection, socket } = await open({}, (name) =>
    name === 'first' ? { subject: 'alice' } : held.ask(),
  );
  connection.receive(auth('second'), false);
  connection.receive(say('hi'), false);
  await settle();
  expect(socket.delivered).toEqual([]);
  await held.answer({ subject: 'alice' });
  expect([replies(socket), socket.delivered]).toEqual([['auth_ok'], [say('hi')]]);
});

test('failed renewals count as failed attempts of the address', async () => {
  const { renew, asked, socket } = await open({
    limits: { authFailures: { rate: '1/m', burst: 2 }, violations: 100 },
  });
  for (let i = 0; i < 4; i++) await renew('wrong');
  expect(asked()).toBe(3);
  expect(socket.closes.map(({ code }) => code)).toEqual([4429]);
});

test('an outage of the authenticator at a renewal keeps the connection open, and is no violation', async () => {
  let down = false;
  const answers: Answers = (name) =>
    down ? Promise.reject(new Error('down')) : wallet()(name, null as never);
  const { renew, socket, connection } = await open({ limits: { violations: 2 } }, answers);
  down = true;
  for (let i = 0; i < 5; i++) await renew('second');
  expect([new Set(replies(socket)), connection.state]).toEqual([new Set(['auth_unavailable']), 'open']);
  down = false;
  await renew('second');
  expect(replies(socket).at(-1)).toBe('auth_ok');
});

test('a renewal that hangs is aborted at the deadline of a handshake', async () => {
  let signal: AbortSignal | undefined;
  const { connection, clock } = await open({ limits: { handshakeTimeout: '3s' } }, (name, given) => {
    if (name === 'first') return { subject: 'alice' };
    signal = given;
    return new Promise(() => {});
  });
  connection.receive(auth('second'), false);
  clock.advance(2_999);
  expect(signal?.aborted).toBe(false);
  clock.advance(1);
  expect(signal?.aborted).toBe(true);
});

describe('a revocation during a renewal', () => {
  test('a revocation of the subject during a renewal closes the connection', async () => {
    const held = new Held<{ subject: string }>();
    const { connection, guard, socket } = await open({}, (name) =>
      name === 'first' ? { subject: 'alice' } : held.ask(),
    );
    connection.receive(auth('second'), false);
    await guard.revoke({ subject: 'alice' });
    await held.answer({ subject: 'alice' });
    expect([socket.closes.map(({ code }) => code), socket.sent]).toEqual([[4401], []]);
  });

  test('a revocation of the new token at any moment of a renewal closes the connection', async () => {
    // One microtask later for each try, until the revocation comes after the renewal has ended.
    for (let turns = 0; turns < 30; turns++) {
      const { connection, guard, socket } = await open({}, (name) => ({
        subject: 'alice',
        tokenId: name,
        issuedAt: START,
      }));
      connection.receive(auth('second'), false);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      await guard.revoke({ tokenId: 'second' });
      await settle();
      expect([turns, socket.closes.map(({ code }) => code)]).toEqual([turns, [4401]]);
    }
  });
});

test('without policy.renewal an auth message is a message like any other', async () => {
  const { renew, socket, asked } = await open({ renewal: false });
  await renew('second');
  expect([replies(socket), asked()]).toEqual([['message_type_unknown'], 1]);
});

test('a session is renewed by its own kind of credential, not by a token of the same session', async () => {
  const secret = 'a secret of thirty-two bytes, yes';
  const options = { secret, algorithms: ['HS256'], issuer: 'me', audience: 'chat', from: [bearer()] };
  const session = custom({
    scheme: 'session',
    from: [cookie('session')],
    messageField: 'session',
    authenticate: () => ({ subject: 'alice', session: 's1', expiresAt: START + 60 }),
  });
  const clock = new ManualClock();
  const guard = guardOf({ clock, auth: [session, jwt(options)], renewal: true });
  const socket = new RecordingSocket();
  const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000', Cookie: 'session=a' } });
  const connection = connect(await admitted(guard, request), socket);
  const token = await new SignJWT({ sub: 'alice', sid: 's1', exp: START + 600, iss: 'me', aud: 'chat' })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
  for (const credential of [{ token }, { session: 'a' }]) {
    const sent = socket.sent.length;
    connection.receive(JSON.stringify({ type: 'auth', ...credential }), false);
    while (socket.sent.length === sent) await settle();
  }
  expect(replies(socket)).toEqual(['credential_invalid', 'auth_ok']);
  expect(connection.identity).toMatchObject({ scheme: 'session', session: 's1' });
});

test('the events of a failed renewal do not contain the credential', async () => {
  const { guard, renew } = await open();
  const denied = collect(guard, 'message.denied');
  await renew('wrong');
  expect(denied).toMatchObject([{ reason: 'credential_invalid', stage: 'authentication', subject: 'alice' }]);
  expect(JSON.stringify(denied)).not.toContain('wrong');
});
