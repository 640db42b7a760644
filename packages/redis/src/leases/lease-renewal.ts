import { inParts } from '../in-parts.ts';
import { Repeater } from '../repeater.ts';
import { listOf, numberOf } from '../reply.ts';
import type { Runner } from '../runner.ts';
import { RENEW } from '../scripts/slot-scripts.ts';
import type { HeldLease, Slot } from './held-lease.ts';
import { keyOfChunk, leasesOf, type Part, SlotTable } from './held-slots.ts';
import type { Releases } from './releases.ts';

/** Renews all slots of this node with one timer, and a script for every few hundred slots. */
export class Renewal {
  readonly #held = new SlotTable();
  readonly #repeater: Repeater;

  constructor(
    readonly runner: Runner,
    readonly releases: Releases,
    readonly leaseTtl: number,
  ) {
    // Two attempts fit into a lease. After a failure, the next attempts follow sooner.
    const retry = Math.min(1_000, leaseTtl / 10);
    this.#repeater = new Repeater(() => this.#renew(this.#held), leaseTtl / 3, retry);
  }

  add(lease: HeldLease): void {
    this.#held.add(lease.slots);
    this.#repeater.start();
  }

  delete(lease: HeldLease): void {
    this.#held.delete(lease.slots);
    if (this.#held.isEmpty) this.#repeater.stop();
  }

  /** A newer holder has a slot of this lease: the others are given back. */
  replaced(lease: HeldLease): void {
    this.#lose(lease, true);
  }

  find(key: string, holder: string): HeldLease | undefined {
    return this.#held.find(key, holder)?.lease;
  }

  now(): void {
    this.#repeater.now();
  }

  /** Extends slots that were taken for half a lease. If that fails, the next renewal does it. */
  confirm(lease: HeldLease): void {
    const table = new SlotTable();
    table.add(lease.slots);
    this.#renew(table).catch(() => {});
  }

  #renew(table: SlotTable): Promise<void> {
    const chunks = table.chunks(!this.runner.port.cluster);
    return inParts(this.runner, chunks, keyOfChunk, (parts) => this.#renewParts(parts));
  }

  async #renewParts(parts: readonly Part[]): Promise<void> {
    const slots = parts.flatMap((part) => part.slots);
    const args = parts.flatMap((part) => [
      part.slots[0]?.cap ?? 0,
      part.slots.length,
      ...part.slots.map(({ holder }) => holder),
    ]);
    const reply = await this.runner.run(
      RENEW,
      parts.map(({ key }) => key),
      [this.leaseTtl, ...args],
    );
    const lost = listOf(reply).map((position) => slots[numberOf(position)] as Slot);
    // Whatever took a slot that gives way is newer, also where the news of it has not come yet.
    for (const lease of leasesOf(lost.filter(({ replaces }) => replaces))) this.#lose(lease, true);
    for (const lease of leasesOf(lost)) this.#lose(lease);
    // A lease that was released meanwhile may just have been renewed.
    this.releases.add(slots.filter(({ lease }) => !lease.isHeld));
  }

  #lose(lease: HeldLease, replaced = false): void {
    if (!lease.isHeld) return;
    this.delete(lease);
    lease.lose(replaced);
    this.releases.add(lease.slots);
  }
}
