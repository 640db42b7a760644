import { randomUUID } from 'node:crypto';
import type { Claims, CustomIdentity } from '@sallyport/core';
import { jwtVerify, SignJWT } from 'jose';
import { ISSUER } from './tokens.ts';

export interface Session {
  /** Names the session where its cookie must not be: in tokens and in the guard's identities. */
  readonly id: string;
  readonly user: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export const SESSION_SECONDS = 12 * 60 * 60;
/** What tells a session's cookie from a token, which the same key signs. */
const TYPE = 'session+jwt';
const AUDIENCE = 'chat-session';

/**
 * Sessions that no process has to keep: the cookie says whose it is, signed with a key that all nodes have. What is kept is
 * which of them have ended before their time; at most `capacity`, beyond which the oldest is forgotten here. The guard, which
 * remembers revocations by itself, still refuses it.
 */
export class Sessions {
  /** Until when each of them would have lasted. */
  readonly #ended = new Map<string, number>();

  constructor(
    readonly key: Uint8Array,
    readonly now: () => number = Date.now,
    readonly capacity = 10_000,
  ) {}

  /** Resolves with a new session and the value of its cookie: who has that is the user. */
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

  /** The open session of a cookie. */
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

  /** What the guard's `custom()` authenticator asks: whose cookie is this? */
  async identify(cookie: string | undefined): Promise<CustomIdentity<Claims> | undefined> {
    const session = await this.find(cookie);
    if (session === undefined) return undefined;
    const { id, user, startedAt, expiresAt } = session;
    const stillValid = (): boolean => !this.hasEnded(id);
    return { subject: user, session: id, issuedAt: startedAt, expiresAt, stillValid };
  }

  /** Whether it was ended, here or on another node. */
  hasEnded(id: string | undefined): boolean {
    return id !== undefined && this.#ended.has(id);
  }

  end(id: string): void {
    const now = this.now();
    for (const [oldest, until] of this.#ended) {
      if (until > now && this.#ended.size < this.capacity) break;
      this.#ended.delete(oldest);
    }
    // A session that another node has ended may be older, and is remembered for longer than it matters.
    this.#ended.set(id, now + SESSION_SECONDS * 1_000);
  }
}
