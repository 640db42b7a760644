import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Session } from './sessions.ts';

export const ISSUER = 'sallyport-chat';
export const AUDIENCE = 'chat';

/** Issues JWTs of five minutes, signed with a secret that this process makes up as it starts. */
export class Tokens {
  readonly secret: Uint8Array = randomBytes(32);

  issue({ user, id }: Session): Promise<string> {
    return new SignJWT({ sid: id })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(user)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(this.secret);
  }
}
