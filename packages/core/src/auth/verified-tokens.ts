import type { Identity } from '../vocabulary/ports.ts';

interface Entry {
  readonly identity: Identity;
  readonly bytes: number;
}

/** What a map entry, an identity and its claims take beside the token's own text. */
const OVERHEAD = 1_024;

/**
 * Tokens whose signature has been verified, of one authenticator and one generation of its keys. It spares the
 * cryptography only: whoever takes an identity from here still has to judge its times. Holds no failures, so that
 * guessing fills nothing; at its bound in bytes the least recently used entry makes room.
 */
export class VerifiedTokens {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #generation: unknown;
  /** The last one in `#entries`: whoever it is once more need not be moved there. */
  #latest: string | undefined;

  constructor(readonly maxBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** The identity that this very text was verified for, under these keys. */
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

  /** Forgets the tokens of some identities. */
  forget(which: (identity: Identity) => boolean): void {
    for (const [token, { identity }] of this.#entries) if (which(identity)) this.delete(token);
  }

  /** Forgets everything, and takes what comes from now on as of this generation. */
  clear(generation: unknown): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#generation = generation;
  }
}
