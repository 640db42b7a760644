import { type Moment, secondsOf } from '../auth/moment.ts';
import type { Revocation } from '../vocabulary/store-contract.ts';

/** What is revoked: exactly one of subject, session and tokenId. */
export interface RevokeOptions {
  readonly subject?: string;
  readonly session?: string;
  readonly tokenId?: string;
  /**
   * Seconds since the epoch or a `Date`, inclusive. Default: now for a subject; no bound for a session or a token.
   */
  readonly issuedBefore?: Moment;
}

/** No bound: a session that has ended stays ended, even for tokens refreshed later. JSON cannot hold infinity. */
const EVER = Number.MAX_SAFE_INTEGER;

/**
 * Turns the options of `guard.revoke` into a revocation. `now` is in milliseconds since the epoch.
 *
 * @throws TypeError unless exactly one of subject, session and tokenId is given, and for an invalid `issuedBefore`.
 */
export function revocationOf(what: RevokeOptions, now: number): Revocation {
  const { subject, session, tokenId, ...rest } = (what ?? {}) as RevokeOptions;
  const named = [subject, session, tokenId].filter((name) => name !== undefined);
  if (named.length !== 1 || named[0] === '') {
    throw new TypeError('revoke() takes exactly one of subject, session and tokenId.');
  }
  const issuedBefore = secondsOf(rest.issuedBefore, 'revoke({ issuedBefore })');
  // Rounded up, because issuers may round the date of a token that is issued right now up to the next second.
  const moment = subject === undefined ? EVER : Math.ceil(now / 1_000);
  return {
    subject,
    session,
    tokenId,
    issuedBefore: issuedBefore === undefined ? moment : Math.floor(issuedBefore),
  };
}
