import type { Revocation } from '../vocabulary/store-contract.ts';

/** What is revoked: exactly one of subject, session and tokenId. */
export interface RevokeOptions {
  readonly subject?: string;
  readonly session?: string;
  readonly tokenId?: string;
  /** Whole seconds since the epoch, inclusive. Default: now for a subject; whenever issued for a session or a token. */
  readonly issuedBefore?: number;
}

/** A session that was ended stays so, also for a token that was refreshed in the meantime; JSON can hold it. */
const EVER = Number.MAX_SAFE_INTEGER;

/**
 * The revocation that an application asks for, `now` in milliseconds since the epoch.
 *
 * @throws TypeError unless exactly one name is given, and for an `issuedBefore` that is no finite number.
 */
export function revocationOf({ subject, session, tokenId, ...rest }: RevokeOptions, now: number): Revocation {
  const { issuedBefore = subject === undefined ? EVER : now / 1_000 } = rest;
  const named = [subject, session, tokenId].filter((name) => name !== undefined);
  if (named.length !== 1 || named[0] === '' || !Number.isFinite(issuedBefore)) {
    throw new TypeError(
      'revoke() takes exactly one of subject, session and tokenId, and issuedBefore in seconds.',
    );
  }
  return { subject, session, tokenId, issuedBefore: Math.floor(issuedBefore) };
}
