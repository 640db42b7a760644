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

/** Exactly one of the two. */
export interface BanTarget {
  /** An IP address; of an IPv6 address its whole /64. */
  readonly address?: string;
  readonly subject?: string;
}

/** Whom `guard.bans.add` bans, and for how long. */
export interface BanOptions extends BanTarget {
  /** How long. Default: as `policy.bans` says, growing on repetition. */
  readonly for?: Duration;
}

/** Who is kept out for a while: to see, to add to, and to lift. */
export interface Bans {
  /** The bans in force on every node, at most `limit` (default 1,000) of them. */
  list(limit?: number): Promise<readonly Ban[]>;
  /**
   * Bans from now on, as if it had been earned. Resolves once every node can know; while the store is away with a ban in this
   * process, of which the others are told when it is back.
   *
   * @throws TypeError for no IP address, and for one that is never banned: loopback, and what `policy.trustedProxies` lists.
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
  /** Lifts a ban, and forgets that there was one. Resolves with whether there was. Rejects while the store is away. */
  lift(target: BanTarget): Promise<boolean>;
}

/** Imposes the bans that offences and operators call for, and says whom they concern. */
export class BanKeeper implements Bans {
  readonly #offences: Offences | undefined;
  readonly #underWay = new Set<string>();

  constructor(
    readonly store: StoreAccess,
    readonly settings: BanSettings,
    clock: Clock,
    /** How an address is counted, and whether it may be banned at all. */
    readonly sourceOf: (address: string) => AttemptSource,
    /** A ban that could not be stored: it holds in this process alone. */
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

  /** Counts something that only the peer itself can have done, against the identity where there is one. */
  offence(source: AttemptSource, identity?: Identity): void {
    if (identity !== undefined && identity.scheme !== 'anonymous')
      this.#offences?.count(identityKey(identity.subject));
    else if (source.bannable) this.#offences?.count(addressKey(source.bucket));
  }

  /** Whether an address was banned since its handshake was let in. */
  refuses(client: Client | undefined): Denial | undefined {
    if (client?.bannable !== true) return undefined;
    const left = this.store.bannedFor(addressKey(client.address.bucket));
    return left > 0 ? deny('banned', 'this address is banned', left) : undefined;
  }

  /** Whether a ban is about an open connection that it closes. */
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
