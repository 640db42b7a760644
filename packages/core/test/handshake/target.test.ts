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
    ['/chat?a&&token=abc&', '/chat?a&&', { token: ['abc'] }],
  ])('%s', (target, scrubbed, credentials) => {
    const read = readTarget(target, NAMES);
    expect(read).toMatchObject({ path: '/chat', scrubbed });
    expect(Object.fromEntries(read.credentials)).toEqual(credentials);
  });
});

test('no value of a credential is left, and everything else is, in order', () => {
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
