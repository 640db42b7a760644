import { SignJWT } from 'jose';

export const SECRET = 'the secret of a benchmark, 32 bytes or more';
export const ISSUER = 'bench';
export const AUDIENCE = 'bench';

export function signToken() {
  return new SignJWT({ sub: 'load' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
}
