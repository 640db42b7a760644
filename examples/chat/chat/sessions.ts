import { randomUUID } from 'node:crypto';
import type { Claims, CustomIdentity } from '@sallyport/core';
import { jwtVerify, SignJWT } from 'jose';
import { ISSUER } from './tokens.ts';

export interface Session {
  /** Names the session in tokens and in the guard's identities, where the cookie must not appear. */
  readonly id: string;
  readonly user: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export const SESSION_SECONDS = 12 * 60 * 60;
/** The `typ` of session cookies. It tells them from tokens, which the same key signs. */
const TYPE = 'session+jwt';
const AUDIENCE = 'chat-session';

/**
 * Sessions in signed cookies. The key is the same on all nodes, so no node has to keep sessions. A node keeps only the
 * sessions that were ended before they expired, at most `capacity`. Of more, it forgets the oldest, which the guard still
 * refuses because it keeps revocations itself.
 */
export class Sessions {
  /** When each ended session would have expired, in milliseconds since the epoch, by id. */
  readonly #ended = new Map<string, number>();

  constructor(
    readonly key: Uint8Array,
    readonly now: () => number = Date.now,
    readonly capacity = 10_000,
  ) {}

  /** Resolves with a new session and the value of its cookie. The cookie alone identifies the user. */
  async start(user: string): Promise<{ readonly session: Session; readonly cookie: string }> {
    const startedAt = Math.floor(this.now() / 1_000);
    const session = { id: randomUUID(), user, startedAt, expiresAt: startedAt + SESSION_SECONDS };
    const cookie = await new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: 'HS256', typ: TYPE })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(user)
      .setIssuedAt(startedAt)
      .setExpirationTime(session.expiresAt)
      .sign(this.key);
    return { session, cookie };
  }

  /** Resolves with the session of a cookie; `undefined` if the cookie is not valid or the session has ended. */
  async find(cookie: string | undefined): Promise<Session | undefined> {
    if (cookie === undefined) return undefined;
    try {
      const { payload } = await jwtVerify(cookie, this.key, {
        algorithms: ['HS256'],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
        currentDate: new Date(this.now()),
      });
      const { sub: user = '', sid, iat: startedAt = 0, exp: expiresAt = 0 } = payload;
      const session = { id: String(sid), user, startedAt, expiresAt };
      return this.hasEnded(session.id) ? undefined : session;
    } catch {
      return undefined;
    }
  }

  /** Authenticates a cookie for the guard's `custom()` authenticator. */
  async identify(cookie: string | undefined): Promise<CustomIdentity<Claims> | undefined> {
    const session = await this.find(cookie);
    if (session === undefined) return undefined;
    const { id, user, startedAt, expiresAt } = session;
    const stillValid = (): boolean => !this.hasEnded(id);
    return { subject: user, session: id, issuedAt: startedAt, expiresAt, stillValid };
  }

  /** Whether a session was ended before it expired, on this node or another. */
  hasEnded(id: string | undefined): boolean {
    return id !== undefined && this.#ended.has(id);
  }

  end(id: string): void {
    const now = this.now();
    for (const [oldest, until] of this.#ended) {
      if (until > now && this.#ended.size < this.capacity) break;
      this.#ended.delete(oldest);
    }
    // The session expires no later than this. When exactly is not known here for a session of another node.
    this.#ended.set(id, now + SESSION_SECONDS * 1_000);
  }
}
