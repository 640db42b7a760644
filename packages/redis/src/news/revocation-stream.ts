import { randomBytes } from 'node:crypto';
import type { Revocation } from '@sallyport/core/store';
import type { Keys } from '../redis-keys.ts';
import { RedisStoreError } from '../redis-store-error.ts';
import { listOf, textOf } from '../reply.ts';
import type { Runner } from '../runner.ts';
import { READ, RESTORE, REVOKE } from '../scripts/revocation-scripts.ts';
import { parseRevocation, revocationText } from './news-message.ts';

/** How many entries are read, or restored, at once. */
export const BATCH = 500;
/** How long a restored entry is known as such: longer than nodes take to notice that Redis has forgotten. */
const RESTORED_FOR = 60_000;

interface Entry {
  readonly id: string;
  /** Nothing where it was not written by this package. */
  readonly revocation: Revocation | undefined;
}

export interface Page {
  /** Another one than before means that Redis has forgotten everything. */
  readonly generation: string;
  /** Whether the newest entry that was heard of is there: after a failover it may not be. */
  readonly remembered: boolean;
  readonly entries: readonly Entry[];
}

/** Where revocations are kept for those that could not listen: a stream, and a random generation beside it. */
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

  /** Stores it, and tells those that listen. Resolves with its id; rejects where there is no room, and tells all the same. */
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

  /** Tells again what Redis has forgotten; of what several nodes tell, it keeps one. */
  async restore(revocations: readonly Revocation[]): Promise<void> {
    for (let i = 0; i < revocations.length; i += BATCH) {
      const texts = revocations.slice(i, i + BATCH).map(revocationText);
      const args = [this.retention, RESTORED_FOR, this.keys.channel, ...texts];
      await this.runner.run(RESTORE, [this.#stream, this.#restored], args);
    }
  }
}

/** Whether one entry's id comes after another's. */
export function isAfter(id: string, other: string): boolean {
  const [ms = 0, count = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherCount = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && count > otherCount);
}
