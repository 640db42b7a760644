import { type Denial, deny } from '../vocabulary/decision.ts';
import type { Identity } from '../vocabulary/ports.ts';

/** In seconds. */
export interface TokenTimes {
  readonly tolerance: number;
  readonly maxAge: number | undefined;
}

/**
 * Checks the times of a token that was verified before, exactly as jose does (RFC 7519 §4.1.4–4.1.6): whole seconds,
 * `exp` exclusive, `nbf` inclusive.
 */
export function checkTimes(
  { claims }: Identity,
  { tolerance, maxAge }: TokenTimes,
  now: number,
): Denial | undefined {
  const seconds = Math.floor(now / 1_000);
  const { exp, nbf, iat } = claims as { exp: number; nbf?: number; iat?: number };
  if (nbf !== undefined && nbf > seconds + tolerance) return deny('credential_invalid', 'claim nbf: not yet');
  if (exp <= seconds - tolerance) return deny('credential_expired', 'exp has passed');
  const ahead = checkAhead(iat, tolerance, now);
  if (ahead !== undefined) return ahead;
  if (maxAge === undefined || iat === undefined) return undefined;
  if (seconds - iat - tolerance > maxAge) return deny('credential_expired', 'iat is too long ago');
  return seconds - iat < -tolerance ? deny('credential_invalid', 'claim iat: in the future') : undefined;
}

/**
 * Denies a token from the future. jose looks for one only with `maxAge`, but a revocation could not cover it. Within the
 * second that has begun it counts as issued now: clocks are rarely closer than that.
 */
export function checkAhead(iat: number | undefined, tolerance: number, now: number): Denial | undefined {
  if (iat === undefined || iat <= Math.ceil(now / 1_000) + tolerance) return undefined;
  return deny(
    'credential_invalid',
    'claim iat: it is further ahead of this clock than clockTolerance (in seconds) allows',
  );
}
