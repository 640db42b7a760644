import type { UNAVAILABLE } from '../limits/precheck.ts';
import { debugView, INSPECT } from '../vocabulary/debug-view.ts';
import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { Kind } from '../vocabulary/option.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import type { CredentialSource } from './credential-source.ts';

/** What an authenticator uses to store tickets. */
export interface TicketStore {
  /** Rejects if the value cannot be stored. */
  put(key: string, value: string, ttl: number): Promise<void>;
  /** Returns a value once. `UNAVAILABLE` if the store does not answer. */
  redeem(key: string): MaybePromise<string | undefined | typeof UNAVAILABLE>;
}

/** What an authenticator gets to see. */
export interface Presented {
  /** The credential from one of the authenticator's sources; `undefined` if it has no sources. */
  readonly credential: string | undefined;
  readonly request: RequestView;
  readonly clock: Clock;
  readonly store: TicketStore;
  /** Aborted when the client leaves or the handshake's deadline passes. */
  readonly signal: AbortSignal;
}

/**
 * Turns a credential into an identity or a denial. `undefined`: no credential was found, and the guard asks the next
 * authenticator without sources. If none returns an identity, the handshake is denied with `credential_missing`.
 */
export interface Authenticator<I extends Identity = Identity> {
  /** The `scheme` of the identities that it returns. */
  readonly scheme: I['scheme'];
  /** Where its credential is looked for. Empty: it is asked if no credential was found elsewhere. */
  readonly from: readonly CredentialSource[];
  /** Without sources: whether browsers or the network attach the credential by themselves. */
  readonly ambient: boolean;
  /** Without sources: whether a client without an `Origin` may be admitted although `ambient` is set. Default: no. */
  readonly admitsPrograms?: boolean;
  /** Whether it runs application code or fetches something. `explain()` does neither. */
  readonly asksOutside: boolean;
  /** Whether verifying uses the credential up. The guard then checks the caps first. */
  readonly spends?: boolean;
  /** The field of `{ "type": "auth", … }` that holds its credential. Default: messages cannot carry it. */
  readonly messageField?: string;
  /** Milliseconds that a connection may outlive `expiresAt`, for clocks that differ. Default: 0. */
  readonly tolerance?: number;
  /** Whether the credential is for this authenticator, if several read the same source. Default: yes. */
  accepts?(credential: string): boolean;
  /** Drops cached credentials of revoked identities. */
  forget?(revoked: (identity: Identity) => boolean): void;
  authenticate(presented: Presented): MaybePromise<I | Denial | undefined>;
}

/** Exactly one authenticator verifies a credential. The issuer that the credential claims decides which. */
export function chooseReader(readers: readonly Authenticator[], credential: string): Authenticator {
  const [first] = readers;
  return (
    readers.length === 1 ? first : (readers.find((reader) => reader.accepts?.(credential)) ?? first)
  ) as Authenticator;
}

/**
 * The `scheme` of an authenticator. `anonymous` is reserved: handlers and the policy's checks recognize anonymous
 * clients by it.
 */
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

/** What Node prints of an identity does not include its session, which may be a credential, nor the values of its claims. */
const VIEW = debugView<Identity>('Identity', ({ scheme, subject, tokenId, issuedAt, expiresAt, claims }) => ({
  scheme,
  subject,
  ...(tokenId === undefined ? {} : { tokenId }),
  ...(issuedAt === undefined ? {} : { issued: new Date(issuedAt * 1_000) }),
  ...(expiresAt === undefined ? {} : { expires: new Date(expiresAt * 1_000) }),
  claims: Object.keys(claims),
}));

export function freezeIdentity<I extends Identity>(identity: I): I {
  deepFreeze(identity.claims);
  Object.defineProperty(identity, INSPECT, VIEW);
  return Object.freeze(identity);
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
