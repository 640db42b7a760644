// A1: an allow-list of algorithms without `none`, one family of keys, pinned keys, and iss, aud, exp, nbf (RFC 8725).
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { bearer, jwt } from '@sallyport/core';
import { exportJWK, type JWK, SignJWT } from 'jose';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, chatJwt, NOW, SECRET, token } from '../support/chat-policy.ts';

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const claims = { sub: 'alice', iss: 'https://id.example.com', aud: 'chat', iat: NOW, exp: NOW + 300 };
const signed = (header: object, payload: object = claims, secret = SECRET): string => {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const es256 = (key: KeyObject, header: object = {}): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(key);
const pem = issuer.publicKey.export({ type: 'spki', format: 'pem' }).toString();

const byIssuer = jwt({
  from: [bearer()],
  publicKey: pem,
  algorithms: ['ES256'],
  issuer: claims.iss,
  audience: claims.aud,
});
const typed = jwt({
  from: [bearer()],
  secret: SECRET,
  algorithms: ['HS256'],
  issuer: claims.iss,
  audience: claims.aud,
  type: 'at+jwt',
  maxAge: '1m',
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
/** The key is for PS256, although the policy lists RS256 as well. */
const forOneAlgorithm = jwt({
  from: [bearer()],
  jwk: { ...rsa.publicKey.export({ format: 'jwk' }), alg: 'PS256', use: 'sig' } as JWK,
  algorithms: ['RS256', 'PS256'],
  issuer: claims.iss,
  audience: claims.aud,
});
const byRsa = (alg: string): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(rsa.privateKey);

const INVALID = '401 credential_invalid';
const EXPIRED = '401 credential_expired';
type Auth = ReturnType<typeof chatJwt>;
const forged: readonly (readonly [string, () => string | Promise<string>, string, Auth])[] = [
  ['alg none without a signature', () => `${encode({ alg: 'none' })}.${encode(claims)}.`, INVALID, chatJwt()],
  ['alg None', () => signed({ alg: 'None' }), INVALID, chatJwt()],
  [
    'alg none with the old signature',
    async () => `${encode({ alg: 'none' })}.${(await token()).split('.').slice(1).join('.')}`,
    INVALID,
    chatJwt(),
  ],
  ['no alg', () => signed({}), INVALID, chatJwt()],
  [
    'an algorithm that is not listed',
    () => token({}, { alg: 'HS384', secret: SECRET.padEnd(64, 'x') }),
    INVALID,
    chatJwt(),
  ],
  [
    'an algorithm that is not listed, with the secret itself',
    () => {
      const input = `${encode({ alg: 'HS384' })}.${encode(claims)}`;
      return `${input}.${createHmac('sha384', SECRET).update(input).digest('base64url')}`;
    },
    INVALID,
    chatJwt(),
  ],
  ['another secret', () => signed({ alg: 'HS256' }, claims, 'guessed'), INVALID, chatJwt()],
  [
    'other claims under the old signature',
    async () => (await token()).replace(/\.[^.]+\./, `.${encode({ ...claims, sub: 'root' })}.`),
    INVALID,
    chatJwt(),
  ],
  [
    'a changed signature',
    async () => (await token()).replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')),
    INVALID,
    chatJwt(),
  ],
  ['padding', async () => `${await token()}=`, INVALID, chatJwt()],
  ['another issuer', () => token({ iss: 'https://evil.example' }), INVALID, chatJwt()],
  ['another audience', () => token({ aud: 'billing' }), INVALID, chatJwt()],
  ['no audience', () => token({ aud: undefined as never }), INVALID, chatJwt()],
  ['no subject', () => token({ sub: '' }), INVALID, chatJwt()],
  ['no exp', () => signed({ alg: 'HS256' }, { ...claims, exp: undefined }), INVALID, chatJwt()],
  [
    'an exp that is no number',
    () => signed({ alg: 'HS256' }, { ...claims, exp: '9999999999' }),
    INVALID,
    chatJwt(),
  ],
  ['an exp in the past', () => token({ exp: NOW - 1 }), EXPIRED, chatJwt()],
  ['an nbf in the future', () => token({ nbf: NOW + 60 }), INVALID, chatJwt()],
  ['an unknown critical header', () => signed({ alg: 'HS256', crit: ['x'], x: 1 }), INVALID, chatJwt()],
  ['another type', () => token({}, { header: { typ: 'id+jwt' } }), INVALID, typed],
  [
    'an iat older than maxAge',
    () => token({ iat: NOW - 120 }, { header: { typ: 'at+jwt' } }),
    EXPIRED,
    typed,
  ],
  ['the public key as the HMAC secret', () => signed({ alg: 'HS256' }, claims, pem), INVALID, byIssuer],
  ["a signature by the attacker's key", () => es256(attacker.privateKey), INVALID, byIssuer],
  [
    "the attacker's key in the header as jwk",
    async () => es256(attacker.privateKey, { jwk: await exportJWK(attacker.publicKey) }),
    INVALID,
    byIssuer,
  ],
  [
    "the attacker's key behind a jku header",
    () => es256(attacker.privateKey, { jku: 'https://evil.example/jwks.json', kid: '1' }),
    INVALID,
    byIssuer,
  ],
  [
    "the attacker's key behind an x5u header",
    () => es256(attacker.privateKey, { x5u: 'https://evil.example/cert.pem' }),
    INVALID,
    byIssuer,
  ],
  ['an algorithm that the key is not for', () => byRsa('RS256'), INVALID, forOneAlgorithm],
  ['more than 8 KiB', () => token({ padding: 'x'.repeat(9_000) }), INVALID, chatJwt()],
  ['the text null', () => 'null', INVALID, chatJwt()],
];

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test.each(forged)('a token with %s gets 401', async (_what, make, expected, auth) => {
    const app = await start(host, { guard: chatGuard({ auth: [auth] }) });
    const headers = { Authorization: `Bearer ${await make()}`, Origin: APP };
    expect(verdict(await refused(app, { headers }))).toBe(expected);
    expect(app.handled).toEqual([]);
  });

  test('a valid token of each kind is admitted', async () => {
    const right: [Auth, string][] = [
      [chatJwt(), await token()],
      [byIssuer, await es256(issuer.privateKey)],
      [typed, await token({}, { header: { typ: 'at+jwt' } })],
      [forOneAlgorithm, await byRsa('PS256')],
    ];
    for (const [auth, text] of right) {
      const app = await start(host, { guard: chatGuard({ auth: [auth] }) });
      await open(app, { headers: { Authorization: `Bearer ${text}` } });
    }
  });
});

test.each([{ use: 'enc' }, { key_ops: ['sign'] }, { alg: 'RS512' }])(
  'jwt() with a jwk that is for something else throws at construction: %j',
  (more) => {
    const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), ...more } as JWK;
    const { iss: issuer, aud: audience } = claims;
    expect(() => jwt({ from: [bearer()], jwk, algorithms: ['RS256'], issuer, audience })).toThrow(
      /jwt\(\{ jwk \}\)/,
    );
  },
);

test.each([[['none']], [['HS256', 'none']], [['HS256', 'ES256']], [[]]])(
  'jwt({ algorithms: %j }) throws at construction',
  (algorithms) => {
    const options = { from: [bearer()], secret: SECRET, issuer: claims.iss, audience: claims.aud };
    expect(() => jwt({ ...options, algorithms })).toThrow(/jwt\(\{ algorithms \}\)/);
  },
);
