import type { Acquired, LeaseRequest } from '@sallyport/core/store';
import type { Deadline } from '../deadline.ts';
import type { Keys } from '../redis-keys.ts';
import { listOf, numberOf } from '../reply.ts';
import type { Runner } from '../runner.ts';
import { TAKE } from '../scripts/slot-scripts.ts';
import { HeldLease, type LeaseOwner, type Slot } from './held-lease.ts';
import { Renewal } from './lease-renewal.ts';
import { Releases } from './releases.ts';

/** How often a refusal is questioned that may be due to what others take and give back. */
const RETRIES = 5;
/** Milliseconds before the first retry, at most; twice as many before each further one. */
const JITTER = 10;

/** What one script said: the slots were taken, or one of them was full. */
interface Outcome {
  /** Where each slot is in the request. */
  readonly group: readonly number[];
  /** The index of the first full one in the request, or -1. */
  readonly full: number;
  /** Others hold slots there which may be given back in a moment, or lapse. */
  readonly provisional: boolean;
}

/** What one attempt came to. */
interface Attempt {
  readonly lease: HeldLease;
  readonly refusals: readonly Outcome[];
}

/**
 * Slots of all nodes together. Where one script can have all the keys, it takes all the slots or none. On a Cluster
 * each hash slot has its own script: slots are taken for half a lease first, and given back where another one is full,
 * so that there are never more than the cap. A refusal by slots that others may give back in a moment is questioned a
 * few times, so that the cap is reached.
 */
export class Leases implements LeaseOwner {
  #count = 0;
  readonly #releases: Releases;
  readonly #renewal: Renewal;

  constructor(
    readonly runner: Runner,
    readonly keys: Keys,
    /** What this node's holders begin with. */
    readonly node: string,
    readonly leaseTtl: number,
  ) {
    this.#releases = new Releases(runner, leaseTtl);
    this.#renewal = new Renewal(runner, this.#releases, leaseTtl);
  }

  /** Redis has forgotten everything: what this node holds is told again. */
  renewNow(): void {
    this.#renewal.now();
  }

  released(lease: HeldLease): void {
    this.#renewal.delete(lease);
    this.#releases.add(lease.slots);
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<Acquired> {
    const keys = requests.map(({ key }) => this.keys.of('slots', key));
    const groups = this.runner.groups(keys);
    const deadline = this.runner.deadline();
    let { lease, refusals } = await this.#attempt(requests, keys, deadline, (ask) => allOf(groups.map(ask)));
    for (let retry = 0; refusals.length > 0; retry++) {
      const wait = Math.random() * JITTER * 2 ** retry;
      const final = refusals.filter(({ provisional }) => !provisional);
      if (final.length > 0 || retry === RETRIES || deadline.left < 2 * wait)
        return { full: Math.min(...(final.length > 0 ? final : refusals).map(({ full }) => full)) };
      await new Promise((resolve) => setTimeout(resolve, wait).unref());
      const order = refusedFirst(groups, refusals);
      ({ lease, refusals } = await this.#attempt(requests, keys, deadline, (ask) => inTurn(order, ask)));
    }
    if (groups.length > 0) this.#renewal.add(lease);
    if (groups.length > 1) this.#renewal.confirm(lease);
    return { lease };
  }

  /** Each attempt has holders of its own: giving back what one of them took may come late, and must not undo the next. */
  async #attempt(
    requests: readonly LeaseRequest[],
    keys: readonly string[],
    deadline: Deadline,
    run: (ask: (group: readonly number[]) => Promise<Outcome>) => Promise<Outcome[]>,
  ): Promise<Attempt> {
    const lease = new HeldLease(this, `${this.node}.${this.#count++}`, keys, requests);
    const ask = (group: readonly number[]): Promise<Outcome> => this.#take(lease.slots, group, deadline);
    try {
      const outcomes = await run(ask);
      const refusals = outcomes.filter(({ full }) => full !== -1);
      const taken = outcomes.filter(({ full }) => full === -1).flatMap(({ group }) => group);
      if (refusals.length > 0) this.#releases.add(taken.map((index) => lease.slots[index] as Slot));
      return { lease, refusals };
    } catch (error) {
      // They may have been taken all the same.
      this.#releases.add(lease.slots);
      throw error;
    }
  }

  async #take(slots: readonly Slot[], group: readonly number[], deadline: Deadline): Promise<Outcome> {
    const wanted = group.map((index) => slots[index] as Slot);
    const half = Math.ceil(this.leaseTtl / 2);
    const reply = await this.runner.run(
      TAKE,
      wanted.map(({ key }) => key),
      [
        group.length < slots.length ? half : this.leaseTtl,
        this.runner.port.cluster ? half : 0,
        ...wanted.flatMap(({ cap, holder }) => [cap, holder]),
      ],
      deadline,
      () => this.#releases.add(wanted),
    );
    const [full = -1, provisional = 0] = listOf(reply).map(numberOf);
    return { group, full: full === -1 ? -1 : (group[full] as number), provisional: provisional === 1 };
  }
}

/**
 * So that nothing is held which stands in others' way, while what is full is asked again; the last one of a request
 * first, since what comes later in it is narrower: an identity's slots are full more often than those of all.
 */
function refusedFirst(
  groups: readonly (readonly number[])[],
  refusals: readonly Outcome[],
): (readonly number[])[] {
  const refused = new Set(refusals.toSorted((a, b) => b.full - a.full).map(({ group }) => group));
  return [...refused, ...groups.filter((group) => !refused.has(group))];
}

async function inTurn(
  groups: readonly (readonly number[])[],
  ask: (group: readonly number[]) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const group of groups) {
    const outcome = await ask(group);
    outcomes.push(outcome);
    if (outcome.full !== -1) break;
  }
  return outcomes;
}

/** Like `Promise.all`, but lets none go on by itself. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
