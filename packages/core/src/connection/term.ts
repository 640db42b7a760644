import { recheckOf, stillValid } from '../auth/recheck.ts';
import type { Writer } from '../outbound/writer.ts';
import type { Clock, Identity } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Payload } from '../wire/codec.ts';

/** The settings that bound how long a route's connections may live. */
export interface TermContext {
  readonly clock: Clock;
  /** Milliseconds that the connection may outlive the identity's `expiresAt`. */
  toleranceOf(identity: Identity): number;
  /** Milliseconds after which a connection ends, however often its credential is renewed. */
  readonly lifetime: number;
  /** How many milliseconds before the credential's end the client is told. 0 for never. */
  readonly expiryNotice: number;
}

/** The connection that the term belongs to. */
export interface TermOwner {
  readonly context: TermContext;
  readonly identity: Identity;
  /** Called when the term is over. */
  end(reason: Reason): void;
  /** Sends a message that the guard itself writes. */
  notify(write: (writer: Writer) => Payload | undefined): void;
}

/**
 * How long a connection may live: until its credential expires or its session ends, and never past `limits.lifetime`. It
 * holds plain numbers that are compared once a second, and no timer.
 */
export class Term {
  // `undefined` for never, because V8 would allocate memory for an infinite number.
  /** When the credential expires, in milliseconds since the epoch. */
  #expiresAt: number | undefined;
  #noticeAt: number | undefined;
  /** When the session is checked next, in monotonic milliseconds. */
  #recheckAt: number | undefined;
  /** The identity whose session check has not answered yet. */
  #asked: Identity | undefined;
  /** Monotonic milliseconds. */
  readonly openedAt: number;

  constructor(readonly owner: TermOwner) {
    this.openedAt = owner.context.clock.monotonic();
    this.renew();
  }

  /** Reads the times of the owner's current identity. */
  renew(): void {
    const { owner } = this;
    const { context } = owner;
    const { expiresAt } = owner.identity;
    const recheck = recheckOf(owner.identity);
    this.#recheckAt = recheck === undefined ? undefined : context.clock.monotonic() + recheck.every;
    this.#expiresAt =
      expiresAt === undefined ? undefined : expiresAt * 1_000 + context.toleranceOf(owner.identity);
    this.#noticeAt =
      expiresAt === undefined || context.expiryNotice === 0
        ? undefined
        : expiresAt * 1_000 - context.expiryNotice;
  }

  /** Ends the connection, tells the client or checks the session, whatever is due. */
  tick(now: number, monotonic: number): void {
    if (isDue(this.#expiresAt, now)) this.owner.end('credential_expired');
    else if (monotonic - this.openedAt >= this.owner.context.lifetime) this.owner.end('lifetime');
    else {
      if (isDue(this.#noticeAt, now)) this.#notify();
      if (isDue(this.#recheckAt, monotonic)) this.#recheck(monotonic);
    }
  }

  #notify(): void {
    this.#noticeAt = undefined;
    const { expiresAt } = this.owner.identity;
    this.owner.notify((writer) => writer.notice('auth_expiring', { expiresAt }));
  }

  /** Checks the session. The connection ends if the session has ended, or does not answer before the next check. */
  #recheck(monotonic: number): void {
    const { identity } = this.owner;
    if (this.#asked === identity) {
      this.owner.end('auth_unavailable');
      return;
    }
    this.#asked = identity;
    const recheck = recheckOf(identity);
    this.#recheckAt = recheck === undefined ? undefined : monotonic + recheck.every;
    stillValid(identity).then((reason) => {
      if (this.#asked === identity) this.#asked = undefined;
      if (reason !== undefined) this.owner.end(reason);
    });
  }
}

function isDue(time: number | undefined, now: number): boolean {
  return time !== undefined && now >= time;
}
