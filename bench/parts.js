// What the alternatives are assembled from, as the documentation of each part advises.
import { createSecretKey } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { z } from 'zod';
import { AUDIENCE, ISSUER, SECRET } from './token.js';

/** What a message holds beside its type. Closed: `__proto__` is an unknown property as well. */
export const body = { room: z.string().max(64), text: z.string().max(500) };

/** Made once: zod compiles a schema at its first use. */
export const Say = z.strictObject({ type: z.literal('say'), ...body });

// A key object spares jsonwebtoken making one of the text for every token.
const key = createSecretKey(Buffer.from(SECRET));
const rules = { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE };

/** The claims of a token. Throws for one that is forged, expired, for somebody else, or says not who or how long. */
export function claimsOf(token) {
  const claims = jsonwebtoken.verify(token, key, rules);
  if (typeof claims.sub !== 'string' || claims.exp === undefined) throw new Error('not a complete token');
  return claims;
}

/** The claims in `Authorization: Bearer …`. Throws as `claimsOf` does, and without a token. */
export function claimsOfHeader(authorization = '') {
  const [scheme, token] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'bearer') throw new Error('no bearer token');
  return claimsOf(token);
}

/** So many in a second for each key; `consume` rejects what is beyond. */
export function limiter(points) {
  return new RateLimiterMemory({ points, duration: 1 });
}
