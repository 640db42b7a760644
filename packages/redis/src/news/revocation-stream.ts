import { randomBytes } from 'node:crypto';
import type { Revocation } from '@sallyport/core/store';
import type { Keys } from '../redis-keys.ts';
import { RedisStoreError } from '../redis-store-error.ts';
import { listOf, textOf } from '../reply.ts';
import type { Runner } from '../runner.ts';
import { READ, RESTORE, REVOKE } from '../scripts/revocation-scripts.ts';
import { parseRevocation, revocationText } from './news-message.ts';

export const BATCH = 500;
/**
 * Milliseconds for which restored entries are recognized: longer than nodes need to notice that Redis has lost its
 * data.
 */
const RESTORED_FOR = 60_000;

interface Entry {
  readonly id: string;
  /** `undefined` if this package did not write it. */
  readonly revocation: Revocation | undefined;
}

export interface Page {
  /** Changes if Redis has lost its data. */
  readonly generation: string;
  /** Whether the newest published entry is there. After a failover it may be missing. */
  readonly remembered: boolean;
  readonly entries: readonly Entry[];
}

/** Stores revocations for nodes that were disconnected: a stream, and a random generation beside it. */
export class RevocationStream {
  readonly #generation: string;
  readonly #stream: string;
  readonly #restored: string;

  constructor(
    readonly runner: Runner,
    readonly keys: Keys,
    readonly retention: number,
    readonly maxEntries: number,
  ) {
    this.#generation = keys.of('news', 'generation revocations');
    this.#stream = keys.of('news', 'stream revocations');
    this.#restored = keys.of('news', 'restored revocations');
  }

  /**
   * Stores and publishes a revocation, and resolves with its id. Rejects if there is no room, but publishes it all
   * the same.
   */
  async add(revocation: Revocation): Promise<string> {
    const args = [this.retention, this.maxEntries, this.keys.channel, revocationText(revocation)];
    const id = textOf(await this.runner.run(REVOKE, [this.#stream], args));
    if (id !== '') return id;
    throw new RedisStoreError(
      'full',
      `redisStore({ revocations }): ${this.maxEntries} revocations are kept already: no more can be remembered.`,
    );
  }

  async read(after: string, newest: string): Promise<Page> {
    const candidate = randomBytes(12).toString('base64url');
    const args = [candidate, this.retention, after, BATCH, newest];
    const reply = await this.runner.run(READ, [this.#generation, this.#stream], args);
    const [generation, remembered, ...fields] = listOf(reply).map(textOf);
    const entries: Entry[] = [];
    for (let i = 0; i < fields.length; i += 2)
      entries.push({ id: fields[i] ?? '', revocation: parseRevocation(fields[i + 1] ?? '') });
    return { generation: generation ?? '', remembered: remembered === '1', entries };
  }

  /** Restores what Redis has lost. Of equal revocations from several nodes, one is kept. */
  async restore(revocations: readonly Revocation[]): Promise<void> {
    for (let i = 0; i < revocations.length; i += BATCH) {
      const texts = revocations.slice(i, i + BATCH).map(revocationText);
      const args = [this.retention, RESTORED_FOR, this.keys.channel, ...texts];
      await this.runner.run(RESTORE, [this.#stream, this.#restored], args);
    }
  }
}

export function isAfter(id: string, other: string): boolean {
  const [ms = 0, count = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherCount = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && count > otherCount);
}
