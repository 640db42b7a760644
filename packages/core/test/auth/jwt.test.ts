import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type JWTPayload, SignJWT } from 'jose';
import { bearer } from '../../src/auth/credential-source.ts';
import { jwt } from '../../src/auth/jwt.ts';
import { type JwtOptions, unsafeAnyAudience, unsafeAnyIssuer } from '../../src/auth/jwt-options.ts';
import { Denial } from '../../src/vocabulary/decision.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { present } from '../support/present.ts';

const SECRET = 'an example secret of enough bytes, really';
const ISSUER = 'https://id.example.com';
const AUDIENCE = 'chat';
const clock = new ManualClock();
const NOW = clock.now() / 1_000;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');

const BASE = { from: [bearer()], issuer: ISSUER, audience: AUDIENCE } as const;
const HMAC: JwtOptions = { ...BASE, secret: SECRET, algorithms: ['HS256'] };
const CLAIMS: JWTPayload = { sub: 'alice', iss: ISSUER, aud: AUDIENCE, iat: NOW, exp: NOW + 300 };

function sign(
  claims: JWTPayload = CLAIMS,
  header: { alg: string; [name: string]: unknown } = { alg: 'HS256' },
  key: KeyObject | Uint8Array = Buffer.from(SECRET),
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}

/** Writes a token by hand, for headers and signatures that no library would make. */
function forge(header: object, claims: object, signature: (input: string) => string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signature(input)}`;
}

async function judge(options: JwtOptions, token: string, at: ManualClock = clock): Promise<string> {
  const outcome = await present(jwt(options), token, at);
  return outcome instanceof Denial ? outcome.reason : (outcome?.subject ?? 'nobody');
}

describe('a right token', () => {
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string;
  const cases: [string, Partial<JwtOptions>, KeyObject | Uint8Array][] = [
    ['HS256', { secret: SECRET }, Buffer.from(SECRET)],
    ['RS256', { publicKey: pem(rsa.publicKey) }, rsa.privateKey],
    ['PS256', { publicKey: rsa.publicKey }, rsa.privateKey],
    ['ES256', { publicKey: pem(ec.publicKey) }, ec.privateKey],
    ['ES256', { jwk: ec.publicKey.export({ format: 'jwk' }) as never }, ec.privateKey],
    ['EdDSA', { jwk: ed.publicKey.export({ format: 'jwk' }) as never }, ed.privateKey],
    [
      'EdDSA',
      { jwks: { keys: [rsa.publicKey, ed.publicKey].map((key) => key.export({ format: 'jwk' }) as never) } },
      ed.privateKey,
    ],
  ];
  test.each(cases)('a valid token signed with %s gives the identity', async (alg, key, signer) => {
    const token = await sign({ ...CLAIMS, jti: 't1', sid: 's1', role: 'admin' }, { alg }, signer);
    expect(await present(jwt({ ...BASE, ...key, algorithms: [alg] }), token, clock)).toEqual({
      scheme: 'jwt',
      subject: 'alice',
      session: 's1',
      tokenId: 't1',
      issuedAt: NOW,
      expiresAt: NOW + 300,
      claims: expect.objectContaining({ role: 'admin' }),
    });
  });

  test('the identity of a token is frozen', async () => {
    const token = await sign({ ...CLAIMS, roles: ['user'] });
    const identity = (await present(jwt(HMAC), token, clock)) as unknown as { claims: { roles: string[] } };
    expect(() => identity.claims.roles.push('admin')).toThrow(TypeError);
    expect(() => Object.assign(identity, { subject: 'bob' })).toThrow(TypeError);
  });

  test("scheme and sessionClaim name the identity's scheme and its session", async () => {
    const outcome = await present(
      jwt({ ...HMAC, scheme: 'service', sessionClaim: 'session' }),
      await sign({ ...CLAIMS, session: 's2', sid: 's1' }),
      clock,
    );
    expect(outcome).toMatchObject({ scheme: 'service', session: 's2' });
  });
});

describe('the signature', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', ''])('a token with alg %j is denied', async (alg) => {
    expect(
      await judge(
        HMAC,
        forge({ alg }, CLAIMS, () => ''),
      ),
    ).toBe('credential_invalid');
    expect(
      await judge(
        HMAC,
        forge({ alg }, CLAIMS, () => 'AAAA'),
      ),
    ).toBe('credential_invalid');
  });

  test('a token signed by HMAC with the public key as its secret is denied', async () => {
    const key = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const forged = forge({ alg: 'HS256' }, CLAIMS, (input) =>
      createHmac('sha256', key).update(input).digest('base64url'),
    );
    expect(await judge({ ...BASE, publicKey: key, algorithms: ['RS256'] }, forged)).toBe(
      'credential_invalid',
    );
  });

  test('a token signed with an algorithm that is not listed is denied although the key fits', async () => {
    const options = { ...BASE, publicKey: rsa.publicKey, algorithms: ['RS256'] };
    expect(await judge(options, await sign(CLAIMS, { alg: 'PS256' }, rsa.privateKey))).toBe(
      'credential_invalid',
    );
    expect(await judge(options, await sign(CLAIMS, { alg: 'RS256' }, rsa.privateKey))).toBe('alice');
  });

  test('a token signed with another key is denied, whatever its header says about keys', async () => {
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = stranger.publicKey.export({ format: 'jwk' });
    const options = { ...BASE, publicKey: ec.publicKey, algorithms: ['ES256'] };
    for (const extra of [
      {},
      { jwk },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example/cert.pem' },
      { kid: '../../dev/null' },
      { kid: "' OR 1=1 --" },
    ]) {
      const forged = await sign(CLAIMS, { alg: 'ES256', ...extra }, stranger.privateKey);
      expect(await judge(options, forged)).toBe('credential_invalid');
      // The same headers beside the right signature change nothing.
      expect(await judge(options, await sign(CLAIMS, { alg: 'ES256', ...extra }, ec.privateKey))).toBe(
        'alice',
      );
    }
  });

  test('a token whose claims were changed after signing is denied', async () => {
    const [header, , signature] = (await sign()).split('.');
    const claims = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'admin' })).toString('base64url');
    expect(await judge(HMAC, `${header}.${claims}.${signature}`)).toBe('credential_invalid');
  });

  test('a token with unknown critical headers or a detached payload is denied', async () => {
    const hmac = (input: string) => createHmac('sha256', SECRET).update(input).digest('base64url');
    expect(await judge(HMAC, forge({ alg: 'HS256' }, CLAIMS, hmac))).toBe('alice');
    for (const header of [
      { alg: 'HS256', crit: ['exp'], exp: 1 },
      { alg: 'HS256', crit: [] },
      { alg: 'HS256', crit: ['b64'], b64: false },
    ]) {
      expect(await judge(HMAC, forge(header, CLAIMS, hmac))).toBe('credential_invalid');
    }
  });
});

describe('only the canonical spelling counts', () => {
  test('a token with padding, white space or altered trailing bits is denied', async () => {
    const token = await sign();
    expect(await judge(HMAC, token)).toBe('alice');
    for (const other of [
      `${token}=`,
      `${token}==`,
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      token.replace('.', ' .'),
    ]) {
      expect(await judge(HMAC, other)).toBe('credential_invalid');
    }
  });

  test('every other last letter of a signature is denied, even if it decodes to the same bytes', async () => {
    const token = await sign();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const others = [...alphabet].filter((letter) => letter !== token.at(-1));
    const outcomes = await Promise.all(others.map((letter) => judge(HMAC, token.slice(0, -1) + letter)));
    expect(new Set(outcomes)).toEqual(new Set(['credential_invalid']));
  });

  test.each(['', 'undefined', 'null', '{}', '..', 'a.b.c', 'Bearer', '\u0000'])(
    'text %j is denied with credential_invalid',
    async (token) => {
      expect(await judge(HMAC, token)).toBe('credential_invalid');
    },
  );

  test('a token longer than maxBytes is denied without being read', async () => {
    const token = await sign({ ...CLAIMS, filler: 'x'.repeat(500) });
    expect(await judge({ ...HMAC, maxBytes: token.length }, token)).toBe('alice');
    expect(await judge({ ...HMAC, maxBytes: token.length - 1 }, token)).toBe('credential_invalid');
  });
});

describe('claims', () => {
  const wrong: [string, Record<string, unknown>][] = [
    ['another issuer', { iss: 'https://evil.example' }],
    ['an issuer that continues a listed one', { iss: `${ISSUER}.evil.example` }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'mail' }],
    ['no audience', { aud: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is no text', { sub: 7 }],
    ['no expiry', { exp: undefined }],
    ['an expiry that is no number', { exp: 'tomorrow' }],
    ['nbf in the future', { nbf: NOW + 1 }],
    ['nbf that is no number', { nbf: 'now' }],
  ];
  test.each(wrong)('a token with %s is denied with credential_invalid', async (_, change) => {
    const hmac = (input: string) => createHmac('sha256', SECRET).update(input).digest('base64url');
    expect(await judge(HMAC, forge({ alg: 'HS256' }, { ...CLAIMS, ...change }, hmac))).toBe(
      'credential_invalid',
    );
  });

  test('a token for one of several audiences or from one of several issuers is accepted', async () => {
    expect(await judge(HMAC, await sign({ ...CLAIMS, aud: ['mail', AUDIENCE] }))).toBe('alice');
    expect(await judge({ ...HMAC, audience: ['mail', AUDIENCE] }, await sign())).toBe('alice');
    expect(await judge({ ...HMAC, issuer: ['https://other.example', ISSUER] }, await sign())).toBe('alice');
  });

  test('unsafeAnyIssuer and unsafeAnyAudience each switch off one check only', async () => {
    const foreign = await sign({ ...CLAIMS, iss: 'https://evil.example', aud: 'mail' });
    expect(await judge({ ...HMAC, issuer: unsafeAnyIssuer }, foreign)).toBe('credential_invalid');
    expect(await judge({ ...HMAC, audience: unsafeAnyAudience }, foreign)).toBe('credential_invalid');
    expect(await judge({ ...HMAC, issuer: unsafeAnyIssuer, audience: unsafeAnyAudience }, foreign)).toBe(
      'alice',
    );
  });

  test('with type set, a token with any other typ is denied', async () => {
    const options = { ...HMAC, type: 'at+jwt' };
    expect(await judge(options, await sign(CLAIMS, { alg: 'HS256', typ: 'at+jwt' }))).toBe('alice');
    for (const typ of ['JWT', 'id+jwt', '', undefined]) {
      expect(await judge(options, await sign(CLAIMS, { alg: 'HS256', typ }))).toBe('credential_invalid');
    }
  });

  test('a token without a required claim is denied', async () => {
    const options = { ...HMAC, requiredClaims: ['tenant'] };
    expect(await judge(options, await sign())).toBe('credential_invalid');
    expect(await judge(options, await sign({ ...CLAIMS, tenant: 'a' }))).toBe('alice');
  });

  test('no denial contains the token or one of its claims', async () => {
    const token = await sign({ ...CLAIMS, iss: 'https://secret.example', aud: 'secret' });
    const denial = await present(jwt(HMAC), token, clock);
    expect(JSON.stringify(denial)).not.toContain('secret');
    for (const part of token.split('.')) expect(JSON.stringify(denial)).not.toContain(part);
  });
});

describe('time comes from the clock that was passed in', () => {
  test("a token is expired from the moment of its exp, by the guard's clock", async () => {
    const token = await sign();
    const later = new ManualClock();
    later.advance(299_999);
    expect(await judge(HMAC, token, later)).toBe('alice');
    later.advance(1);
    expect(await judge(HMAC, token, later)).toBe('credential_expired');
  });

  test('clockTolerance moves exp and nbf by as much', async () => {
    const tolerant = { ...HMAC, clockTolerance: '30s' } as const;
    const later = new ManualClock();
    later.advance(329_000);
    expect(await judge(tolerant, await sign(), later)).toBe('alice');
    later.advance(1_000);
    expect(await judge(tolerant, await sign(), later)).toBe('credential_expired');
    expect(await judge(tolerant, await sign({ ...CLAIMS, nbf: NOW + 30 }))).toBe('alice');
    expect(await judge(tolerant, await sign({ ...CLAIMS, nbf: NOW + 31 }))).toBe('credential_invalid');
  });

  test('maxAge denies an older token and one without iat', async () => {
    const options = { ...HMAC, maxAge: '1m' } as const;
    const token = await sign();
    const later = new ManualClock();
    later.advance(60_000);
    expect(await judge(options, token, later)).toBe('alice');
    later.advance(1_000);
    expect(await judge(options, token, later)).toBe('credential_expired');
    expect(await judge(options, await sign({ ...CLAIMS, iat: undefined }))).toBe('credential_invalid');
    expect(await judge(options, await sign({ ...CLAIMS, iat: NOW + 10 }))).toBe('credential_invalid');
  });
});

describe('options that are refused', () => {
  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      'an unknown option',
      { audiences: ['chat'] },
      /^jwt\(\{ audiences \}\): unknown option\. Did you mean 'audience'\?/,
    ],
    ['no place for the token', { from: [] }, /no place to look/],
    ['no issuer', { issuer: undefined }, /jwt\(\{ issuer \}\).*unsafeAnyIssuer/],
    ['an empty issuer', { issuer: '' }, /issuer/],
    ['no audience', { audience: undefined }, /jwt\(\{ audience \}\).*unsafeAnyAudience/],
    ['an empty list of audiences', { audience: [] }, /audience/],
    ['the unsafe switch of another option', { issuer: unsafeAnyAudience }, /issuer/],
    ['another symbol as audience', { audience: Symbol('any') }, /audience/],
    ['no algorithms', { algorithms: undefined }, /no algorithm is allowed/],
    ['an empty type, which would check nothing', { type: '' }, /names no type/],
    ['required claims that are no list', { requiredClaims: 'tenant' }, /not a list of names/],
    ['a tolerance without a unit', { clockTolerance: '30' }, /clockTolerance.*duration/],
    ['a maxAge of 0', { maxAge: 0 }, /maxAge.*above zero/],
    ['a maxBytes that is no size', { maxBytes: 'big' }, /maxBytes.*size/],
    ['the scheme of anonymous()', { scheme: 'anonymous' }, /belongs to anonymous/],
    ['an empty scheme', { scheme: '' }, /has no name/],
  ];
  test.each(refused)('jwt() with %s throws a PolicyError', (_, change, message) => {
    expect(() => jwt({ ...HMAC, ...change } as never)).toThrow(message);
  });
});
