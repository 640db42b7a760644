import type { UNAVAILABLE } from '../limits/precheck.ts';
import type { Timers } from '../vocabulary/clock.ts';
import { Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import type { Hit } from '../vocabulary/store-contract.ts';
import type { AttemptSource, Attempts, Turn } from './attempts.ts';
import type { Authenticator, Presented, TicketStore } from './authenticator.ts';
import type { RevocationList } from './revocations.ts';

/** A credential to verify: of a handshake, of a first message, or of a renewal. */
export interface VerificationRequest {
  readonly credential: string | undefined;
  readonly request: RequestView;
  readonly source: AttemptSource;
  readonly signal: AbortSignal;
  /** The store's answer about failed authentications of this address, if it was asked already. */
  readonly failures?: Hit | typeof UNAVAILABLE | undefined;
  /** A renewal: a failure does not count towards a ban, because the connection counts it. */
  readonly renews?: boolean;
}

export interface VerifierStore extends TicketStore {
  bannedFor(key: string): number;
  staleness(): number;
}

export function identityKey(subject: string): string {
  return `identity ${subject}`;
}

/** Milliseconds. Without it, an authenticator that never answers would block its address for good. */
const LONGEST_TURN = 10_000;

export type Verification = Identity | Denial | undefined;

/**
 * The only way from a credential to an identity: checks the budget for failed attempts, asks the authenticator, then
 * looks for bans and revocations.
 */
export class CredentialVerifier {
  constructor(
    readonly clock: Clock,
    readonly store: VerifierStore,
    readonly attempts: Attempts,
    readonly revocations: RevocationList,
    /** Milliseconds for which the node may be without news of revocations. */
    readonly staleness: number,
    /** Called for each failed authentication but renewals, for bans. */
    readonly onFailure: (source: AttemptSource) => void,
    readonly timers: Timers,
  ) {}

  /** Denies an identity that is revoked or banned, or whose revocation this node could have missed. */
  refuses(identity: Identity, tolerance = 0): Denial | undefined {
    const { store, revocations, staleness } = this;
    if (revocations.covers(identity, tolerance)) return deny('revoked', 'this identity was revoked');
    const bannedFor = identity.scheme === 'anonymous' ? 0 : store.bannedFor(identityKey(identity.subject));
    if (bannedFor > 0) return deny('banned', 'this identity is banned', bannedFor);
    if (store.staleness() <= staleness) return undefined;
    return deny('store_unavailable', 'this node has had no news of revocations for too long');
  }

  /** Counts a failure against the address. */
  verify(authenticator: Authenticator, presented: VerificationRequest): MaybePromise<Verification> {
    if (presented.credential === undefined) return this.#ask(authenticator, presented);
    const turn = this.attempts.begin(presented.source, presented.failures);
    return isPromise(turn)
      ? settled(turn).then((late) => this.#askInTurn(late, authenticator, presented))
      : this.#askInTurn(turn, authenticator, presented);
  }

  /** For `explain()`: counts nothing. Never called for authenticators that ask outside. */
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
    const { tolerance } = authenticator;
    return isPromise(verdict)
      ? settled(verdict).then((late) => this.#check(late, tolerance))
      : this.#check(verdict, tolerance);
  }

  #check(verdict: Verification, tolerance = 0): Verification {
    if (verdict === undefined || verdict instanceof Denial) return verdict;
    const held = this.refuses(verdict, tolerance);
    if (held !== undefined) return held;
    const { expiresAt, issuedAt = Number.POSITIVE_INFINITY } = verdict;
    // A revocation must outlive the credential, so the lifetime counts from the credential's issue.
    const born = Math.min(issuedAt * 1_000, this.clock.now());
    const { retention } = this.revocations;
    const life = expiresAt === undefined ? 0 : expiresAt * 1_000 + tolerance - born;
    return life > retention ? deny('credential_invalid', outlives(life, retention)) : verdict;
  }
}

function outlives(life: number, retention: number): string {
  return `it is valid for ${days(life)}, and limits.revocationRetention is ${days(retention)}, so that a revocation would be forgotten before it ends: raise that option, or let it expire sooner`;
}

function days(milliseconds: number): string {
  const days = milliseconds / 86_400_000;
  return `${days < 10 ? Math.round(days * 10) / 10 : Math.round(days)} days`;
}

/** Not an object literal with a getter: each of those gets a shape of its own. */
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

  /** Created on first use, because it is expensive and most authenticators ignore it. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
