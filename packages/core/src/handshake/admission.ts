import { type Denial, deny, isPromise, type MaybePromise, settled } from '../decision.ts';
import type { Acquired, LeaseRequest, Store } from '../ports.ts';
import type { Arrival } from './arrival.ts';
import type { Stage } from './stage.ts';

export interface Caps {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly connectionsPerIdentity: number;
}

/** Reserves the slots, all or none, before the 101: of N + 1 that ask at once exactly N get them. */
export function admissionStage(store: Store, caps: Caps): Stage {
  return {
    name: 'admission',
    check(arrival) {
      const acquired = store.acquire(leasesOf(arrival, caps));
      return isPromise(acquired)
        ? settled(acquired).then((late) => keep(arrival, late))
        : keep(arrival, acquired);
    },
    preview(arrival): MaybePromise<Denial | undefined> {
      const full = store.full(leasesOf(arrival, caps));
      return isPromise(full) ? settled(full).then(fullness) : fullness(full);
    },
  };
}

function leasesOf(arrival: Arrival, caps: Caps): LeaseRequest[] {
  const leases = [
    { key: 'connections', cap: caps.connections },
    { key: `address ${arrival.client?.address.bucket}`, cap: caps.connectionsPerAddress },
  ];
  if (arrival.identity !== undefined) {
    leases.push({ key: `identity ${arrival.identity.subject}`, cap: caps.connectionsPerIdentity });
  }
  return leases;
}

function keep(arrival: Arrival, acquired: Acquired): Denial | undefined {
  if ('full' in acquired) return fullness(acquired.full);
  arrival.lease = acquired.lease;
  return undefined;
}

/** How long a client that found everything taken is asked to wait. */
const RETRY_AFTER = 5_000;

function fullness(full: number): Denial | undefined {
  if (full === -1) return undefined;
  if (full === 0) return deny('capacity', 'limits.connections is reached', RETRY_AFTER);
  const option = full === 1 ? 'limits.connectionsPerAddress' : 'limits.connectionsPerIdentity';
  return deny('connection_limit', `${option} is reached`, RETRY_AFTER);
}
