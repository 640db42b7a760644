import type { Clock } from '../vocabulary/ports.ts';
import type { Acquired, Hit, HitRequest, Lease, LeaseRequest, Store } from '../vocabulary/store.ts';
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

/** What is done about a check while the store cannot answer: deny, let through, or count in this process alone. */
export type FailureMode = 'closed' | 'open' | 'local';

/** For each check that asks the store. */
export interface FailureModes {
  /** Handshakes of an address (`limits.handshakes`). Default: `'local'`. */
  readonly handshakes?: FailureMode;
  /** Failed authentications of an address (`limits.authFailures`). Default: `'local'`. */
  readonly authFailures?: FailureMode;
  /** Bans; of those that were made elsewhere `'local'` knows what this process has heard. Default: `'local'`. */
  readonly bans?: FailureMode;
  /** Every cap on connections; with `'local'` each process lets in up to the whole cap. Default: `'local'`. */
  readonly connections?: FailureMode;
}

/** What this process decides by itself: always, where it shares no store, and else what the policy says of a store that is away. */
export class StoreFallback {
  readonly memory: Store;
  /** Every slot of this process, whoever granted it. */
  readonly #slots = new SlotTable();

  constructor(
    clock: Clock,
    readonly modes: Required<FailureModes>,
    /** Milliseconds that a ban still lasts, as far as this process knows. */
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
      // Only whoever presents a credential needs a budget, and is denied where that is looked at.
      failures: this.failures(),
      full: modes.connections === 'local' ? this.#slots.full(slots) : -1,
    };
  }

  /** What is said of failed authentications beside what this process has counted, which is looked at in any case. */
  failures(): Hit | typeof UNAVAILABLE {
    return this.modes.authFailures === 'closed' ? UNAVAILABLE : FREE;
  }

  /** Failed authentications as this process has counted them. */
  localFailures(request: HitRequest, isAvailable: boolean): Hit {
    return !isAvailable && this.modes.authFailures === 'open' ? FREE : this.hit(request);
  }

  acquire(slots: readonly LeaseRequest[]): Acquired | typeof UNAVAILABLE {
    const { connections } = this.modes;
    if (connections === 'closed') return UNAVAILABLE;
    return connections === 'open' ? { lease: this.#slots.hold(slots) } : this.#slots.acquire(slots);
  }

  /** Counts what the store has granted, so that this process does not start from nothing when the store goes. */
  mirrored(acquired: Acquired, slots: readonly LeaseRequest[], onFault: (error: unknown) => void): Acquired {
    if (!('lease' in acquired)) return acquired;
    return { lease: new MirroredLease(acquired.lease, this.#slots.hold(slots), onFault) };
  }

  hit(request: HitRequest): Hit {
    return hitOf(this.memory, request) as Hit;
  }
}

/** A lease of the store's, and the same slots as this process counts them. */
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

  onLost(listener: () => void): void {
    this.shared.onLost(listener);
  }
}
