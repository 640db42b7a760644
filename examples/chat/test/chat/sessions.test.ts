import { expect, test } from '@jest/globals';
import { SESSION_SECONDS, Sessions } from '../../chat/sessions.ts';

test('a session is found by its secret, and is open until it ends', () => {
  const sessions = new Sessions();
  const session = sessions.start('alice');
  expect(sessions.find(session.secret)).toBe(session);
  expect(sessions.find(session.id)).toBeUndefined();
  expect(sessions.find(undefined)).toBeUndefined();
  expect(sessions.isOpen(session.id)).toBe(true);
  sessions.end(session);
  expect(sessions.find(session.secret)).toBeUndefined();
  expect(sessions.isOpen(session.id)).toBe(false);
});

test('the guard is told the name of a session, never its secret', () => {
  const sessions = new Sessions(1, () => 1_000);
  const session = sessions.start('alice');
  const identity = sessions.identify(session.secret);
  expect(identity).toEqual({
    subject: 'alice',
    session: session.id,
    issuedAt: 1,
    expiresAt: 1 + SESSION_SECONDS,
    stillValid: expect.any(Function),
  });
  expect(identity?.stillValid?.()).toBe(true);
  sessions.end(session);
  expect(identity?.stillValid?.()).toBe(false);
  expect(sessions.identify('x')).toBeUndefined();
});

test('a session ends by itself', () => {
  let now = 0;
  const sessions = new Sessions(10, () => now);
  const session = sessions.start('alice');
  now = SESSION_SECONDS * 1_000 - 1;
  expect(sessions.isOpen(session.id)).toBe(true);
  now++;
  expect(sessions.find(session.secret)).toBeUndefined();
  expect(sessions.isOpen(session.id)).toBe(false);
});

test('beyond the capacity the oldest session ends', () => {
  const sessions = new Sessions(2);
  const [first, second, third] = ['a', 'b', 'c'].map((user) => sessions.start(user));
  expect([first, second, third].map((session) => sessions.isOpen(session?.id))).toEqual([false, true, true]);
});
