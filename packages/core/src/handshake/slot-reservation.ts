import { UNAVAILABLE } from '../limits/precheck.ts';
import type { StoreAccess } from '../limits/store-access.ts';
import { Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Lease, LeaseRequest } from '../vocabulary/store-contract.ts';
import type { HandshakeContext } from './handshake-context.ts';
import { pendingSourceOf, type SlotSource, slotSourceOf } from './handshake-source.ts';
import type { Stage } from './stage.ts';

export interface Caps {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly connectionsPerIdentity: number;
  readonly pending: number;
  readonly pendingPerAddress: number;
}

interface Slot extends LeaseRequest {
  readonly denial: Denial;
}

/** How many times the cap of one address an IPv6 /56 and a /48 have: a household has one, a company the other. */
const SHARES: readonly number[] = [1, 4];
/** Milliseconds that a refused client is asked to wait. */
const RETRY_AFTER = 5_000;

export class Slots {
  readonly #capacity = deny('capacity', 'limits.connections is reached', RETRY_AFTER);
  readonly #address = deny('connection_limit', 'limits.connectionsPerAddress is reached', RETRY_AFTER);
  readonly #identity = deny('connection_limit', 'limits.connectionsPerIdentity is reached', RETRY_AFTER);
  readonly #pending = deny('pending_limit', 'limits.pending is reached', RETRY_AFTER);
  readonly #pendingAddress = deny('pending_limit', 'limits.pendingPerAddress is reached', RETRY_AFTER);

  constructor(
    readonly store: StoreAccess,
    readonly caps: Caps,
    /** Whether an identity's oldest connection gives way to a new one, instead of the new one being refused. */
    readonly replacesOldest: boolean,
  ) {}

  /** Reserves all slots that a connection needs, or none. */
  acquire(source: SlotSource, subject: string | undefined): MaybePromise<Lease | Denial> {
    const slots = this.#connection(source);
    if (subject !== undefined) slots.push(this.#ofIdentity(subject));
    return this.#take(slots);
  }

  /** Reserves the additional slots of a connection that has not authenticated yet. */
  acquirePending({ bucket, wider }: SlotSource): MaybePromise<Lease | Denial> {
    const { pending, pendingPerAddress } = this.caps;
    return this.#take([
      { key: 'pending', cap: pending, denial: this.#pending },
      { key: `pending ${bucket}`, cap: pendingPerAddress, denial: this.#pendingAddress },
      ...wider.map((prefix, i) => ({
        key: `pending ${prefix}`,
        cap: pendingPerAddress * (SHARES[i] ?? 1),
        denial: this.#pendingAddress,
      })),
    ]);
  }

  /** Reserves the identity's slot once a first message has authenticated the connection. */
  acquireIdentity(subject: string): MaybePromise<Lease | Denial> {
    return this.#take([this.#ofIdentity(subject)]);
  }

  ofAddress(source: SlotSource): readonly LeaseRequest[] {
    return this.#connection(source);
  }

  denialOfAddress(full: number): Denial | undefined {
    return full === -1 ? undefined : full === 0 ? this.#capacity : this.#address;
  }

  #connection({ bucket, wider }: SlotSource): Slot[] {
    const { connections, connectionsPerAddress } = this.caps;
    return [
      { key: 'connections', cap: connections, denial: this.#capacity },
      { key: `address ${bucket}`, cap: connectionsPerAddress, denial: this.#address },
      ...wider.map((prefix, i) => ({
        key: `address ${prefix}`,
        cap: connectionsPerAddress * (SHARES[i] ?? 1),
        denial: this.#address,
      })),
    ];
  }

  #ofIdentity(subject: string): Slot {
    return {
      key: `identity ${subject}`,
      cap: this.caps.connectionsPerIdentity,
      replaces: this.replacesOldest,
      denial: this.#identity,
    };
  }

  #take(slots: readonly Slot[]): MaybePromise<Lease | Denial> {
    const acquired = this.store.acquire(slots);
    const finish = (result: Awaited<typeof acquired>): MaybePromise<Lease | Denial> => {
      if (result === UNAVAILABLE)
        return deny('store_unavailable', 'the store does not answer, so slots cannot be counted');
      return 'lease' in result ? result.lease : (slots[result.full]?.denial as Denial);
    };
    return isPromise(acquired) ? settled(acquired).then(finish) : finish(acquired);
  }
}

/** Reserves the slots before the 101, so that of N + 1 simultaneous handshakes exactly N are admitted. */
export function admissionStage(slots: Slots): Stage {
  return {
    name: 'admission',
    check(context) {
      const lease = slots.acquire(slotSourceOf(context), cappedSubject(context));
      const keep = (late: Lease | Denial): MaybePromise<Denial | undefined> => {
        if (late instanceof Denial) return late;
        context.lease = late;
        return context.pending ? holdPending(context, slots) : undefined;
      };
      return isPromise(lease) ? settled(lease).then(keep) : keep(lease);
    },
    // Looking at an identity's cap would reserve a slot.
    preview: (context) => context.full,
  };
}

/** Anonymous clients share one subject, so only the cap of the address applies to them. */
function cappedSubject({ identity }: HandshakeContext): string | undefined {
  return identity?.scheme === 'anonymous' ? undefined : identity?.subject;
}

function holdPending(context: HandshakeContext, slots: Slots): MaybePromise<Denial | undefined> {
  const lease = slots.acquirePending(pendingSourceOf(context));
  const keep = (late: Lease | Denial): Denial | undefined => {
    if (late instanceof Denial) return late;
    context.pendingLease = late;
    return undefined;
  };
  return isPromise(lease) ? settled(lease).then(keep) : keep(lease);
}
