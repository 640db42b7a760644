import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { bearer, jwt } from '@sallyport/core';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { VerifiedTokens } from '../../src/auth/verified-tokens.ts';
import { Denial } from '../../src/vocabulary/decision.ts';
import type { Identity } from '../../src/vocabulary/ports.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { present } from '../support/present.ts';

const identity = (subject = 'alice'): Identity => ({ scheme: 'jwt', subject, claims: {} });

describe('the table', () => {
  test('the cache returns the identity for the same token under the same keys only', () => {
    const tokens = new VerifiedTokens(1_000_000);
    const alice = identity();
    tokens.set('a.b.c', alice, 1);
    expect(tokens.get('a.b.c', 1)).toBe(alice);
    expect(tokens.get('a.b.d', 1)).toBeUndefined();
    expect(tokens.get('a.b.c', 2)).toBeUndefined();
    // The cache was emptied.
    expect(tokens.get('a.b.c', 1)).toBeUndefined();
    expect(tokens.bytes).toBe(0);
  });

  test('a generation that equals nothing caches nothing', () => {
    const tokens = new VerifiedTokens(1_000_000);
    tokens.set('a.b.c', identity(), {});
    expect(tokens.get('a.b.c', {})).toBeUndefined();
  });

  test('forget removes the tokens of revoked identities only', () => {
    const tokens = new VerifiedTokens(1_000_000);
    tokens.set('a', identity('alice'), 1);
    tokens.set('b', identity('bob'), 1);
    tokens.forget(({ subject }) => subject === 'alice');
    expect([tokens.get('a', 1), tokens.get('b', 1)?.subject]).toEqual([undefined, 'bob']);
  });

  test('the least recently used token is evicted at the bound', () => {
    const tokens = new VerifiedTokens(3 * 1_026);
    for (const token of ['a', 'b', 'c']) tokens.set(token, identity(token), 1);
    tokens.get('a', 1);
    tokens.set('d', identity('d'), 1);
    expect(['a', 'b', 'c', 'd'].filter((token) => tokens.get(token, 1) !== undefined)).toEqual([
      'a',
      'c',
      'd',
    ]);
  });

  test('property: the cache never exceeds its bound and counts its bytes correctly', () => {
    const step = fc.record({ length: fc.integer({ min: 1, max: 3_000 }), drop: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
        const tokens = new VerifiedTokens(max);
        const made: string[] = [];
        for (const { length, drop } of steps) {
          const token = `${made.length}`.padEnd(length, 'x');
          made.push(token);
          tokens.set(token, identity(), 1);
          if (drop) tokens.delete(token);
          expect(tokens.bytes).toBeLessThanOrEqual(max);
        }
        const held = made.filter((token) => tokens.get(token, 1) !== undefined);
        expect(tokens.bytes).toBe(held.reduce((sum, token) => sum + 2 * token.length + 1_024, 0));
        for (const token of held) tokens.delete(token);
        expect(tokens.bytes).toBe(0);
      }),
    );
  });
});

const secret = 'a secret of thirty-two bytes, yes';
const base = {
  from: [bearer()],
  secret,
  algorithms: ['HS256'],
  issuer: 'https://id.example.com',
  audience: 'chat',
};
const START = new ManualClock().now() / 1_000;

function sign(claims: object, key = secret): Promise<string> {
  return new SignJWT({ sub: 'alice', iss: base.issuer, aud: base.audience, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(key));
}

/** Everything that can be told of an answer, in words. */
const told = (answer: Identity | Denial | undefined): unknown =>
  answer instanceof Denial ? answer.reason : { ...answer };

describe('a jwt() that remembers', () => {
  const time = fc.option(fc.integer({ min: -16, max: 16 }), { nil: undefined });
  const claims = fc.record({
    exp: fc.integer({ min: -2, max: 30 }).map((offset) => START + offset),
    nbf: time.map((offset) => offset && START + offset / 2),
    iat: time.map((offset) => offset && START + offset),
    jti: fc.constantFrom(undefined, 'a', 'b'),
    sub: fc.constantFrom('alice', 'bob', 'carol', ''),
  });
  const options = fc.record({
    clockTolerance: fc.constantFrom(undefined, '2s', '500ms'),
    maxAge: fc.constantFrom(undefined, '3s', '8s'),
  });
  const TOLERANCE: Record<string, number> = { '2s': 2_000, '500ms': 500 };
  const AGE: Record<string, number> = { '3s': 3_000, '8s': 8_000 };
  // The clock is set to just before, at and just after a time in the token, and in between to a valid time.
  const step = fc.record({
    token: fc.nat({ max: 3 }),
    to: fc.constantFrom('start', 'start', 'exp', 'nbf', 'iat', 'age'),
    tolerance: fc.constantFrom(-1, 0, 1),
    delta: fc.constantFrom(-1_000, -999, -1, 0, 1, 500, 999, 1_000, 1_001),
    forget: fc.constantFrom(undefined, undefined, undefined, 'alice'),
  });

  test('property: a jwt() with and without the cache answer alike at all times', async () => {
    const seen = new Map<unknown, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(claims, { minLength: 1, maxLength: 4 }),
        options,
        fc.boolean(),
        fc.array(step, { minLength: 10, maxLength: 30 }),
        async (bodies, chosen, forged, steps) => {
          const given = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
          const cached = jwt({ ...base, ...given, verifiedTokens: '4KiB' });
          const plain = jwt({ ...base, ...given, verifiedTokens: false });
          const tokens = await Promise.all(bodies.map((body) => sign(JSON.parse(JSON.stringify(body)))));
          if (forged) tokens[0] = await sign({ exp: START + 60 }, 'another secret of thirty-two bytes');
          const clock = new ManualClock();
          for (const { token, to, tolerance, delta, forget } of steps) {
            const body = bodies[token % bodies.length] as {
              exp?: number;
              nbf?: number;
              iat?: number;
              start?: number;
            };
            const about = (to === 'age' ? body.iat : body[to]) ?? START;
            const age = to === 'age' ? (AGE[chosen.maxAge ?? ''] ?? 0) : 0;
            const slack = tolerance * (TOLERANCE[chosen.clockTolerance ?? ''] ?? 0);
            clock.jump(about * 1_000 + age + slack + delta - clock.now());
            if (forget !== undefined) cached.forget?.(({ subject }) => subject === forget);
            const text = tokens[token % tokens.length] as string;
            const expected = told(await present(plain, text, clock));
            expect(told(await present(cached, text, clock))).toEqual(expected);
            const word = typeof expected === 'string' ? expected : 'good';
            seen.set(word, (seen.get(word) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 150, seed: 20_300_101 },
    );
    // Every outcome was generated.
    expect([...seen.keys()].sort()).toEqual(['credential_expired', 'credential_invalid', 'good']);
  }, 60_000);

  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const published = {
    from: [bearer()],
    publicKey: pair.publicKey,
    algorithms: ['ES256'],
    issuer: base.issuer,
    audience: base.audience,
  };
  const signPublished = (key = pair.privateKey): Promise<string> =>
    new SignJWT({ sub: 'alice', iss: base.issuer, aud: base.audience, exp: START + 60 })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(key);

  test('the second answer for a token is synchronous, equal, and verifies no signature', async () => {
    const clock = new ManualClock();
    const cached = jwt(published);
    const text = await signPublished();
    const ask = () =>
      cached.authenticate({ credential: text, clock, signal: new AbortController().signal } as never);
    const first = ask();
    expect(first).toBeInstanceOf(Promise);
    const verified = await first;
    expect(ask()).toBe(verified);
    cached.forget?.(() => true);
    expect(ask()).toBeInstanceOf(Promise);
  });

  test('a token with a shared secret is verified synchronously and then cached', async () => {
    const clock = new ManualClock();
    const cached = jwt(base);
    const text = await sign({ exp: START + 60 });
    const ask = () => cached.authenticate({ credential: text, clock } as never);
    const first = ask();
    expect(first).toMatchObject({ subject: 'alice' });
    expect(ask()).toBe(first);
    cached.forget?.(() => true);
    expect(ask()).not.toBe(first);
  });

  test('a failure is not cached', async () => {
    const clock = new ManualClock();
    const cached = jwt(published);
    const text = await signPublished(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    for (let i = 0; i < 3; i++) {
      const answer = cached.authenticate({ credential: text, clock } as never);
      expect(answer).toBeInstanceOf(Promise);
      expect(await answer).toMatchObject({ reason: 'credential_invalid' });
    }
  });

  test('the identity from the cache is frozen', async () => {
    const clock = new ManualClock();
    const cached = jwt(base);
    const text = await sign({ exp: START + 60, roles: ['user'] });
    const { claims: given } = (await present(cached, text, clock)) as Identity;
    expect(() => (given as unknown as { roles: string[] }).roles.push('admin')).toThrow(TypeError);
    expect(() => Object.assign(given, { sub: 'root' })).toThrow(TypeError);
    expect(await present(cached, text, clock)).toMatchObject({ claims: { sub: 'alice', roles: ['user'] } });
  });

  test('two authenticators do not share their caches', async () => {
    const clock = new ManualClock();
    const text = await sign({ exp: START + 60 });
    expect(await present(jwt(base), text, clock)).toMatchObject({ subject: 'alice' });
    const other = jwt({ ...base, audience: 'billing' });
    expect(await present(other, text, clock)).toMatchObject({ reason: 'credential_invalid' });
  });

  test('the second valid form of an ECDSA signature is verified separately', async () => {
    const cached = jwt(published);
    const clock = new ManualClock();
    const text = await signPublished();
    expect(await present(cached, text, clock)).toMatchObject({ subject: 'alice' });
    const twin = otherForm(text);
    expect(twin).not.toBe(text);
    const answer = cached.authenticate({ credential: twin, clock } as never);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toMatchObject({ subject: 'alice' });
  });
});

/** (r, n − s) is as valid as (r, s). */
function otherForm(token: string): string {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [header, body, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = Buffer.from((n - s).toString(16).padStart(64, '0'), 'hex');
  return `${header}.${body}.${Buffer.concat([bytes.subarray(0, 32), twin]).toString('base64url')}`;
}
