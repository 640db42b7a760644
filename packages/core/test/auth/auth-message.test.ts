import { expect, test } from '@jest/globals';
import { bearer, custom, jwt, query, tickets } from '@sallyport/core';
import { readAuthMessage } from '../../src/auth/auth-message.ts';
import { Denial } from '../../src/vocabulary/decision.ts';

const of = (issuer: string, scheme: string) =>
  jwt({
    from: [bearer()],
    secret: 'a secret of thirty-two bytes, yes',
    algorithms: ['HS256'],
    issuer,
    audience: 'chat',
    scheme,
  });
const authenticators = [
  of('https://one.example', 'one'),
  of('https://two.example', 'two'),
  tickets(),
  custom({ scheme: 'key', from: [query('key')], messageField: 'key', authenticate: () => undefined }),
  custom({ scheme: 'device', from: [query('device')], authenticate: () => undefined }),
];
const tokenOf = (iss: string) =>
  `${Buffer.from('{}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss })).toString('base64url')}.AA`;
const read = (fields: object): string => {
  const found = readAuthMessage({ type: 'auth', ...fields }, authenticators);
  return found instanceof Denial ? found.reason : `${found.authenticator.scheme}: ${found.credential}`;
};

test.each<[object, string]>([
  [{ ticket: 'abc' }, 'ticket: abc'],
  [{ key: 'abc' }, 'key: abc'],
  [{ token: tokenOf('https://two.example') }, `two: ${tokenOf('https://two.example')}`],
  // The first authenticator verifies a token of an unknown issuer, and no other one does.
  [{ token: tokenOf('https://evil.example') }, `one: ${tokenOf('https://evil.example')}`],
  [{ token: 'no token' }, 'one: no token'],
  [{}, 'credential_missing'],
  [{ token: 'a', ticket: 'b' }, 'credential_ambiguous'],
  [{ token: 'a', extra: 1 }, 'credential_ambiguous'],
  [{ device: 'abc' }, 'credential_invalid'],
  [{ password: 'abc' }, 'credential_invalid'],
  [{ token: 5 }, 'credential_invalid'],
  [{ token: null }, 'credential_invalid'],
  [{ token: ['a'] }, 'credential_invalid'],
  [{ token: { toString: 'a' } }, 'credential_invalid'],
])('auth message %j: %s', (fields, expected) => {
  expect(read(fields)).toBe(expected);
});

test.each(['__proto__', 'constructor', 'toString'])(
  'a field named %s in an auth message is denied with credential_invalid',
  (name) => {
    expect(read(JSON.parse(`{"${name}":"a"}`))).toBe('credential_invalid');
  },
);
