import { type Moment, secondsOf } from '../auth/moment.ts';
import type { Revocation } from '../vocabulary/store-contract.ts';

/** What is revoked: exactly one of subject, session and tokenId. */
export interface RevokeOptions {
  readonly subject?: string;
  readonly session?: string;
  readonly tokenId?: string;
  /**
   * Seconds since the epoch or a `Date`, inclusive. Default: now for a subject; whenever issued for a session or a token.
   */
  readonly issuedBefore?: Moment;
}

/** A session that was ended stays so, also for a token that was refreshed in the meantime; JSON can hold it. */
const EVER = Number.MAX_SAFE_INTEGER;

/**
 * The revocation that an application asks for, `now` in milliseconds since the epoch.
 *
 * @throws TypeError unless exactly one name is given, and for an `issuedBefore` that is no time.
 */
export function revocationOf({ subject, session, tokenId, ...rest }: RevokeOptions, now: number): Revocation {
  const named = [subject, session, tokenId].filter((name) => name !== undefined);
  if (named.length !== 1 || named[0] === '') {
    throw new TypeError('revoke() takes exactly one of subject, session and tokenId.');
  }
  const issuedBefore = secondsOf(rest.issuedBefore, 'revoke({ issuedBefore })');
  // A token of this very moment bears the date of the second that has begun, or of the next one.
  const moment = subject === undefined ? EVER : Math.ceil(now / 1_000);
  return {
    subject,
    session,
    tokenId,
    issuedBefore: issuedBefore === undefined ? moment : Math.floor(issuedBefore),
  };
}
