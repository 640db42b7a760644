import { describe, expect, test } from '@jest/globals';
import { bearer, cookie, custom, type RequestView } from '@sallyport/core';
import { outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { bareThenable } from '../support/thenable.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const Origin = 'http://localhost:3000';
const session = custom({
  scheme: 'session',
  from: [cookie('sid'), bearer()],
  authenticate: () => ({ subject: 'alice' }),
});
const verify = ({ token, identity }: { token: string; identity: { subject: string } }) =>
  token === `right for ${identity.subject}`;
const outcome = (target: string, options: object = {}, headers: object = { Cookie: 'sid=1' }) =>
  outcomeOf(
    guardOf({ auth: [session], csrf: { query: 'csrf', verify }, ...options }),
    upgradeRequest({ target, headers: { Origin, ...headers } }),
  );
const RIGHT = '/chat?csrf=right%20for%20alice';

test.each([
  ['the right token', RIGHT, 'admitted'],
  ['no token', '/chat', 'csrf_denied'],
  ['an empty token', '/chat?csrf=', 'csrf_denied'],
  ["another session's token", '/chat?csrf=right%20for%20bob', 'csrf_denied'],
  ['two tokens, the first one right', `${RIGHT}&csrf=x`, 'csrf_denied'],
  ['two tokens, the last one right', '/chat?csrf=x&csrf=right%20for%20alice', 'csrf_denied'],
])('a cookie with %s at %s is %s', async (_what, target, expected) => {
  expect(await outcome(target)).toBe(expected);
});

test.each<[string, unknown, string]>([
  ['true', true, 'admitted'],
  ['true later', Promise.resolve(true), 'admitted'],
  ['true, by a bare thenable', bareThenable(true), 'admitted'],
  ['something truthy', 1, 'csrf_denied'],
  ['something truthy later', Promise.resolve('yes'), 'csrf_denied'],
  ['nothing', undefined, 'csrf_denied'],
  ['a rejection', Promise.reject(new Error('down')), 'internal'],
])('policy.csrf.verify answers %s (%p): the handshake is %s', async (_what, answer, expected) => {
  if (answer instanceof Promise) answer.catch(() => {});
  expect(await outcome(RIGHT, { csrf: { query: 'csrf', verify: () => answer } })).toBe(expected);
});

test('a bearer token without an anti-forgery token is admitted', async () => {
  expect(await outcome('/chat', {}, { Authorization: 'Bearer x' })).toBe('admitted');
});

test('the anti-forgery token is scrubbed from the target that hooks see', async () => {
  const seen: RequestView[] = [];
  const authorize = ({ request }: { request: RequestView }) => seen.push(request) > 0;
  expect(await outcome('/chat?room=7&csrf=right%20for%20alice', { authorize })).toBe('admitted');
  expect(seen[0]?.target).toBe('/chat?room=7');
});

describe('refused at construction', () => {
  test.each([
    [null, /policy\.csrf/],
    [{}, /policy\.csrf/],
    [{ query: '', verify }, /policy\.csrf/],
    [{ query: 'csrf' }, /policy\.csrf/],
    [{ query: 'csrf', verify, header: 'x-csrf' }, /policy\.csrf\.header: unknown option/],
  ])('policy.csrf %j throws a PolicyError', (csrf, message) => {
    expect(() => guardOf({ csrf })).toThrow(message);
  });
});
