import { closed } from './clients/readiness.ts';
import type { RedisPort } from './clients/redis-port.ts';
import { Deadline } from './deadline.ts';
import { slotOf } from './hash-slot.ts';
import { RedisStoreError } from './redis-store-error.ts';
import type { Script } from './script.ts';

/** How many hash slots of a Cluster make one part of it. Its nodes have ranges of thousands. */
const PART = 256;

/** Runs scripts so that each call settles in time, and nothing piles up in a client that has no connection. */
export class Runner {
  /** Commands without an answer, those included that nobody waits for any more, by part. */
  readonly #pending = new Map<number, number>();

  constructor(
    readonly port: RedisPort,
    readonly timeout: number,
    readonly maxPending: number,
  ) {}

  deadline(): Deadline {
    return new Deadline(this.timeout);
  }

  /** An answer that comes after the deadline goes to `late`. */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    deadline = this.deadline(),
    late?: (reply: unknown) => void,
  ): Promise<unknown> {
    return deadline.bound(this.#send(script, keys, args.map(String), deadline), late);
  }

  /** Indexes of keys that one script can have at once: all of them, or on a Cluster those of one hash slot. */
  groups(keys: readonly string[]): number[][] {
    const groups = new Map<number, number[]>();
    for (const [index, key] of keys.entries()) {
      const slot = this.slotOf(key);
      const group = groups.get(slot);
      if (group === undefined) groups.set(slot, [index]);
      else group.push(index);
    }
    return [...groups.values()];
  }

  /** Keys of one hash slot can be in one script; without a Cluster there is one for all. */
  slotOf(key: string): number {
    return this.port.cluster ? slotOf(key) : 0;
  }

  /** Keys of one part are likely to be on one node, so that they fail together. */
  partOf(key: string | undefined): number {
    return key === undefined ? 0 : Math.floor(this.slotOf(key) / PART);
  }

  async #send(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    deadline: Deadline,
  ): Promise<unknown> {
    const { port } = this;
    // What a client has not been given cannot reach Redis long after everybody has stopped waiting for it.
    while (port.state === 'offline') await port.whenReady(deadline);
    if (port.state === 'closed') throw closed();
    const part = this.partOf(keys[0]);
    const pending = this.#pending.get(part) ?? 0;
    if (pending >= this.maxPending)
      throw new RedisStoreError('busy', `${this.maxPending} commands wait for Redis already.`);
    this.#pending.set(part, pending + 1);
    try {
      return await port.evalsha(script, keys, args).catch((error: unknown) => {
        // Redis was restarted, or has never seen it.
        if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
          return port.eval(script, keys, args);
        throw error;
      });
    } finally {
      this.#pending.set(part, (this.#pending.get(part) ?? 1) - 1);
    }
  }
}
