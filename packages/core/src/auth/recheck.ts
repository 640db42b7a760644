import type { MaybePromise } from '../vocabulary/decision.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';

export interface Recheck {
  readonly stillValid: () => MaybePromise<boolean>;
  /** Milliseconds. */
  readonly every: number;
}

/** Not a property of the identity, because applications log and copy identities. */
const rechecks = new WeakMap<Identity, Recheck>();

export function keepRecheck(identity: Identity, recheck: Recheck): void {
  rechecks.set(identity, recheck);
}

export function recheckOf(identity: Identity): Recheck | undefined {
  return rechecks.get(identity);
}

/** The reason to close the connection, if there is one. An error is not taken for a yes. */
export async function stillValid(identity: Identity): Promise<Reason | undefined> {
  const recheck = rechecks.get(identity);
  if (recheck === undefined) return undefined;
  try {
    return (await recheck.stillValid()) === true ? undefined : 'revoked';
  } catch {
    return 'auth_unavailable';
  }
}
