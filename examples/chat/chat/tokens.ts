import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Session } from './sessions.ts';

export const ISSUER = 'sallyport-chat';
export const AUDIENCE = 'chat';

const SECONDS = 5 * 60;

/** When a token or a ticket that is issued now ends, and with it what it opened: after five minutes, and with its session. */
export function endOf(session: Session): number {
  return Math.min(now() + SECONDS, Math.floor(session.expiresAt / 1_000));
}

/** Issues JWTs of five minutes, signed with a secret that this process makes up as it starts. */
export class Tokens {
  readonly secret: Uint8Array = randomBytes(32);

  issue(session: Session): Promise<string> {
    return new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(session.user)
      .setJti(randomUUID())
      .setIssuedAt(now())
      .setExpirationTime(endOf(session))
      .sign(this.secret);
  }
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
}
