import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Session } from './sessions.ts';

export const ISSUER = 'sallyport-chat';
export const AUDIENCE = 'chat';

const SECONDS = 5 * 60;

/** Issues JWTs of five minutes. */
export class Tokens {
  constructor(
    readonly key: Uint8Array,
    readonly now: () => number = Date.now,
  ) {}

  issue(session: Session): Promise<string> {
    return new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(session.user)
      .setJti(randomUUID())
      .setIssuedAt(Math.floor(this.now() / 1_000))
      .setExpirationTime(this.endOf(session))
      .sign(this.key);
  }

  /** When a token or ticket issued now expires, in seconds since the epoch: never after its session. */
  endOf(session: Session): number {
    return Math.min(Math.floor(this.now() / 1_000) + SECONDS, session.expiresAt);
  }
}
