import { UNAVAILABLE } from '../limits/precheck.ts';
import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Hit, HitRequest, RateLimit } from '../vocabulary/store-contract.ts';

export interface FailureStore {
  localFailures(request: HitRequest): Hit;
  failures(request: HitRequest): MaybePromise<Hit | typeof UNAVAILABLE>;
  chargeFailure(request: HitRequest): void;
}

/** Attempts with the same bucket are counted together. */
export interface AttemptSource {
  readonly bucket: string;
  /** Wider prefixes, the narrowest first. */
  readonly coarser: readonly string[];
  readonly bannable: boolean;
}

/** Entries kept for reuse: a map that is emptied and filled again allocates a new table each time. */
const KEPT = 64;

/**
 * The budget of failed authentications of one address (OWASP ASVS 5.0, 6.3.1). Once it is spent, no credential is
 * verified, so guessing costs no cryptography. A verification in progress counts as failed until it ends: sending all
 * guesses at once gains nothing.
 */
export class Attempts {
  readonly #underWay = new Map<string, UnderWay>();

  constructor(
    readonly store: FailureStore,
    readonly limit: RateLimit,
  ) {}

  /**
   * Returns a turn to verify a credential, or a denial once the budget is spent. If only verifications in progress
   * use up the budget, it waits for them. `known` is an answer that the store has given already.
   */
  begin(source: AttemptSource, known?: Hit | typeof UNAVAILABLE): MaybePromise<Turn | Denial> {
    if (known !== undefined) return this.#decide(known, source);
    const request = this.request(source, 0);
    const held = this.#beyond(this.store.localFailures(request), source);
    if (held !== undefined) return held;
    const answer = this.store.failures(request);
    return isPromise(answer)
      ? settled(answer).then((hit) => this.#decide(hit, source))
      : this.#decide(answer, source);
  }

  /** Counts a failure, in this process at once and in the store soon. */
  failed(source: AttemptSource): void {
    this.store.chargeFailure(this.request(source, 1));
  }

  request({ bucket, coarser }: AttemptSource, cost: number): HitRequest {
    return {
      keys: [`attempt ${bucket}`, ...coarser.map((wider) => `attempt ${wider}`)],
      limit: this.limit,
      cost,
    };
  }

  #decide(hit: Hit | typeof UNAVAILABLE, source: AttemptSource): MaybePromise<Turn | Denial> {
    if (hit === UNAVAILABLE)
      return deny(
        'store_unavailable',
        'the store does not answer, so failed authentications cannot be counted',
      );
    // Other attempts of this process may have begun or failed while the store was asked.
    const local = this.store.localFailures(this.request(source, 0));
    const held = this.#beyond(local, source) ?? this.#beyond(hit, source);
    if (held !== undefined) return held;
    const underWay = this.#underWay.get(source.bucket) ?? new UnderWay();
    this.#underWay.set(source.bucket, underWay);
    underWay.count++;
    return new Turn(this, source.bucket, underWay);
  }

  /** `undefined` if the budget would hold even if all verifications in progress failed. */
  #beyond({ remaining, retryAfter }: Hit, source: AttemptSource): MaybePromise<Turn | Denial> | undefined {
    const underWay = this.#count(source);
    if (remaining > underWay) return undefined;
    return underWay === 0 ? exhausted(retryAfter) : this.#wait(source);
  }

  async #wait(source: AttemptSource): Promise<Turn | Denial> {
    const underWay = this.#underWay.get(source.bucket);
    if (underWay !== undefined) {
      underWay.waiting ??= [];
      const { waiting } = underWay;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    return this.begin(source);
  }

  ended(bucket: string, underWay: UnderWay): void {
    if (--underWay.count === 0 && this.#underWay.size > KEPT) this.#underWay.delete(bucket);
    const { waiting } = underWay;
    underWay.waiting = undefined;
    for (const wake of waiting ?? []) wake();
  }

  #count({ bucket }: AttemptSource): number {
    return this.#underWay.get(bucket)?.count ?? 0;
  }
}

/** Permission to verify one credential. Ends once, however often `end` is called. */
export class Turn {
  #ended = false;

  constructor(
    readonly attempts: Attempts,
    readonly bucket: string,
    readonly underWay: UnderWay,
  ) {}

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.attempts.ended(this.bucket, this.underWay);
  }
}

class UnderWay {
  count = 0;
  waiting: (() => void)[] | undefined;
}

function exhausted(retryAfter: number): Denial {
  return deny('auth_attempts', 'too many failed authentications from this address', retryAfter);
}
