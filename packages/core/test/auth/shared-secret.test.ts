import { createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { SharedSecret } from '../../src/auth/shared-secret.ts';

const SECRET = 'a secret of sixty-four bytes, so that it is enough for any hash!';
const key = createSecretKey(Buffer.from(SECRET));
const NOW = 1_900_000_000;
const at = new Date(NOW * 1_000);

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

function sign(header: unknown, claims: unknown, hash = 'sha256', secret = SECRET): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

/** What somebody says of a token, in words that can be compared. */
async function told(verify: () => JWTPayload | undefined | Promise<JWTPayload>): Promise<unknown> {
  try {
    return await verify();
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    const { claim, reason } = error as { claim?: string; reason?: string };
    return [error.code, claim, reason];
  }
}

describe('says of every token what jwtVerify says', () => {
  const near = fc.integer({ min: -3, max: 3 }).map((offset) => NOW + offset);
  const odd = fc.constantFrom(undefined, null, 'x', 1.5, true, [], {}, [NOW], '1900000000');
  const time = fc.oneof({ weight: 6, arbitrary: near }, odd);
  const right = fc.record({
    sub: fc.constant('alice'),
    iss: fc.constant('https://id.example.com'),
    aud: fc.constantFrom<unknown>('chat', ['mail', 'chat']),
    exp: near.map((end) => end + 3),
    nbf: near.map((start) => start - 3),
    iat: near,
    tenant: fc.constant('a'),
  });
  const claims = fc.oneof(
    { weight: 20, arbitrary: right },
    {
      weight: 20,
      arbitrary: fc.record(
        {
          sub: fc.constantFrom('alice', '', 7, null),
          iss: fc.constantFrom('https://id.example.com', 'https://evil.example', ['https://id.example.com']),
          aud: fc.constantFrom('chat', 'mail', ['mail', 'chat'], [], [['chat']], { chat: 1 }),
          exp: time,
          nbf: time,
          iat: time,
          tenant: fc.constantFrom('a', undefined),
        },
        { requiredKeys: [] },
      ),
    },
    fc.constantFrom<unknown>(null, [], 'text', 1, '{', '{"sub":"a"', '{"sub":"a","sub":"b"}', '\u{feff}{}'),
  );
  const alg = fc.constantFrom<unknown>(
    'HS256',
    'HS256',
    'HS256',
    'HS384',
    'HS512',
    'none',
    'hs256',
    'ES256',
    1,
    undefined,
  );
  const header = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record(
        {
          alg,
          typ: fc.constantFrom<unknown>('JWT', 'at+jwt', 'application/at+jwt', 'AT+JWT', '', null, 7, {}),
          kid: fc.constantFrom('1', '2'),
          crit: fc.constantFrom<unknown>(['b64'], ['x'], [], 'b64', null),
          b64: fc.constantFrom<unknown>(true, false, 'no'),
        },
        { requiredKeys: ['alg'] },
      ),
    },
    fc.constantFrom<unknown>(null, [], 'text', '{"alg":"HS256"', '{"alg":"none","alg":"HS256"}'),
  );
  const plain = fc.constantFrom<unknown>(
    { alg: 'HS256' },
    { alg: 'HS256', typ: 'JWT' },
    { alg: 'HS384', typ: 'at+jwt' },
  );
  const checks = fc.record<JWTVerifyOptions>(
    {
      algorithms: fc.constantFrom(['HS256'], ['HS256', 'HS384'], ['HS512']),
      issuer: fc.constantFrom(['https://id.example.com'], 'https://id.example.com'),
      audience: fc.constantFrom(['chat'], ['chat', 'talk']),
      typ: fc.constantFrom('JWT', 'at+jwt'),
      clockTolerance: fc.constantFrom(0, 2),
      maxTokenAge: fc.constantFrom(1, 100),
      requiredClaims: fc.constantFrom(['sub', 'exp'], ['sub', 'exp', 'tenant']),
    },
    { requiredKeys: ['algorithms', 'requiredClaims'] },
  );
  const change = fc.constantFrom('none', 'none', 'none', 'hash', 'secret', 'signature', 'claims', 'short');

  test('property: verify and jwtVerify decide alike about every header, claim and signature', async () => {
    const reached = new Map<string, number>();
    const step = fc.record({ header: fc.oneof(header, { weight: 2, arbitrary: plain }), claims, change });
    await fc.assert(
      fc.asyncProperty(checks, fc.array(step, { minLength: 1, maxLength: 6 }), async (options, steps) => {
        // One object for all steps, because it remembers the last header.
        const secret = new SharedSecret(key, options);
        for (const { header: said, claims: body, change: how } of steps) {
          const { alg: named } = Object(said) as { alg?: unknown };
          const hash = named === 'HS384' ? 'sha384' : named === 'HS512' ? 'sha512' : 'sha256';
          const signed = sign(
            said,
            body,
            how === 'hash' ? 'sha512' : hash,
            how === 'secret' ? 'guessed' : SECRET,
          );
          const [first, , last = ''] = signed.split('.');
          const text =
            how === 'signature'
              ? signed.replace(/.(.)$/, (end, kept) => `${end[0] === 'A' ? 'B' : 'A'}${kept}`)
              : how === 'claims'
                ? `${first}.${encode({ ...Object(body), sub: 'root' })}.${last}`
                : how === 'short'
                  ? signed.slice(0, -4)
                  : signed;
          const expected = await told(async () => {
            return (await jwtVerify(text, key, { ...options, currentDate: at })).payload;
          });
          const answer = await told(() => secret.verify(text, at));
          const word =
            answer === undefined ? 'left to jwtVerify' : Array.isArray(answer) ? String(answer[0]) : 'good';
          reached.set(word, (reached.get(word) ?? 0) + 1);
          if (answer !== undefined) expect(answer).toEqual(expected);
          // Only unusual headers and other algorithms are left to jwtVerify.
          else if (options.algorithms?.includes('HS256') === true)
            expect(JSON.stringify(said)).not.toMatch(/^\{"alg":"HS256"(,"typ":"JWT")?\}$/);
        }
      }),
      { numRuns: 2_000, seed: 20_300_102 },
    );
    expect([...reached.keys()].sort()).toEqual([
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      'ERR_JWT_CLAIM_VALIDATION_FAILED',
      'ERR_JWT_EXPIRED',
      'ERR_JWT_INVALID',
      'good',
      'left to jwtVerify',
    ]);
    expect(reached.get('good')).toBeGreaterThan(100);
  }, 60_000);
});

test('bytes that are not UTF-8 are read as jwtVerify reads them', async () => {
  const bytes = Buffer.concat([
    Buffer.from('{"exp":2000000000,"sub":"'),
    Buffer.from([0xff]),
    Buffer.from('"}'),
  ]);
  const input = `${encode({ alg: 'HS256' })}.${bytes.toString('base64url')}`;
  const text = `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
  const secret = new SharedSecret(key, { algorithms: ['HS256'] });
  expect(await told(() => secret.verify(text, at))).toEqual(['ERR_JWT_INVALID', undefined, undefined]);
});
