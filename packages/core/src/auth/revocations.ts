import type { Clock, Identity } from '../vocabulary/ports.ts';
import type { Revocation } from '../vocabulary/store.ts';

/** One kind of thing that can be revoked. */
const KINDS = ['subject', 'session', 'tokenId'] as const;

/**
 * Whether a revocation is about this identity, and its credential is old enough for it. What was seen at a time
 * (seconds) had been issued by then, whatever an issuer's clock that is ahead of this one says.
 */
export function concerns(
  revocation: Revocation,
  identity: Identity,
  seenAt = Number.POSITIVE_INFINITY,
): boolean {
  const named = KINDS.some((kind) => revocation[kind] !== undefined && revocation[kind] === identity[kind]);
  return named && wasIssuedBy(identity, revocation.issuedBefore, seenAt);
}

/** In whole seconds, inclusive. A credential without an issue date might be older, so it counts as that. */
function wasIssuedBy(
  { issuedAt }: Identity,
  issuedBefore: number,
  seenAt = Number.POSITIVE_INFINITY,
): boolean {
  return issuedAt === undefined || Math.floor(Math.min(issuedAt, seenAt)) <= issuedBefore;
}

interface Entry {
  /** Whole seconds since the epoch, inclusive. */
  readonly issuedBefore: number;
  /** Wall-clock milliseconds after which no credential can be left that this concerns. */
  readonly until: number;
}

/**
 * What this process knows to be revoked: by subject, session and token id, never by token text, since one signature
 * can have more than one (an ECDSA signature has a second valid form).
 */
export class RevocationList {
  readonly #entries = new Map<string, Entry>();

  constructor(
    readonly clock: Clock,
    /** Milliseconds for which an entry is kept: no accepted credential may live longer. */
    readonly retention: number,
    readonly maxEntries: number,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  /** @throws RangeError when the list is full of entries that still matter. */
  add(revocation: Revocation): void {
    const until = this.clock.now() + this.retention;
    for (const kind of KINDS) {
      const name = revocation[kind];
      if (name === undefined) continue;
      const key = `${kind} ${name}`;
      const earlier = this.#entries.get(key);
      if (earlier === undefined && this.#entries.size >= this.maxEntries) this.#makeRoom();
      const issuedBefore = Math.max(revocation.issuedBefore, earlier?.issuedBefore ?? 0);
      this.#entries.delete(key);
      this.#entries.set(key, { issuedBefore, until });
    }
  }

  /** Whether a credential of this identity is revoked. */
  covers(identity: Identity): boolean {
    if (this.#entries.size === 0) return false;
    return KINDS.some((kind) => {
      const name = identity[kind];
      const entry = name === undefined ? undefined : this.#entries.get(`${kind} ${name}`);
      return entry !== undefined && wasIssuedBy(identity, entry.issuedBefore);
    });
  }

  /** Every revocation that still matters. */
  *known(): Iterable<Revocation> {
    const now = this.clock.now();
    for (const [key, { issuedBefore, until }] of this.#entries) {
      const [kind = ''] = key.split(' ', 1);
      if (until > now) yield { [kind]: key.slice(kind.length + 1), issuedBefore };
    }
  }

  /** Entries are in the order in which they expire. */
  #makeRoom(): void {
    const now = this.clock.now();
    for (const [key, { until }] of this.#entries) {
      if (until > now) break;
      this.#entries.delete(key);
    }
    if (this.#entries.size >= this.maxEntries) {
      throw new RangeError(
        `limits.revocations (${this.maxEntries}) is reached: nothing more can be remembered as revoked.`,
      );
    }
  }
}
