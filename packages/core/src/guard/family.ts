import { type AttemptSource, Attempts } from '../auth/attempts.ts';
import { CredentialVerifier } from '../auth/credential-verifier.ts';
import { concerns, RevocationList } from '../auth/revocations.ts';
import type { ConnectionState } from '../connection/connection.ts';
import type { Pending } from '../connection/pending.ts';
import { compileTrustedProxies, sourceOfAddress } from '../handshake/address.ts';
import type { HandshakeSettings } from '../handshake/handshake.ts';
import type { Reading } from '../handshake/handshake-context.ts';
import { compileHosts } from '../handshake/host.ts';
import { outerDoor } from '../handshake/outer-door.ts';
import { type Caps, Slots } from '../handshake/slot-reservation.ts';
import { unsafeAllowPlaintext } from '../handshake/transport.ts';
import { IdentityRates } from '../limits/identity-rates.ts';
import { StoreAccess } from '../limits/store-access.ts';
import { REPORTABLE } from '../policy/credential-check.ts';
import { systemClock, Timers } from '../vocabulary/clock.ts';
import { EventHub } from '../vocabulary/events.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Ban, Revocation } from '../vocabulary/store.ts';
import { parseCount, parseDuration, parseRate, parseSize } from '../vocabulary/units.ts';
import { type BanPolicy, Bans } from './bans.ts';
import { CredentialSources } from './credential-sources.ts';
import { Registry, type Withdrawable } from './registry.ts';
import { type AnyPolicy, reportingTo } from './route.ts';
import { Shutdown } from './shutdown.ts';
import { Tally } from './tally.ts';
import { Ticker } from './ticker.ts';
import { consoleLogger, Warnings } from './warnings.ts';

/** What a guard and all its extensions share: one outer door, one store, one registry, one set of caps. */
export class GuardFamily {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly store: StoreAccess;
  readonly bans: Bans;
  readonly events: EventHub;
  readonly warnings: Warnings;
  readonly slots: Slots;
  readonly verifier: CredentialVerifier;
  readonly revocations: RevocationList;
  readonly settings: HandshakeSettings;
  readonly registry = new Registry();
  readonly credentialSources = new CredentialSources();
  readonly shutdown: Shutdown;
  readonly #ticker: Ticker;
  /** Absent where there is no such limit. */
  readonly #identityRates: IdentityRates | undefined;
  readonly closeTimeout: number;
  readonly earlyBytes: number;
  readonly rejectedSockets: number;
  readonly compression: boolean;
  /** Whether the application named a logger, so that a host keeps its own out of it. */
  readonly hasOwnLogger: boolean;
  readonly tally = new Tally();

  constructor(policy: AnyPolicy) {
    const limits = policy.limits ?? {};
    this.clock = policy.clock ?? systemClock;
    this.timers = new Timers(this.clock);
    this.events = new EventHub(policy.name ?? 'default', this.clock);
    this.hasOwnLogger = policy.logger !== undefined;
    this.warnings = new Warnings(
      policy.logger === false ? undefined : (policy.logger ?? consoleLogger),
      this.clock,
    );
    this.warnings.follow(this.events);
    this.tally.follow(this.events);
    this.revocations = new RevocationList(
      this.clock,
      parseDuration(limits.revocationRetention ?? '30d', 'policy.limits.revocationRetention'),
      parseCount(limits.revocations ?? 100_000, 'policy.limits.revocations'),
    );
    const banPolicy = compileBans(policy.bans);
    const onFault = (error: unknown): void => this.events.fault('rate', error);
    this.store = new StoreAccess({
      clock: this.clock,
      store: policy.store,
      timeout: parseDuration(limits.storeTimeout ?? '500ms', 'policy.limits.storeTimeout'),
      modes: policy.onStoreFailure ?? {},
      banTerms: banPolicy.terms,
      maxRevocations: this.revocations.maxEntries,
      listener: {
        revoked: (revocation) => this.applyRevocation(revocation),
        banned: (ban) => this.#banned(ban),
        unbanned: (key) => this.events.emit('ban.lifted', () => ({ key })),
        known: () => this.revocations.known(),
      },
      onFailing: (error) => this.events.emit('store.failing', () => ({ error })),
      onRecovered: (milliseconds) => this.events.emit('store.recovered', () => ({ milliseconds })),
      onFault,
    });
    const sourceOf = (address: string): AttemptSource => this.sourceOf(address);
    this.bans = new Bans(this.store, banPolicy, this.clock, sourceOf, onFault);
    const replace = policy.onIdentityLimit === 'replace-oldest';
    this.slots = new Slots(
      this.store,
      capsOf(limits),
      replace ? (subject) => this.registry.replaceOldest(subject) : undefined,
    );
    const failures = parseRate(
      limits.authFailures ?? { rate: '20/m', burst: 20 },
      'policy.limits.authFailures',
    );
    this.verifier = new CredentialVerifier(
      this.clock,
      this.store,
      new Attempts(this.store, failures),
      this.revocations,
      parseDuration(limits.revocationStaleness ?? '30s', 'policy.limits.revocationStaleness'),
      (source) => this.bans.offence(source),
      this.timers,
    );
    this.#identityRates = this.#ratesOf(limits.identityMessages);
    this.#ticker = new Ticker(this.clock, this.registry.connections, this.#identityRates);
    this.shutdown = new Shutdown(this.registry, this.clock, () => this.#close());
    this.closeTimeout = parseDuration(limits.closeTimeout ?? '5s', 'policy.limits.closeTimeout');
    this.earlyBytes = parseSize(limits.earlyBytes ?? '128KiB', 'policy.limits.earlyBytes');
    this.rejectedSockets = parseCount(limits.rejectedSockets ?? 100, 'policy.limits.rejectedSockets');
    this.compression = policy.compression ?? false;
    this.settings = this.#handshakeSettings(policy);
    this.#warnAboutWorkers(policy);
  }

  /** A connection is open: from now on it is told what has come due. */
  opened(connection: ConnectionState): void {
    const { connections } = this.registry;
    connections.add(connection);
    const { identity, ledger } = connection;
    if (identity.scheme !== 'anonymous') ledger.share = this.#identityRates?.enter(identity.subject);
    if (connections.size === 1) this.#ticker.start();
  }

  closed(connection: ConnectionState, reason: Reason | undefined): void {
    const { connections } = this.registry;
    this.tally.connectionClosed(reason);
    connections.delete(connection);
    if (connections.size === 0) this.#ticker.stop();
    const { share } = connection.ledger;
    if (share !== undefined) this.#identityRates?.leave(share);
    this.shutdown.left(connection);
  }

  /** A socket that was pending has closed. */
  lingered(pending: Pending): void {
    this.registry.lingering.delete(pending);
    this.shutdown.lingered();
  }

  /** An admission has become a connection or a pending one; without a `guest` it was given back. */
  settled(admission: Withdrawable, guest?: ConnectionState | Pending): void {
    this.registry.admissions.delete(admission);
    this.shutdown.settled(guest);
  }

  /** Revokes here at once, and has every other node told. Rejects when it could not be remembered, or told. */
  async revoke(revocation: Revocation): Promise<void> {
    try {
      this.applyRevocation(revocation);
    } finally {
      await this.store.revoke(revocation);
    }
  }

  /** Remembers a revocation and closes what it is about. Called for those of every node. */
  applyRevocation(revocation: Revocation): void {
    try {
      this.revocations.add(revocation);
    } finally {
      this.credentialSources.forget((identity) => concerns(revocation, identity));
      const seenAt = this.clock.now() / 1_000;
      this.registry.endConnections('revoked', ({ identity }) => concerns(revocation, identity, seenAt));
    }
  }

  /** Whose handshakes, failures and offences are counted together with this address's. */
  sourceOf(address: string): AttemptSource {
    return sourceOfAddress(address, this.settings.reading.proxies);
  }

  /** A node has banned an address or an identity, which may have connections here. */
  #banned(ban: Ban): void {
    this.events.emit('ban.imposed', () => ban);
    this.registry.endConnections('banned', ({ address, identity }) =>
      this.bans.closes(ban, address, identity),
    );
  }

  /** Nothing is asked of the store any more, and no timer is left. */
  #close(): void {
    this.#ticker.stop();
    this.timers.close();
    this.store.close();
  }

  #handshakeSettings(policy: AnyPolicy): HandshakeSettings {
    const limits = policy.limits ?? {};
    const bounds = {
      headerCount: parseCount(limits.headerCount ?? 100, 'policy.limits.headerCount'),
      headerBytes: parseSize(limits.headerBytes ?? '16KiB', 'policy.limits.headerBytes'),
      offeredSubprotocols: parseCount(limits.offeredSubprotocols ?? 16, 'policy.limits.offeredSubprotocols'),
    };
    const reading: Reading = {
      headerCount: bounds.headerCount,
      clock: this.clock,
      proxies: compileTrustedProxies(
        policy.trustedProxies ?? [],
        policy.forwardedHeader ?? 'x-forwarded-for',
      ),
      queryCredentials: this.credentialSources.queryCredentials,
      subprotocolMarkers: this.credentialSources.subprotocolMarkers,
    };
    return {
      reading,
      outerDoor: outerDoor({
        bounds,
        plaintextAllowed: policy.transport === unsafeAllowPlaintext,
        hosts: compileHosts(policy.hosts, policy.origins !== undefined),
        rate: {
          store: this.store,
          handshakes: parseRate(
            limits.handshakes ?? { rate: '120/m', burst: 60 },
            'policy.limits.handshakes',
          ),
          attempts: this.verifier.attempts,
          slots: this.slots,
        },
      }),
      reporting: reportingTo(
        this.events,
        new Set((policy.report ?? []).map((stage) => REPORTABLE.get(stage) as string)),
      ),
      deadline: parseDuration(limits.handshakeTimeout ?? '10s', 'policy.limits.handshakeTimeout'),
      underWay: this.registry.handshakes,
      events: this.events,
    };
  }

  #ratesOf(option: NonNullable<AnyPolicy['limits']>['identityMessages']): IdentityRates | undefined {
    if (option === undefined) return undefined;
    const { store } = this;
    const ask = store.isShared ? store.shares.bind(store) : undefined;
    return new IdentityRates(parseRate(option, 'policy.limits.identityMessages'), this.clock, ask);
  }

  #warnAboutWorkers(policy: AnyPolicy): void {
    const { NODE_UNIQUE_ID, pm_id } = process.env;
    if (policy.store !== undefined || (NODE_UNIQUE_ID === undefined && pm_id === undefined)) return;
    this.warnings.warn(
      'store',
      {},
      'one of several processes, each with limits of its own: share a store to count across them',
    );
  }
}

function compileBans(bans: AnyPolicy['bans'] = {}): BanPolicy {
  const {
    after = { rate: '100/m', burst: 100 },
    growth = 2,
    closes = 'identity',
  } = bans === false ? {} : bans;
  const terms = bans === false ? {} : bans;
  const duration = parseDuration(terms.for ?? '10m', 'policy.bans.for');
  const longest = parseDuration(terms.longest ?? '1d', 'policy.bans.longest');
  if (longest < duration) {
    throw new PolicyError(
      'policy.bans.longest',
      'it is shorter than the first ban',
      'Raise it, or lower bans.for.',
    );
  }
  return {
    after: bans === false ? undefined : parseRate(after, 'policy.bans.after'),
    terms: { duration, growth, longest, memory: parseDuration(terms.memory ?? '1d', 'policy.bans.memory') },
    closes,
  };
}

function capsOf(limits: NonNullable<AnyPolicy['limits']>): Caps {
  const cap = (name: keyof Caps, value: number): number => parseCount(value, `policy.limits.${name}`);
  return {
    connections: cap('connections', limits.connections ?? 10_000),
    connectionsPerAddress: cap('connectionsPerAddress', limits.connectionsPerAddress ?? 100),
    connectionsPerIdentity: cap('connectionsPerIdentity', limits.connectionsPerIdentity ?? 20),
    pending: cap('pending', limits.pending ?? 1_000),
    pendingPerAddress: cap('pendingPerAddress', limits.pendingPerAddress ?? 20),
  };
}
