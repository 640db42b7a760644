import type { AttemptSource } from './auth/attempts.ts';
import { identityKey } from './auth/judge.ts';
import { isPromise } from './decision.ts';
import { parseAddress } from './handshake/address.ts';
import { addressKey } from './handshake/rate.ts';
import { Offences } from './limits/offences.ts';
import type { StoreAccess } from './limits/store-access.ts';
import type { Clock, Identity } from './ports.ts';
import type { Ban, BanTerms, RateLimit } from './store.ts';
import { type Duration, parseDuration } from './units.ts';

/** Exactly one of the two. */
export interface BanTarget {
  /** An IP address; of an IPv6 address its whole /64. */
  readonly address?: string;
  readonly subject?: string;
}

export interface BanOptions extends BanTarget {
  /** How long. Default: as `policy.bans` says, growing on repetition. */
  readonly for?: Duration;
}

/** How bans come about; `undefined` where only operators ban. */
export interface BanPolicy {
  readonly after: RateLimit | undefined;
  readonly terms: BanTerms;
  /** Whose open connections a ban closes. */
  readonly closes: 'identity' | 'all' | 'none';
}

/** Who is kept out for a while, by whom it was decided, and what becomes of open connections. */
export class Bans {
  readonly #offences: Offences | undefined;
  readonly #underWay = new Set<string>();

  constructor(
    readonly store: StoreAccess,
    readonly policy: BanPolicy,
    clock: Clock,
    /** A ban that could not be stored: it holds in this process alone. */
    readonly onFault: (error: unknown) => void,
  ) {
    const { after } = policy;
    this.#offences = after === undefined ? undefined : new Offences(clock, after, (key) => this.#ban(key));
  }

  /** The bans in force on every node, at most `limit` (default 1,000) of them. */
  list(limit = 1_000): Promise<readonly Ban[]> {
    return this.store.bans(limit);
  }

  /** Bans from now on. Resolves once every node can know. */
  async add({ for: duration, ...target }: BanOptions): Promise<Ban> {
    const { terms } = this.policy;
    const key = keyOf(target);
    if (duration === undefined) return this.store.ban(key, terms);
    const milliseconds = parseDuration(duration, 'bans.add({ for })');
    return this.store.ban(key, { ...terms, duration: milliseconds, growth: 1, longest: milliseconds });
  }

  /** Lifts a ban, and forgets that there was one. Resolves with whether there was. Rejects while the store is away. */
  async lift(target: BanTarget): Promise<boolean> {
    return this.store.unban(keyOf(target));
  }

  /** Counts something that only the peer itself can have done, against the identity where there is one. */
  offence(source: AttemptSource, identity?: Identity): void {
    if (identity !== undefined && identity.scheme !== 'anonymous')
      this.#offences?.count(identityKey(identity.subject));
    else if (source.bannable) this.#offences?.count(addressKey(source.bucket));
  }

  /** Whether a ban is about an open connection that it closes. */
  closes(ban: Ban, bucket: string, { scheme, subject }: Identity): boolean {
    const { closes } = this.policy;
    if (closes === 'none') return false;
    if (scheme !== 'anonymous' && ban.key === identityKey(subject)) return true;
    return closes === 'all' && ban.key === addressKey(bucket);
  }

  #ban(key: string): void {
    if (this.#underWay.has(key) || this.store.bannedFor(key) > 0) return;
    this.#underWay.add(key);
    const done = (): void => void this.#underWay.delete(key);
    try {
      const ban = this.store.ban(key, this.policy.terms);
      if (isPromise(ban)) ban.then(done, (error) => (done(), this.onFault(error)));
      else done();
    } catch (error) {
      done();
      this.onFault(error);
    }
  }
}

function keyOf({ address, subject }: BanTarget): string {
  if ((address === undefined) === (subject === undefined) || subject === '') {
    throw new TypeError('A ban is about exactly one of address and subject.');
  }
  if (subject !== undefined) return identityKey(subject);
  const parsed = parseAddress(address as string);
  if (parsed === undefined) throw new TypeError(`'${address}' is not an IP address.`);
  return addressKey(parsed.bucket);
}
