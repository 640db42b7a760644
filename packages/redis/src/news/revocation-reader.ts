import type { Revocation } from '@sallyport/core/store';
import { Seen } from './news-message.ts';
import { BATCH, isAfter, type RevocationStream } from './revocation-stream.ts';

const START = '0-0';
/** Bounds the published revocations that are recognized when they are read. Others are reported twice. */
const MAX_HEARD = 100_000;

export interface Audience {
  /** Whether every listener took it without throwing. */
  revoked(revocation: Revocation): boolean;
  known(): Iterable<Revocation>;
  forgotten(): void;
}

/**
 * Reads the stream to its end again and again, knows since when nothing is missing, and notices if Redis has lost
 * entries.
 */
export class RevocationReader {
  #after = START;
  #newest = '';
  #generation: string | undefined;
  #heard = new Set<string>();
  /** Read again from the start: a listener threw, or Redis has lost entries. */
  #fromStart = false;
  #forgotten = false;
  #certainAt = Number.NEGATIVE_INFINITY;
  #uncertainUntil = Number.NEGATIVE_INFINITY;

  constructor(
    readonly stream: RevocationStream,
    readonly audience: Audience,
    /** Milliseconds in which every other node notices that Redis has lost its data, and restores what it knows. */
    readonly noticedWithin: number,
  ) {}

  staleness(): number {
    return performance.now() - this.#certainAt;
  }

  restart(): void {
    this.#fromStart = true;
    this.#certainAt = Number.NEGATIVE_INFINITY;
  }

  hear(id: string | undefined, revocation: Revocation): void {
    if (id !== undefined) {
      if (this.#heard.has(id) || !isAfter(id, this.#after)) return;
      if (this.#heard.size >= MAX_HEARD) this.#heard.clear();
      this.#heard.add(id);
      if (isAfter(id, this.#newest)) this.#newest = id;
    }
    // The stream is read again for a listener that threw.
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

  /** Other nodes may restore revocations unknown here, so this node is stale until they had time for it. */
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
