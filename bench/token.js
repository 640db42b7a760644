import { SignJWT } from 'jose';

export const SECRET = 'the secret of a benchmark, 32 bytes or more';
export const ISSUER = 'bench';
export const AUDIENCE = 'bench';

/** A token that every server accepts for an hour. Another `jti` makes it one that none has seen, another secret a forgery. */
export function signToken(claims = {}, secret = SECRET) {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  return new SignJWT({ sub: 'load', iss: ISSUER, aud: AUDIENCE, exp, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
}
