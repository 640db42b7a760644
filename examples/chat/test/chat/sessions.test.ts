import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { SESSION_SECONDS, Sessions } from '../../chat/sessions.ts';
import { Tokens } from '../../chat/tokens.ts';

const key = randomBytes(32);

test('find: a cookie gives its session on every node with the key, and none where the session was ended', async () => {
  const [here, elsewhere] = [new Sessions(key), new Sessions(key)];
  const { session, cookie } = await here.start('alice');
  for (const node of [here, elsewhere]) expect(await node.find(cookie)).toEqual(session);
  expect(await here.find(session.id)).toBeUndefined();
  expect(await here.find(undefined)).toBeUndefined();
  here.end(session.id);
  expect(await here.find(cookie)).toBeUndefined();
  expect(here.hasEnded(session.id)).toBe(true);
  expect(elsewhere.hasEnded(session.id)).toBe(false);
});

test('find: a cookie of another key, with another signature, or a token of the session gives no session', async () => {
  const sessions = new Sessions(key);
  const { session, cookie } = await sessions.start('alice');
  expect(await new Sessions(randomBytes(32)).find(cookie)).toBeUndefined();
  const [header, payload] = cookie.split('.');
  expect(await sessions.find(`${header}.${payload}.${'A'.repeat(43)}`)).toBeUndefined();
  expect(await sessions.find(await new Tokens(key).issue(session))).toBeUndefined();
});

test('identify: a cookie gives an identity with the id of the session, valid until the session is ended', async () => {
  const sessions = new Sessions(key, () => 1_000);
  const { session, cookie } = await sessions.start('alice');
  const identity = await sessions.identify(cookie);
  expect(identity).toEqual({
    subject: 'alice',
    session: session.id,
    issuedAt: 1,
    expiresAt: 1 + SESSION_SECONDS,
    stillValid: expect.any(Function),
  });
  expect(identity?.stillValid?.()).toBe(true);
  sessions.end(session.id);
  expect(identity?.stillValid?.()).toBe(false);
  expect(await sessions.identify('x')).toBeUndefined();
});

test('find: a cookie gives no session from its expiry on', async () => {
  let now = 0;
  const sessions = new Sessions(key, () => now);
  const { cookie } = await sessions.start('alice');
  now = SESSION_SECONDS * 1_000 - 1;
  expect(await sessions.find(cookie)).toBeDefined();
  now++;
  expect(await sessions.find(cookie)).toBeUndefined();
});

test('end: only the newest `capacity` ended sessions are kept, and none past its expiry', () => {
  let now = 0;
  const sessions = new Sessions(key, () => now, 2);
  const ended = () => ['a', 'b', 'c'].filter((id) => sessions.hasEnded(id));
  sessions.end('a');
  sessions.end('b');
  sessions.end('c');
  expect(ended()).toEqual(['b', 'c']);
  now = SESSION_SECONDS * 1_000;
  sessions.end('a');
  expect(ended()).toEqual(['a']);
});
