import { UNAVAILABLE } from '../limits/precheck.ts';
import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Hit, HitRequest, RateLimit } from '../vocabulary/store.ts';

/** Where failures are counted: in this process at once, and by the store that it shares with others. */
export interface FailureStore {
  localFailures(request: HitRequest): Hit;
  failures(request: HitRequest): MaybePromise<Hit | typeof UNAVAILABLE>;
  chargeFailure(request: HitRequest): void;
}

/** Whose attempts are counted together. */
export interface AttemptSource {
  readonly bucket: string;
  /** Wider prefixes, the nearest first. */
  readonly coarser: readonly string[];
  /** Whether it may be banned. */
  readonly bannable: boolean;
}

/** Addresses that are kept although nothing is under way: a map that is emptied and filled again makes a new table each time. */
const KEPT = 64;

/**
 * Failed authentications of an address, budgeted apart from successful ones. Beyond the budget nothing is verified
 * any more, so that guessing costs this server no cryptography (OWASP ASVS 5.0, 6.3.1). Attempts that are being
 * verified count as failed until they are not, so that sending all guesses at once gains nothing; whoever finds the
 * budget taken up by those alone waits for its turn.
 */
export class Attempts {
  readonly #underWay = new Map<string, UnderWay>();

  constructor(
    readonly store: FailureStore,
    readonly limit: RateLimit,
  ) {}

  /**
   * A turn to verify a credential, at once or later, or a denial when the budget is used up; spends nothing. `known` is
   * what the store has just said of this address, so that it is not asked again.
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

  /** Counts a failure. Nobody has to wait for it: this process knows at once, the others soon. */
  failed(source: AttemptSource): void {
    this.store.chargeFailure(this.request(source, 1));
  }

  /** The address's budget, as the store knows it. */
  request({ bucket, coarser }: AttemptSource, cost: number): HitRequest {
    return {
      keys: [`attempt ${bucket}`, ...coarser.map((wider) => `attempt ${wider}`)],
      limit: this.limit,
      cost,
    };
  }

  #decide(hit: Hit | typeof UNAVAILABLE, source: AttemptSource): MaybePromise<Turn | Denial> {
    if (hit === UNAVAILABLE) return deny('store_unavailable', 'failed authentications cannot be counted');
    // Others may have begun or failed since the store was asked; of those of this process it is known at once.
    const local = this.store.localFailures(this.request(source, 0));
    const held = this.#beyond(local, source) ?? this.#beyond(hit, source);
    if (held !== undefined) return held;
    const underWay = this.#underWay.get(source.bucket) ?? new UnderWay();
    this.#underWay.set(source.bucket, underWay);
    underWay.count++;
    return new Turn(this, source.bucket, underWay);
  }

  /** `undefined` where one more may fail although all that are under way do. */
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

  /** For a turn: one is through. */
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

/** Permission to verify one credential, until `end`, which counts once. */
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

/** The verifications of one address that have not come to an end. */
class UnderWay {
  count = 0;
  waiting: (() => void)[] | undefined;
}

function exhausted(retryAfter: number): Denial {
  return deny('auth_attempts', 'too many failed authentications from this address', retryAfter);
}
