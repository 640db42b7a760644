import type { UNAVAILABLE } from '../limits/precheck.ts';
import type { Timers } from '../vocabulary/clock.ts';
import { Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import type { Hit } from '../vocabulary/store.ts';
import type { AttemptSource, Attempts, Turn } from './attempts.ts';
import type { Authenticator, Presented, TicketStore } from './authenticator.ts';
import type { RevocationList } from './revocations.ts';

/** A credential to be judged, wherever it was presented: in the handshake, in a first message, or to renew. */
export interface VerificationRequest {
  readonly credential: string | undefined;
  readonly request: RequestView;
  readonly source: AttemptSource;
  readonly signal: AbortSignal;
  /** What the store has just said of the address's failures. */
  readonly failures?: Hit | typeof UNAVAILABLE | undefined;
  /** Whether somebody who is known presents it, to renew: a failure is then that identity's, which its connection counts. */
  readonly renews?: boolean;
}

/** What the verifier asks the store. */
export interface VerifierStore extends TicketStore {
  bannedFor(key: string): number;
  staleness(): number;
}

/** What a ban of an identity goes by. */
export function identityKey(subject: string): string {
  return `identity ${subject}`;
}

/** An authenticator that never answers must not keep its address from authenticating for good. */
const LONGEST_TURN = 10_000;

export type Verification = Identity | Denial | undefined;

/**
 * The one way from a credential to an identity: the budget for failed attempts before any cryptography, the
 * authenticator, then what is revoked.
 */
export class CredentialVerifier {
  constructor(
    readonly clock: Clock,
    readonly store: VerifierStore,
    readonly attempts: Attempts,
    readonly revocations: RevocationList,
    /** Milliseconds for which this process may not have heard of a revocation. */
    readonly staleness: number,
    /** Told of a failed authentication of nobody in particular, for bans. */
    readonly onFailure: (source: AttemptSource) => void,
    readonly timers: Timers,
  ) {}

  /**
   * Whether an identity is refused although its credential is right: revoked, banned, or of unknown standing, because
   * nobody could tell of a revocation for too long.
   */
  refuses(identity: Identity): Denial | undefined {
    const { store, revocations, staleness } = this;
    if (revocations.covers(identity)) return deny('revoked', 'this identity was revoked');
    const bannedFor = identity.scheme === 'anonymous' ? 0 : store.bannedFor(identityKey(identity.subject));
    if (bannedFor > 0) return deny('banned', 'this identity is banned', bannedFor);
    if (store.staleness() <= staleness) return undefined;
    return deny('store_unavailable', 'revocations have not been heard of for too long');
  }

  /** Counts a failure against its address. */
  verify(authenticator: Authenticator, presented: VerificationRequest): MaybePromise<Verification> {
    if (presented.credential === undefined) return this.#ask(authenticator, presented);
    const turn = this.attempts.begin(presented.source, presented.failures);
    return isPromise(turn)
      ? settled(turn).then((late) => this.#askInTurn(late, authenticator, presented))
      : this.#askInTurn(turn, authenticator, presented);
  }

  /** The same without counting, for `explain()`; authenticators that ask outside are not for it. */
  preview(authenticator: Authenticator, presented: VerificationRequest): MaybePromise<Verification> {
    return this.#ask(authenticator, presented);
  }

  #askInTurn(
    turn: Turn | Denial,
    authenticator: Authenticator,
    presented: VerificationRequest,
  ): MaybePromise<Verification> {
    if (turn instanceof Denial) return turn;
    let verdict: MaybePromise<Verification>;
    try {
      verdict = this.#ask(authenticator, presented);
      if (!isPromise(verdict)) verdict = this.#count(verdict, presented);
      else verdict = settled(verdict).then((late) => this.#count(late, presented));
    } catch (error) {
      turn.end();
      throw error;
    }
    if (!isPromise(verdict)) {
      turn.end();
      return verdict;
    }
    const cancel = this.timers.schedule(LONGEST_TURN, () => turn.end());
    return verdict.finally(() => {
      cancel();
      turn.end();
    });
  }

  #count(verdict: Verification, { source, renews = false }: VerificationRequest): Verification {
    const failed =
      verdict === undefined || (verdict instanceof Denial && verdict.reason === 'credential_invalid');
    if (!failed) return verdict;
    this.attempts.failed(source);
    if (!renews) this.onFailure(source);
    return verdict;
  }

  #ask(authenticator: Authenticator, presented: VerificationRequest): MaybePromise<Verification> {
    const verdict = authenticator.authenticate(new PresentedCredential(presented, this.clock, this.store));
    return isPromise(verdict) ? settled(verdict).then((late) => this.#check(late)) : this.#check(verdict);
  }

  #check(verdict: Verification): Verification {
    if (verdict === undefined || verdict instanceof Denial) return verdict;
    const held = this.refuses(verdict);
    if (held !== undefined) return held;
    const { expiresAt, issuedAt = Number.POSITIVE_INFINITY } = verdict;
    // From its issue, where that is known: a revocation must not be forgotten in the credential's last days.
    const born = Math.min(issuedAt * 1_000, this.clock.now());
    if (expiresAt !== undefined && expiresAt * 1_000 > born + this.revocations.retention) {
      return deny('credential_invalid', 'it outlives limits.revocationRetention, so it could not be revoked');
    }
    return verdict;
  }
}

/** A class, since each object literal with a getter is of a shape of its own. */
class PresentedCredential implements Presented {
  readonly credential: string | undefined;
  readonly request: RequestView;
  readonly #request: VerificationRequest;

  constructor(
    presented: VerificationRequest,
    readonly clock: Clock,
    readonly store: TicketStore,
  ) {
    this.credential = presented.credential;
    this.request = presented.request;
    this.#request = presented;
  }

  /** Made when somebody asks for it: most do not, and it is dear. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
