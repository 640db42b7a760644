import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTarget } from '../../src/handshake/target.ts';

const NAMES = new Set(['token', 'tick et']);

describe('what is scrubbed', () => {
  test.each([
    ['/chat', '/chat', {}],
    ['/chat?room=1', '/chat?room=1', {}],
    ['/chat?token=abc', '/chat', { token: ['abc'] }],
    ['/chat?room=1&token=abc&x=2', '/chat?room=1&x=2', { token: ['abc'] }],
    ['/chat?token', '/chat', { token: [''] }],
    ['/chat?token=', '/chat', { token: [''] }],
    ['/chat?token=a&token=b', '/chat', { token: ['a', 'b'] }],
    ['/chat?%74oken=abc', '/chat', { token: ['abc'] }],
    ['/chat?tick+et=a%2Bb', '/chat', { 'tick et': ['a+b'] }],
    ['/chat?token=%E0%A4%A', '/chat', { token: ['%E0%A4%A'] }],
    ['/chat?%E0%A4%A=1&token=abc', '/chat?%E0%A4%A=1', { token: ['abc'] }],
    ['/chat?Token=abc', '/chat?Token=abc', {}],
    ['/chat?x=1?token=abc', '/chat?x=1?token=abc', {}],
    ['/chat?tok%65n%=abc', '/chat?tok%65n%=abc', {}],
    ['/chat?%ff%fe=1&%zz=2&%=3&token=abc', '/chat?%ff%fe=1&%zz=2&%=3', { token: ['abc'] }],
    ['/chat?token=a&token=b&token=c', '/chat', { token: ['a', 'b'] }],
    ['/chat?tick%20et=a', '/chat', { 'tick et': ['a'] }],
    ['/chat?a&&token=abc&', '/chat?a&&', { token: ['abc'] }],
  ])('target %s is scrubbed of credentials', (target, scrubbed, credentials) => {
    const read = readTarget(target, NAMES);
    expect(read).toMatchObject({ path: '/chat', scrubbed });
    expect(Object.fromEntries(read.credentials)).toEqual(credentials);
  });
});

test('property: scrubbing removes every value of a credential and keeps all else in order', () => {
  const pair = fc.tuple(
    fc.constantFrom('a', 'token', 'b', 'tick+et', '%74oken'),
    fc.stringMatching(/^[a-z0-9]{0,8}$/),
  );
  fc.assert(
    fc.property(fc.array(pair), (pairs) => {
      const secret = (name: string) => !['a', 'b'].includes(name);
      const join = (list: typeof pairs) => list.map(([name, value]) => `${name}=${value}`).join('&');
      const kept = join(pairs.filter(([name]) => !secret(name)));
      const { scrubbed } = readTarget(`/chat?${join(pairs)}`, NAMES);
      expect(scrubbed.replace(/\?$/, '')).toBe(kept === '' ? '/chat' : `/chat?${kept}`);
    }),
  );
});

test('a parameter name is scrubbed by its decoded spelling, in which invalid escapes stay', () => {
  const names = new Set(['t%zz', 'jetón']);
  expect([...readTarget('/?%74%zz=1&jet%C3%B3n=2&a=3', names).credentials.keys()]).toEqual(['t%zz', 'jetón']);
});

test('more than 100 query parameters are scrubbed as a whole and reported as overlong', () => {
  const query = (count: number) =>
    `/chat?${Array.from({ length: count - 1 }, () => 'a').join('&')}&token=abc`;
  expect(readTarget(query(100), NAMES)).toMatchObject({
    overlong: false,
    credentials: new Map([['token', ['abc']]]),
  });
  expect(readTarget(query(101), NAMES)).toMatchObject({
    overlong: true,
    scrubbed: '/chat',
    credentials: new Map(),
  });
});
