import type { MaybePromise } from '../vocabulary/decision.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';

/** Asks whether what an identity came from, a session say, is still there. */
export interface Recheck {
  readonly stillValid: () => MaybePromise<boolean>;
  /** Milliseconds between two questions while a connection is open. */
  readonly every: number;
}

/** Beside the identity and not in it: applications get to see identities, and may log or copy them. */
const rechecks = new WeakMap<Identity, Recheck>();

export function keepRecheck(identity: Identity, recheck: Recheck): void {
  rechecks.set(identity, recheck);
}

export function recheckOf(identity: Identity): Recheck | undefined {
  return rechecks.get(identity);
}

/** The reason to end a connection of this identity, or nothing. An answer that cannot be had is not a yes. */
export async function stillValid(identity: Identity): Promise<Reason | undefined> {
  const recheck = rechecks.get(identity);
  if (recheck === undefined) return undefined;
  try {
    return (await recheck.stillValid()) === true ? undefined : 'revoked';
  } catch {
    return 'auth_unavailable';
  }
}
