import type { UNAVAILABLE } from '../limits/precheck.ts';
import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { Kind } from '../vocabulary/option-kinds.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import type { CredentialSource } from './credential-source.ts';

/** Where tickets are kept. */
export interface TicketStore {
  /** Rejects where it cannot be kept. */
  put(key: string, value: string, ttl: number): Promise<void>;
  /** What was put, once; `UNAVAILABLE` where nobody can say. */
  redeem(key: string): MaybePromise<string | undefined | typeof UNAVAILABLE>;
}

/** What an authenticator is asked about. */
export interface Presented {
  /** The credential found by one of the authenticator's sources; `undefined` when it has none. */
  readonly credential: string | undefined;
  readonly request: RequestView;
  readonly clock: Clock;
  readonly store: TicketStore;
  /** Aborted when the client goes away or the handshake's deadline passes. */
  readonly signal: AbortSignal;
}

/**
 * Turns a credential into an identity, or a denial. `undefined` means that there was nothing to judge: the next
 * authenticator without sources is asked, and in the end `credential_missing` is the answer.
 */
export interface Authenticator<I extends Identity = Identity> {
  /** The `scheme` of the identities that it gives. */
  readonly scheme: I['scheme'];
  /** Where its credential is looked for; empty for one that is asked when no credential was found. */
  readonly from: readonly CredentialSource[];
  /** Whether what it judges is attached by a browser or the network by itself; only for one without sources. */
  readonly ambient: boolean;
  /** Whether judging runs application code or fetches something, which `explain()` never does. */
  readonly asksOutside: boolean;
  /** Whether judging uses the credential up, so that the caps are looked at before. */
  readonly spends?: boolean;
  /** The field of `{ "type": "auth", … }` that holds its credential; absent for one that messages cannot carry. */
  readonly messageField?: string;
  /** Milliseconds that a connection outlives `expiresAt`, for clocks that differ. Default: none. */
  readonly tolerance?: number;
  /** Whether a credential is this authenticator's, where several read the same place. Default: yes. */
  accepts?(credential: string): boolean;
  /** Drops what it remembers of identities that were revoked. */
  forget?(revoked: (identity: Identity) => boolean): void;
  authenticate(presented: Presented): MaybePromise<I | Denial | undefined>;
}

/** Nothing falls through: exactly one authenticator judges a credential, by what that says of its issuer. */
export function chooseReader(readers: readonly Authenticator[], credential: string): Authenticator {
  const [first] = readers;
  return (
    readers.length === 1 ? first : (readers.find((reader) => reader.accepts?.(credential)) ?? first)
  ) as Authenticator;
}

/** The name of an authenticator. By `anonymous` handlers and the policy's own checks know who presented nothing, so no other may have it. */
export const schemeName: Kind<string> = {
  type: 'string',
  read(scheme, option) {
    if (typeof scheme === 'string' && scheme !== '' && scheme !== 'anonymous') return scheme;
    throw new PolicyError(
      option,
      scheme === 'anonymous' ? "the name 'anonymous' belongs to anonymous()" : 'it has no name',
      "Give it one, such as scheme: 'session'.",
    );
  },
};

/** Freezes an identity, claims included, all the way down. */
export function freezeIdentity<I extends Identity>(identity: I): I {
  deepFreeze(identity.claims);
  return Object.freeze(identity);
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
