import { type Denial, deny, isPromise, type MaybePromise, settled } from '../decision.ts';
import type { Hit, RateLimit, Store } from '../ports.ts';

/** Whose attempts are counted together. */
export interface AttemptSource {
  readonly bucket: string;
  readonly coarser: string;
}

/**
 * Failed authentications of an address, budgeted apart from successful ones. Beyond the budget nothing is verified
 * any more, so that guessing costs this server no cryptography (OWASP ASVS 5.0, 6.3.1).
 */
export class Attempts {
  constructor(
    readonly store: Store,
    readonly limit: RateLimit,
  ) {}

  /** A denial when the budget is used up; spends nothing. */
  check({ bucket, coarser }: AttemptSource): MaybePromise<Denial | undefined> {
    const answer = this.store.peek(`attempt ${bucket}`, `attempt ${coarser}`, this.limit);
    return isPromise(answer) ? settled(answer).then(verdict) : verdict(answer);
  }

  /** Counts a failure. */
  failed({ bucket, coarser }: AttemptSource): MaybePromise<unknown> {
    return this.store.hit(`attempt ${bucket}`, `attempt ${coarser}`, this.limit);
  }
}

function verdict(hit: Hit): Denial | undefined {
  return hit.allowed
    ? undefined
    : deny('auth_attempts', 'too many failed authentications from this address', hit.retryAfter);
}
