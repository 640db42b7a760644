import { type Denial, deny, isPromise, type MaybePromise, settled } from '../decision.ts';
import type { Hit, RateLimit, Store } from '../ports.ts';
import type { Arrival } from './arrival.ts';
import type { Stage } from './stage.ts';

/** Handshakes per address, before anything that costs: cryptography, the application, a slot. */
export function rateStage(store: Store, limit: RateLimit): Stage {
  const ask = (arrival: Arrival, how: 'hit' | 'peek'): MaybePromise<Denial | undefined> => {
    const { bucket, coarser } = arrival.client?.address ?? { bucket: 'unknown', coarser: 'unknown' };
    const answer = store[how](`handshake ${bucket}`, `handshake ${coarser}`, limit);
    return isPromise(answer) ? settled(answer).then(verdict) : verdict(answer);
  };
  return {
    name: 'rate',
    check: (arrival) => ask(arrival, 'hit'),
    preview: (arrival) => ask(arrival, 'peek'),
  };
}

function verdict(hit: Hit): Denial | undefined {
  return hit.allowed
    ? undefined
    : deny('handshake_rate', 'too many handshakes from this address', hit.retryAfter);
}
