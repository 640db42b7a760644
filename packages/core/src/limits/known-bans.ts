import type { Clock } from '../vocabulary/ports.ts';
import type { Ban, BanTerms } from '../vocabulary/store.ts';
import { BanTable } from './ban-table.ts';

/** The most bans that a process knows of. */
const MOST = 10_000;
/** Milliseconds between two tries to agree with the store. */
const RETRY_AFTER = 1_000;

/** What the store does for them; rejects where it is away. */
export interface BanSource {
  ban(key: string, terms: BanTerms): Promise<Ban>;
  bans(limit: number): Promise<readonly Ban[]>;
}

/**
 * What this process knows of bans: a copy of what the store has, and what was decided here while the store was away, which
 * it is told when it is back. Bounded: at the bound a ban that ends soon makes room.
 */
export class KnownBans {
  readonly #table = new BanTable(MOST);
  /** Bans that no other node knows of. */
  readonly #unstored = new Set<string>();
  /** What was heard of while the store was being asked: newer than its answer. */
  #heard: Set<string> | undefined;
  #closed = false;
  #cancelRetry: (() => void) | undefined;

  constructor(
    readonly clock: Clock,
    /** Milliseconds after its end for which a ban is remembered. */
    readonly memory: number,
    readonly source: BanSource,
  ) {}

  /** Milliseconds that it still lasts, as far as this process knows. */
  left(key: string): number {
    return this.#table.left(key, this.clock.now());
  }

  /** The same of bans that the store cannot know of. */
  leftUnstored(keys: readonly string[]): number {
    if (this.#unstored.size === 0) return 0;
    return Math.max(0, ...keys.filter((key) => this.#unstored.has(key)).map((key) => this.left(key)));
  }

  /** The ban in force. */
  get(key: string): Ban | undefined {
    return this.#table.get(key, this.clock.now());
  }

  list(limit: number): Ban[] {
    return this.#table.list(this.clock.now(), limit);
  }

  /** Bans in this process alone, until the store is back. */
  impose(key: string, terms: BanTerms): Ban {
    const ban = this.#table.add(key, terms, this.clock.now());
    if (this.#unstored.size < MOST) this.#unstored.add(key);
    this.#agreeLater();
    return ban;
  }

  /** The store has told of a ban. */
  imposed(ban: Ban): void {
    this.#table.put(ban, this.memory, this.clock.now());
    this.#settled(ban.key);
  }

  /** It has told that one was lifted. */
  lifted(key: string): void {
    this.#table.delete(key, this.clock.now());
    this.#settled(key);
  }

  /** Tells the store what it has not been told and takes over what it knows, again and again until both have been done. */
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
    // Those that were lifted while nobody was told.
    for (const { key } of this.#table.list(now, MOST)) {
      if (!(stored.has(key) || heard.has(key) || this.#unstored.has(key))) this.#table.delete(key, now);
    }
    for (const ban of bans) {
      if (!heard.has(ban.key)) this.#table.put(ban, this.memory, now);
    }
  }

  #agreeLater(): void {
    // What is decided in the meantime puts nothing off.
    if (this.#closed || this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.clock.schedule(RETRY_AFTER, () => {
      this.#cancelRetry = undefined;
      void this.agree();
    });
  }
}
