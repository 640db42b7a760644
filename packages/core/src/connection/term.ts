import { recheckOf, stillValid } from '../auth/recheck.ts';
import type { Writer } from '../outbound/writer.ts';
import type { Clock, Identity } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Payload } from '../wire/codec.ts';

/** What bounds the terms of a route's connections. */
export interface TermContext {
  readonly clock: Clock;
  /** Milliseconds that the connection may outlive the identity's `expiresAt`. */
  toleranceOf(identity: Identity): number;
  /** Milliseconds after which a connection ends, whatever renews it. */
  readonly lifetime: number;
  /** Milliseconds before the credential's end at which the client is told; 0 for never. */
  readonly expiryNotice: number;
}

/** Whose term it is. */
export interface TermOwner {
  readonly context: TermContext;
  readonly identity: Identity;
  /** The term is over. */
  end(reason: Reason): void;
  /** Sends a message of the guard's own. */
  notify(write: (writer: Writer) => Payload | undefined): void;
}

/**
 * How long a connection may live: as its credential says, as its session answers, and never past the lifetime. Plain
 * numbers that are looked at once a second, and no timer of its own.
 */
export class Term {
  // What never comes due takes no memory: an infinite number would.
  /** Wall-clock milliseconds at which the credential is no longer good. */
  #expiresAt: number | undefined;
  #noticeAt: number | undefined;
  /** Monotonic milliseconds of the next question whether the session is still there. */
  #recheckAt: number | undefined;
  /** Whose session was asked for and has not answered. */
  #asked: Identity | undefined;
  /** Monotonic milliseconds. */
  readonly openedAt: number;

  constructor(readonly owner: TermOwner) {
    this.openedAt = owner.context.clock.monotonic();
    this.renew();
  }

  /** Takes the times of the owner's identity, the first one or a new one. */
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

  /** Does what has come due. */
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

  /** Ends the connection unless its session answers, before the next question is due, that it is still there. */
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
