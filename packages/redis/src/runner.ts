import { closed } from './clients/readiness.ts';
import type { RedisPort } from './clients/redis-port.ts';
import { Deadline } from './deadline.ts';
import { slotOf } from './hash-slot.ts';
import { RedisStoreError } from './redis-store-error.ts';
import type { Script } from './script.ts';

/** Hash slots of a Cluster that count as one part. A node holds thousands of neighbouring slots. */
const PART = 256;

/** Runs scripts so that every call settles in time, and no commands queue in a client without a connection. */
export class Runner {
  /** Commands without an answer by part, also those whose deadline has passed. */
  readonly #pending = new Map<number, number>();

  constructor(
    readonly port: RedisPort,
    readonly timeout: number,
    readonly maxPending: number,
  ) {}

  deadline(): Deadline {
    return new Deadline(this.timeout);
  }

  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    deadline = this.deadline(),
    late?: (reply: unknown) => void,
  ): Promise<unknown> {
    return deadline.bound(this.#send(script, keys, args.map(String), deadline), late);
  }

  /** The indexes of keys that one script can take: all of them, or on a Cluster those of each hash slot. */
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

  slotOf(key: string): number {
    return this.port.cluster ? slotOf(key) : 0;
  }

  /** Keys of one part are probably on one node and fail together. */
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
    // A command that waits here cannot reach Redis after its deadline.
    while (port.state === 'offline') await port.whenReady(deadline);
    if (port.state === 'closed') throw closed();
    const part = this.partOf(keys[0]);
    const pending = this.#pending.get(part) ?? 0;
    if (pending >= this.maxPending)
      throw new RedisStoreError('busy', `${this.maxPending} commands wait for Redis already.`);
    this.#pending.set(part, pending + 1);
    try {
      return await port.evalsha(script, keys, args).catch((error: unknown) => {
        // Redis was restarted, or has not seen the script yet.
        if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
          return port.eval(script, keys, args);
        throw error;
      });
    } finally {
      this.#pending.set(part, (this.#pending.get(part) ?? 1) - 1);
    }
  }
}
