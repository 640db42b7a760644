import type { Clock } from '../vocabulary/ports.ts';
import type { Acquired, Hit, HitRequest, Lease, LeaseRequest, Store } from '../vocabulary/store-contract.ts';
import { memoryStore } from './memory-store.ts';
import {
  banned,
  FREE,
  type HandshakePrecheck,
  type HandshakePrecheckAnswer,
  hitOf,
  UNAVAILABLE,
} from './precheck.ts';
import { SlotTable } from './slot-table.ts';

/** What happens to a check while the store does not answer: deny, let through, or count in this process alone. */
export type FailureMode = 'closed' | 'open' | 'local';

/** For each check that asks the store. */
export interface FailureModes {
  /** Handshakes of an address (`limits.handshakes`). Default: `'local'`. */
  readonly handshakes?: FailureMode;
  /** Failed authentications of an address (`limits.authFailures`). Default: `'local'`. */
  readonly authFailures?: FailureMode;
  /** Bans. With `'local'`, the bans that this process has heard of are enforced. Default: `'local'`. */
  readonly bans?: FailureMode;
  /** Every cap on connections. With `'local'`, each process admits up to the whole cap. Default: `'local'`. */
  readonly connections?: FailureMode;
}

/** What this process decides without the store. */
export class StoreFallback {
  readonly memory: Store;
  readonly #slots = new SlotTable();

  constructor(
    clock: Clock,
    readonly modes: Required<FailureModes>,
    readonly bannedFor: (key: string) => number,
  ) {
    this.memory = memoryStore({ clock });
  }

  precheck({ bans, handshake, slots }: HandshakePrecheck): HandshakePrecheckAnswer | typeof UNAVAILABLE {
    const modes = this.modes;
    if ([modes.handshakes, modes.bans, modes.connections].includes('closed')) return UNAVAILABLE;
    const bannedFor = modes.bans === 'local' ? Math.max(0, ...bans.map((key) => this.bannedFor(key))) : 0;
    if (bannedFor > 0) return banned(bannedFor);
    return {
      bannedFor,
      handshake: modes.handshakes === 'local' ? this.hit(handshake) : FREE,
      // The budget is looked at only with a credential, so a closed check denies only there.
      failures: this.failures(),
      full: modes.connections === 'local' ? this.#slots.full(slots) : -1,
    };
  }

  /** The answer beside this process's own count, which is looked at in any case. */
  failures(): Hit | typeof UNAVAILABLE {
    return this.modes.authFailures === 'closed' ? UNAVAILABLE : FREE;
  }

  localFailures(request: HitRequest, isAvailable: boolean): Hit {
    return !isAvailable && this.modes.authFailures === 'open' ? FREE : this.hit(request);
  }

  acquire(slots: readonly LeaseRequest[]): Acquired | typeof UNAVAILABLE {
    const { connections } = this.modes;
    if (connections === 'closed') return UNAVAILABLE;
    return connections === 'open' ? { lease: this.#slots.hold(slots) } : this.#slots.acquire(slots);
  }

  /** Counts the store's leases here as well, so that a failing store does not reset the counts. */
  mirrored(acquired: Acquired, slots: readonly LeaseRequest[], onFault: (error: unknown) => void): Acquired {
    if (!('lease' in acquired)) return acquired;
    return { lease: new MirroredLease(acquired.lease, this.#slots.hold(slots), onFault) };
  }

  hit(request: HitRequest): Hit {
    return hitOf(this.memory, request) as Hit;
  }
}

class MirroredLease implements Lease {
  constructor(
    readonly shared: Lease,
    readonly here: Lease,
    readonly onFault: (error: unknown) => void,
  ) {}

  release(): void {
    this.here.release();
    try {
      this.shared.release();
    } catch (error) {
      this.onFault(error);
    }
  }

  onLost(listener: (replaced: boolean) => void): void {
    let told = false;
    const once = (replaced: boolean): void => {
      if (told) return;
      told = true;
      listener(replaced);
    };
    this.shared.onLost(once);
    // While the store is away, newer ones take the slots that this process counts.
    this.here.onLost(once);
  }
}
