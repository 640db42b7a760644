import type { AttemptSource } from '../auth/attempts.ts';
import { identityKey } from '../auth/credential-verifier.ts';
import { type Client, parseAddress } from '../handshake/address.ts';
import { addressKey } from '../handshake/handshake-rate.ts';
import { Offences } from '../limits/offences.ts';
import type { StoreAccess } from '../limits/store-access.ts';
import type { BanSettings } from '../policy/server-settings.ts';
import { type Denial, deny, isPromise } from '../vocabulary/decision.ts';
import type { Clock, Identity } from '../vocabulary/ports.ts';
import type { Ban } from '../vocabulary/store-contract.ts';
import { type Duration, parseDuration } from '../vocabulary/units.ts';

/** What is banned: exactly one of address and subject. */
export interface BanTarget {
  /** An IP address. Of an IPv6 address, the whole /64 is meant. */
  readonly address?: string;
  readonly subject?: string;
}

/** What `guard.bans.add` bans, and for how long. */
export interface BanOptions extends BanTarget {
  /** How long the ban lasts. Default: as `policy.bans` says, longer with each repetition. */
  readonly for?: Duration;
}

/** Lists, adds and lifts bans. */
export interface Bans {
  /** The bans in force on every node, at most `limit` (default 1,000) of them. */
  list(limit?: number): Promise<readonly Ban[]>;
  /**
   * Bans an address or a subject from now on. Resolves once the store has the ban, from which every node reads it. While the store
   * is unavailable, the ban holds in this process only, and the other nodes get it when the store is back.
   *
   * @throws TypeError for an invalid IP address, and for one that is never banned: loopback, and those of `policy.trustedProxies`.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * await guard.bans.add({ subject: 'mallory', for: '1d' });
   * await guard.bans.add({ address: '203.0.113.7' });
   * ```
   */
  add(options: BanOptions): Promise<Ban>;
  /**
   * Lifts a ban, so that the next one starts short again. Resolves with whether there was a ban. Rejects while the store is
   * unavailable.
   */
  lift(target: BanTarget): Promise<boolean>;
}

/** Imposes bans, after too many offences or for operators, and decides which connections a ban closes. */
export class BanKeeper implements Bans {
  readonly #offences: Offences | undefined;
  readonly #underWay = new Set<string>();

  constructor(
    readonly store: StoreAccess,
    readonly settings: BanSettings,
    clock: Clock,
    /** Returns how an address is counted, and whether it may be banned at all. */
    readonly sourceOf: (address: string) => AttemptSource,
    /** Called when a ban could not be stored. It then holds in this process only. */
    readonly onFault: (error: unknown) => void,
  ) {
    const { after } = settings;
    this.#offences = after === undefined ? undefined : new Offences(clock, after, (key) => this.#ban(key));
  }

  list(limit = 1_000): Promise<readonly Ban[]> {
    return this.store.bans(limit);
  }

  async add({ for: duration, ...target }: BanOptions): Promise<Ban> {
    const { terms } = this.settings;
    const key = this.#keyOf(target);
    if (target.address !== undefined && !this.sourceOf(target.address).bannable) {
      throw new TypeError(
        `'${target.address}' is this machine or a listed proxy, behind which everybody is.`,
      );
    }
    if (duration === undefined) return this.store.ban(key, terms);
    const milliseconds = parseDuration(duration, 'bans.add({ for })');
    return this.store.ban(key, { ...terms, duration: milliseconds, growth: 1, longest: milliseconds });
  }

  async lift(target: BanTarget): Promise<boolean> {
    return this.store.unban(this.#keyOf(target));
  }

  /** Counts an offence of the identity, or of the address if there is no identity. */
  offence(source: AttemptSource, identity?: Identity): void {
    if (identity !== undefined && identity.scheme !== 'anonymous')
      this.#offences?.count(identityKey(identity.subject));
    else if (source.bannable) this.#offences?.count(addressKey(source.bucket));
  }

  /** The denial of an address that was banned after its handshake had passed; `undefined` if it was not. */
  refuses(client: Client | undefined): Denial | undefined {
    if (client?.bannable !== true) return undefined;
    const left = this.store.bannedFor(addressKey(client.address.bucket));
    return left > 0 ? deny('banned', 'this address is banned', left) : undefined;
  }

  /** Whether a ban closes an open connection with this address and identity. */
  closes(ban: Ban, address: string, { scheme, subject }: Identity): boolean {
    const { closes } = this.settings;
    if (closes === 'none') return false;
    if (ban.key.startsWith(identityKey('')))
      return scheme !== 'anonymous' && ban.key === identityKey(subject);
    if (closes === 'identity') return false;
    const { bucket, bannable } = this.sourceOf(address);
    return bannable && ban.key === addressKey(bucket);
  }

  #ban(key: string): void {
    if (this.#underWay.has(key) || this.store.bannedFor(key) > 0) return;
    this.#underWay.add(key);
    const done = (): void => void this.#underWay.delete(key);
    try {
      const ban = this.store.ban(key, this.settings.terms);
      if (isPromise(ban)) ban.catch(this.onFault).finally(done);
      else done();
    } catch (error) {
      done();
      this.onFault(error);
    }
  }

  #keyOf({ address, subject }: BanTarget): string {
    if ((address === undefined) === (subject === undefined) || subject === '') {
      throw new TypeError('A ban is about exactly one of address and subject.');
    }
    return subject === undefined ? addressKey(this.#bucketOf(address as string)) : identityKey(subject);
  }

  #bucketOf(address: string): string {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new TypeError(`'${address}' is not an IP address.`);
    return parsed.bucket;
  }
}
