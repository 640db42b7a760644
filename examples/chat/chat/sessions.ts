import { randomBytes, randomUUID } from 'node:crypto';
import type { Claims, CustomIdentity } from '@sallyport/core';

export interface Session {
  /** Names the session where its secret must not be: in tokens and in the guard's identities. */
  readonly id: string;
  /** The cookie's value: who knows it is the user. */
  readonly secret: string;
  readonly user: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export const SESSION_SECONDS = 12 * 60 * 60;

/** The sessions of this process; at most `capacity`, beyond which the oldest one ends. */
export class Sessions {
  readonly #bySecret = new Map<string, Session>();
  readonly #byId = new Map<string, Session>();

  constructor(
    readonly capacity = 10_000,
    readonly now: () => number = Date.now,
  ) {}

  start(user: string): Session {
    const oldest = this.#bySecret.size >= this.capacity ? this.#bySecret.values().next().value : undefined;
    if (oldest !== undefined) this.end(oldest);
    const startedAt = this.now();
    const session = {
      id: randomUUID(),
      secret: randomBytes(32).toString('base64url'),
      user,
      startedAt,
      expiresAt: startedAt + SESSION_SECONDS * 1_000,
    };
    this.#bySecret.set(session.secret, session);
    this.#byId.set(session.id, session);
    return session;
  }

  find(secret: string | undefined): Session | undefined {
    return secret === undefined ? undefined : this.#unlessExpired(this.#bySecret.get(secret));
  }

  isOpen(id: string | undefined): boolean {
    return id !== undefined && this.#unlessExpired(this.#byId.get(id)) !== undefined;
  }

  end(session: Session): void {
    this.#bySecret.delete(session.secret);
    this.#byId.delete(session.id);
  }

  /** What the guard's `custom()` authenticator asks: whose cookie is this? */
  identify(secret: string | undefined): CustomIdentity<Claims> | undefined {
    const session = this.find(secret);
    return (
      session && {
        subject: session.user,
        session: session.id,
        issuedAt: Math.floor(session.startedAt / 1_000),
        expiresAt: Math.floor(session.expiresAt / 1_000),
        stillValid: () => this.isOpen(session.id),
      }
    );
  }

  #unlessExpired(session: Session | undefined): Session | undefined {
    if (session === undefined || session.expiresAt > this.now()) return session;
    this.end(session);
    return undefined;
  }
}
