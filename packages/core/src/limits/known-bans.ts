import type { Clock } from '../vocabulary/ports.ts';
import type { Ban, BanTerms } from '../vocabulary/store-contract.ts';
import { BanTable } from './ban-table.ts';

const MOST = 10_000;
const RETRY_AFTER = 1_000;

export interface BanSource {
  ban(key: string, terms: BanTerms): Promise<Ban>;
  bans(limit: number): Promise<readonly Ban[]>;
}

/** The store's bans, and those that this process imposed while the store was away and then reports to it. */
export class KnownBans {
  readonly #table = new BanTable(MOST);
  /** Bans that no other node knows of. */
  readonly #unstored = new Set<string>();
  /** Keys of news that came while the store was being asked, and are newer than its answer. */
  #heard: Set<string> | undefined;
  #closed = false;
  #cancelRetry: (() => void) | undefined;

  constructor(
    readonly clock: Clock,
    readonly memory: number,
    readonly source: BanSource,
  ) {}

  left(key: string): number {
    return this.#table.left(key, this.clock.now());
  }

  /** Milliseconds until a ban ends that the store does not know of. */
  leftUnstored(keys: readonly string[]): number {
    if (this.#unstored.size === 0) return 0;
    return Math.max(0, ...keys.filter((key) => this.#unstored.has(key)).map((key) => this.left(key)));
  }

  get(key: string): Ban | undefined {
    return this.#table.get(key, this.clock.now());
  }

  list(limit: number): Ban[] {
    return this.#table.list(this.clock.now(), limit);
  }

  impose(key: string, terms: BanTerms): Ban {
    const ban = this.#table.add(key, terms, this.clock.now());
    if (this.#unstored.size < MOST) this.#unstored.add(key);
    this.#agreeLater();
    return ban;
  }

  imposed(ban: Ban): void {
    this.#table.put(ban, this.memory, this.clock.now());
    this.#settled(ban.key);
  }

  lifted(key: string): void {
    this.#table.delete(key, this.clock.now());
    this.#settled(key);
  }

  /** Reports unstored bans and copies the store's, with retries until both succeed. */
  async agree(): Promise<void> {
    if (this.#heard !== undefined || this.#closed) return;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#heard = new Set();
    try {
      for (const key of this.#unstored) await this.#tell(key);
      this.#takeOver(await this.source.bans(MOST), this.#heard);
    } catch {
      this.#agreeLater();
    } finally {
      this.#heard = undefined;
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
  }

  #settled(key: string): void {
    this.#unstored.delete(key);
    this.#heard?.add(key);
  }

  async #tell(key: string): Promise<void> {
    const left = this.left(key);
    if (left > 0) {
      await this.source.ban(key, { duration: left, growth: 1, longest: left, memory: this.memory });
    }
    this.#unstored.delete(key);
  }

  #takeOver(bans: readonly Ban[], heard: ReadonlySet<string>): void {
    const now = this.clock.now();
    const stored = new Set(bans.map(({ key }) => key));
    // Bans that were lifted without this process hearing of it.
    for (const { key } of this.#table.list(now, MOST)) {
      if (!(stored.has(key) || heard.has(key) || this.#unstored.has(key))) this.#table.delete(key, now);
    }
    for (const ban of bans) {
      if (!heard.has(ban.key)) this.#table.put(ban, this.memory, now);
    }
  }

  #agreeLater(): void {
    // A later ban does not postpone the retry.
    if (this.#closed || this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.clock.schedule(RETRY_AFTER, () => {
      this.#cancelRetry = undefined;
      void this.agree();
    });
  }
}
