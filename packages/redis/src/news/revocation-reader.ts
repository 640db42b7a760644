import type { Revocation } from '@sallyport/core/store';
import { Seen } from './news-message.ts';
import { BATCH, isAfter, type RevocationStream } from './revocation-stream.ts';

const START = '0-0';
/** How many revocations that were heard of are told apart from those that are read. Beyond, some are told twice. */
const MAX_HEARD = 100_000;

/** Who is told, and who still knows what Redis has forgotten. */
export interface Audience {
  /** Whether everybody took it. */
  revoked(revocation: Revocation): boolean;
  known(): Iterable<Revocation>;
  /** Redis has forgotten what it was told. */
  forgotten(): void;
}

/**
 * Reads the stream to its end, over and over, so that nothing is missed; knows since when it has been certain of that;
 * and notices when Redis has lost entries, all of them or the newest.
 */
export class RevocationReader {
  #after = START;
  #newest = '';
  #generation: string | undefined;
  /** Told when they were published, and not read yet. */
  #heard = new Set<string>();
  /** Something has to be read again from the start: somebody did not take it, or Redis has forgotten it. */
  #fromStart = false;
  #forgotten = false;
  #certainAt = Number.NEGATIVE_INFINITY;
  #uncertainUntil = Number.NEGATIVE_INFINITY;

  constructor(
    readonly stream: RevocationStream,
    readonly audience: Audience,
    /** Milliseconds within which every other node notices that Redis has forgotten everything, and tells what it knows. */
    readonly noticedWithin: number,
  ) {}

  staleness(): number {
    return performance.now() - this.#certainAt;
  }

  /** Somebody new has to be told everything. */
  restart(): void {
    this.#fromStart = true;
    this.#certainAt = Number.NEGATIVE_INFINITY;
  }

  /** It was published, or is this node's own. */
  hear(id: string | undefined, revocation: Revocation): void {
    if (id !== undefined) {
      if (this.#heard.has(id) || !isAfter(id, this.#after)) return;
      if (this.#heard.size >= MAX_HEARD) this.#heard.clear();
      this.#heard.add(id);
      if (isAfter(id, this.#newest)) this.#newest = id;
    }
    // Who did not take it is told again from the stream.
    if (!this.audience.revoked(revocation)) this.#fromStart = true;
  }

  async read(): Promise<void> {
    const started = performance.now();
    const seen = new Seen();
    if (this.#fromStart || this.#forgotten) this.#rewind();
    for (let more = true; more; ) {
      const { generation, remembered, entries } = await this.stream.read(this.#after, this.#newest);
      const known = this.#generation;
      this.#generation = generation;
      if (known !== undefined && (generation !== known || !remembered)) {
        this.#notice(started);
        continue;
      }
      for (const { id, revocation } of entries) {
        if (revocation !== undefined) this.#take(id, revocation, seen);
        this.#after = id;
        if (isAfter(id, this.#newest)) this.#newest = id;
      }
      more = entries.length === BATCH;
    }
    if (this.#forgotten) await this.#restore(seen);
    if (!this.#fromStart && started >= this.#uncertainUntil) this.#certainAt = started;
  }

  #take(id: string, revocation: Revocation, seen: Seen): void {
    if (this.#forgotten) seen.add(revocation);
    if (!this.#heard.delete(id) && !this.audience.revoked(revocation)) this.#fromStart = true;
  }

  #rewind(): void {
    this.#fromStart = false;
    this.#after = START;
    this.#heard.clear();
  }

  /** Others may know what this node has never heard of: it is certain again once they had the time to tell. */
  #notice(now: number): void {
    this.#forgotten = true;
    this.#uncertainUntil = now + this.noticedWithin;
    this.#newest = '';
    this.#rewind();
    this.audience.forgotten();
  }

  async #restore(seen: Seen): Promise<void> {
    const missing: Revocation[] = [];
    for (const revocation of this.audience.known()) {
      if (seen.covers(revocation)) continue;
      seen.add(revocation);
      missing.push(revocation);
    }
    await this.stream.restore(missing);
    this.#forgotten = false;
  }
}
