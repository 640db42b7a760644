import type { Acquired, LeaseRequest } from '@sallyport/core/store';
import type { Deadline } from '../deadline.ts';
import type { Keys } from '../redis-keys.ts';
import { listOf, numberOf, textOf } from '../reply.ts';
import type { Runner } from '../runner.ts';
import { TAKE } from '../scripts/slot-scripts.ts';
import { HeldLease, type LeaseOwner, type Slot } from './held-lease.ts';
import { SlotTable } from './held-slots.ts';
import { Renewal } from './lease-renewal.ts';
import { Releases } from './releases.ts';

/** Retries of a refusal that may be due to slots about to be released. */
const RETRIES = 5;
/** Milliseconds of the longest wait before the first retry. It doubles with each retry. */
const JITTER = 10;

interface Outcome {
  readonly group: readonly number[];
  /** The index in the request of the first full slot, or -1. */
  readonly full: number;
  /** Others hold slots there that may be released or expire soon. */
  readonly provisional: boolean;
}

interface Attempt {
  readonly lease: HeldLease;
  readonly refusals: readonly Outcome[];
}

/**
 * Slots counted over all nodes. One script takes all slots or none. On a Cluster, each hash slot has its own script:
 * it takes its slots for half a lease, and releases them if another script finds a full slot, so that the cap is
 * never exceeded. A refusal that may be temporary is retried, so that the cap is reached.
 */
export class Leases implements LeaseOwner {
  #count = 0;
  /** Slots of attempts that have no answer yet: one of them may be given away before it is known to be taken. */
  readonly #underWay = new SlotTable();
  readonly #releases: Releases;
  readonly #renewal: Renewal;

  constructor(
    readonly runner: Runner,
    readonly keys: Keys,
    readonly node: string,
    readonly leaseTtl: number,
  ) {
    this.#releases = new Releases(runner, leaseTtl);
    this.#renewal = new Renewal(runner, this.#releases, leaseTtl);
  }

  renewNow(): void {
    this.#renewal.now();
  }

  /** News that a slot was given to a newer holder, on this node or another. */
  replaced(key: string, holder: string): void {
    const lease = this.#renewal.find(key, holder) ?? this.#underWay.find(key, holder)?.lease;
    if (lease !== undefined) this.#renewal.replaced(lease);
  }

  released(lease: HeldLease): void {
    this.#renewal.delete(lease);
    this.#releases.add(lease.slots);
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<Acquired> {
    const keys = requests.map(({ key }) => this.keys.of('slots', key));
    const groups = this.runner.groups(keys);
    const deadline = this.runner.deadline();
    // What would take a slot away from others comes last, when nothing else can refuse any more.
    const takesAway = (group: readonly number[]): boolean =>
      group.some((index) => requests[index]?.replaces === true);
    const last = groups.filter(takesAway);
    const first = groups.filter((group) => !takesAway(group));
    const steps = [first, last].filter(({ length }) => length > 0);
    let { lease, refusals } = await this.#attempt(requests, keys, deadline, (ask) => inSteps(steps, ask));
    for (let retry = 0; refusals.length > 0; retry++) {
      const wait = Math.random() * JITTER * 2 ** retry;
      const final = refusals.filter(({ provisional }) => !provisional);
      if (final.length > 0 || retry === RETRIES || deadline.left < 2 * wait)
        return { full: Math.min(...(final.length > 0 ? final : refusals).map(({ full }) => full)) };
      await new Promise((resolve) => setTimeout(resolve, wait).unref());
      const order = [...refusedFirst(first, refusals), ...last];
      ({ lease, refusals } = await this.#attempt(requests, keys, deadline, (ask) => inTurn(order, ask)));
    }
    if (lease.isHeld && groups.length > 0) this.#renewal.add(lease);
    this.#underWay.delete(lease.slots);
    if (lease.isHeld && groups.length > 1) this.#renewal.confirm(lease);
    return { lease };
  }

  /** Each attempt has holders of its own, so that a late release cannot undo the next attempt. */
  async #attempt(
    requests: readonly LeaseRequest[],
    keys: readonly string[],
    deadline: Deadline,
    run: (ask: (group: readonly number[]) => Promise<Outcome>) => Promise<Outcome[]>,
  ): Promise<Attempt> {
    const lease = new HeldLease(this, this.#nextId(requests), keys, requests);
    const mayGiveWay = lease.slots.filter(({ replaces }) => replaces);
    this.#underWay.add(mayGiveWay);
    const ask = (group: readonly number[]): Promise<Outcome> => this.#take(lease.slots, group, deadline);
    try {
      const outcomes = await run(ask);
      const refusals = outcomes.filter(({ full }) => full !== -1);
      const taken = outcomes.filter(({ full }) => full === -1).flatMap(({ group }) => group);
      if (refusals.length > 0) {
        this.#underWay.delete(mayGiveWay);
        this.#releases.add(taken.map((index) => lease.slots[index] as Slot));
      }
      return { lease, refusals };
    } catch (error) {
      this.#underWay.delete(mayGiveWay);
      // The slots may have been taken all the same.
      this.#releases.add(lease.slots);
      throw error;
    }
  }

  /** Where one may give way to another it sorts by age among all nodes, as exactly as their clocks agree. */
  #nextId(requests: readonly LeaseRequest[]): string {
    const count = this.#count++;
    return requests.some(({ replaces }) => replaces === true)
      ? `${pad(Date.now())}.${this.node}.${pad(count)}`
      : `${this.node}.${count}`;
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
        this.keys.channel,
        ...wanted.flatMap(({ cap, holder, replaces }) => [cap, holder, replaces ? 1 : 0]),
      ],
      deadline,
      () => this.#releases.add(wanted),
    );
    const [answer = -1, later = 0, ...left] = listOf(reply);
    const [full, provisional] = [numberOf(answer), numberOf(later)];
    for (let i = 0; i < left.length; i += 2) this.replaced(textOf(left[i]), textOf(left[i + 1]));
    return { group, full: full === -1 ? -1 : (group[full] as number), provisional: provisional === 1 };
  }
}

/**
 * Asks the full slots first, so that a retry holds nothing in the way of others. Later slots of a request are
 * narrower, and so full more often.
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

function pad(count: number): string {
  return String(count).padStart(14, '0');
}

/** The groups of a step at once, and the next step only when all of them have room. */
async function inSteps(
  steps: readonly (readonly (readonly number[])[])[],
  ask: (group: readonly number[]) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const groups of steps) {
    outcomes.push(...(await allOf(groups.map(ask))));
    if (outcomes.some(({ full }) => full !== -1)) break;
  }
  return outcomes;
}

async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
