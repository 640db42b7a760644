import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';

const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 });

export const ISSUER = 'https://id.example.com';
export const AUDIENCE = 'chat';
export const publicKey = pair.publicKey;

/** A token, and whether the guard must accept it. */
export interface PooledToken {
  readonly text: string;
  readonly right: boolean;
}

function otherSpelling(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(token.slice(-1)) + 1] as string;
}

/**
 * Tokens signed once for the whole run, since signing takes long. `now` is in seconds. Right tokens stay valid for the whole run.
 */
export async function tokenPool(now: number): Promise<{ right: PooledToken[]; wrong: PooledToken[] }> {
  const claims = { sub: 'alice', iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 1_000_000 };
  const sign = (change: object = {}, header: object = {}, key = pair.privateKey) =>
    new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'RS256', ...header }).sign(key);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const unsigned = (header: object) => `${encode(header)}.${encode(claims)}.`;
  const right = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      sign({ sub: `user ${i}` }, i % 2 === 0 ? { kid: `k${i}` } : { typ: 'JWT' }),
    ),
  );
  const good = right[0] as string;
  const confusing = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const wrong = [
    ...(await Promise.all([
      sign({ exp: now - 1 }),
      sign({ exp: undefined }),
      sign({ nbf: now + 100_000_000 }),
      sign({ iss: 'https://evil.example' }),
      sign({ iss: undefined }),
      sign({ aud: 'mail' }),
      sign({ sub: undefined }),
      sign({ sub: '' }),
      sign({}, {}, stranger.privateKey),
      sign({}, { jwk: stranger.publicKey.export({ format: 'jwk' }) }, stranger.privateKey),
      sign({}, { jku: 'https://evil.example/jwks.json' }, stranger.privateKey),
    ])),
    unsigned({ alg: 'none' }),
    unsigned({ alg: 'NONE', typ: 'JWT' }),
    `${unsigned({ alg: 'none' })}AAAA`,
    `${confusing}.${createHmac('sha256', pem).update(confusing).digest('base64url')}`,
    `${good}=`,
    // 256 bytes leave four bits of the last letter unused: this one decodes to the same signature.
    good.slice(0, -1) + otherSpelling(good),
    good.slice(0, -1),
    good.replace('.', '..'),
    good.split('.').slice(0, 2).join('.'),
    `${good}.AAAA`,
    good.toUpperCase(),
    'x'.repeat(9_000),
    'garbage',
    'null',
  ];
  const pooled = (texts: string[], isRight: boolean) => texts.map((text) => ({ text, right: isRight }));
  return { right: pooled(right, true), wrong: pooled(wrong, false) };
}
