import type { Identity } from '../vocabulary/ports.ts';

interface Entry {
  readonly identity: Identity;
  readonly bytes: number;
}

/** Bytes of a map entry, an identity and its claims. */
const OVERHEAD = 1_024;

/**
 * Caches verified tokens of one authenticator and one generation of its keys. Callers must still check the times.
 * Failures are not cached, so guesses cannot fill it. At its bound it evicts the least recently used token.
 */
export class VerifiedTokens {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #generation: unknown;
  /** The newest entry, which needs no move to the end of the map. */
  #latest: string | undefined;

  constructor(readonly maxBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  get(token: string, generation: unknown): Identity | undefined {
    if (generation !== this.#generation) this.clear(generation);
    const entry = this.#entries.get(token);
    if (entry === undefined) return undefined;
    if (token !== this.#latest) {
      this.#entries.delete(token);
      this.#entries.set(token, entry);
      this.#latest = token;
    }
    return entry.identity;
  }

  set(token: string, identity: Identity, generation: unknown): void {
    if (generation !== this.#generation) this.clear(generation);
    this.delete(token);
    const bytes = 2 * token.length + OVERHEAD;
    if (bytes > this.maxBytes) return;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + bytes <= this.maxBytes) break;
      this.delete(oldest);
    }
    this.#entries.set(token, { identity, bytes });
    this.#latest = token;
    this.#bytes += bytes;
  }

  delete(token: string): void {
    const entry = this.#entries.get(token);
    if (entry === undefined) return;
    this.#entries.delete(token);
    this.#bytes -= entry.bytes;
  }

  forget(which: (identity: Identity) => boolean): void {
    for (const [token, { identity }] of this.#entries) if (which(identity)) this.delete(token);
  }

  clear(generation: unknown): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#generation = generation;
  }
}
