import type { Clock, Identity } from '../vocabulary/ports.ts';
import type { Revocation } from '../vocabulary/store-contract.ts';

const KINDS = ['subject', 'session', 'tokenId'] as const;

/**
 * Whether a revocation covers this identity. A credential seen at `seenAt` (seconds) was issued by then, even if the
 * issuer's clock is ahead.
 */
export function concerns(
  revocation: Revocation,
  identity: Identity,
  seenAt = Number.POSITIVE_INFINITY,
): boolean {
  const named = KINDS.some((kind) => revocation[kind] !== undefined && revocation[kind] === identity[kind]);
  return named && wasIssuedBy(identity, revocation.issuedBefore, seenAt);
}

/** Whole seconds, inclusive. A credential without an issue date may be old, so it counts as revoked. */
function wasIssuedBy(
  { issuedAt }: Identity,
  issuedBefore: number,
  seenAt = Number.POSITIVE_INFINITY,
): boolean {
  return issuedAt === undefined || Math.floor(Math.min(issuedAt, seenAt)) <= issuedBefore;
}

interface Entry {
  /** Seconds since the epoch, inclusive. */
  readonly issuedBefore: number;
  /** Milliseconds since the epoch. By then every credential that it covers has expired. */
  readonly until: number;
}

/**
 * The revocations that this node knows of, by subject, session and token id. Not by the token's text, because an
 * ECDSA signature has a second valid form.
 */
export class RevocationList {
  readonly #entries = new Map<string, Entry>();

  constructor(
    readonly clock: Clock,
    /** Milliseconds. No accepted credential lives longer. */
    readonly retention: number,
    readonly maxEntries: number,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  /** @throws RangeError if the list is full of revocations that still matter. */
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

  /**
   * `tolerance` is by how many milliseconds the issuer's clock may be ahead: as many seconds more are covered, so that
   * what was issued before the revocation by this clock is refused whatever date it bears.
   */
  covers(identity: Identity, tolerance = 0): boolean {
    if (this.#entries.size === 0) return false;
    return KINDS.some((kind) => {
      const name = identity[kind];
      const entry = name === undefined ? undefined : this.#entries.get(`${kind} ${name}`);
      return entry !== undefined && wasIssuedBy(identity, entry.issuedBefore + tolerance / 1_000);
    });
  }

  *known(): Iterable<Revocation> {
    const now = this.clock.now();
    for (const [key, { issuedBefore, until }] of this.#entries) {
      const [kind = ''] = key.split(' ', 1);
      if (until > now) yield { [kind]: key.slice(kind.length + 1), issuedBefore };
    }
  }

  /** Relies on the order of entries, which is the order of their expiry. */
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
