import { type AttemptSource, Attempts } from '../auth/attempts.ts';
import { CredentialVerifier } from '../auth/credential-verifier.ts';
import { concerns, RevocationList } from '../auth/revocations.ts';
import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import { sourceOfAddress } from '../handshake/address.ts';
import type { HandshakeSettings } from '../handshake/handshake.ts';
import type { OriginPolicy, Site } from '../handshake/origin.ts';
import { outerDoor } from '../handshake/outer-door.ts';
import { Slots } from '../handshake/slot-reservation.ts';
import { IdentityRates } from '../limits/identity-rates.ts';
import { StoreAccess } from '../limits/store-access.ts';
import type { ServerSettings } from '../policy/server-settings.ts';
import { Timers } from '../vocabulary/clock.ts';
import { EventHub } from '../vocabulary/events.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Ban, RateLimit, Revocation } from '../vocabulary/store-contract.ts';
import { BanKeeper } from './bans.ts';
import { Branch } from './branch.ts';
import { CredentialSources } from './credential-sources.ts';
import { Registry, type Withdrawable } from './registry.ts';
import { reportingTo } from './route.ts';
import { ServerShutdowns } from './server-shutdowns.ts';
import { Shutdown } from './shutdown.ts';
import { Ticker } from './ticker.ts';
import { consoleLogger, Warnings } from './warnings.ts';

/** What a guard and all its extensions share: one outer door, one store, one registry, one set of caps. */
export class GuardFamily {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly store: StoreAccess;
  readonly bans: BanKeeper;
  /** Of the guard that `createGuard` made, which all others extend. */
  readonly root: Branch;
  /** The events of `root`. */
  readonly events: EventHub;
  readonly warnings: Warnings;
  readonly slots: Slots;
  readonly verifier: CredentialVerifier;
  readonly revocations: RevocationList;
  readonly settings: HandshakeSettings;
  readonly registry = new Registry();
  readonly servers: ServerShutdowns;
  readonly credentialSources = new CredentialSources();
  /** The origins of every route. */
  readonly origins = new Set<OriginPolicy>();
  readonly #ticker: Ticker;
  /** `undefined` without `limits.identityMessages`. */
  readonly #identityRates: IdentityRates | undefined;
  readonly closeTimeout: number;
  readonly earlyBytes: number;
  readonly rejectedSockets: number;
  readonly compression: boolean;
  /** Whether the policy names a logger. Then the host's own logger is not used. */
  readonly hasOwnLogger: boolean;

  constructor(settings: ServerSettings) {
    const { limits } = settings;
    this.clock = settings.clock;
    this.timers = new Timers(this.clock);
    this.servers = new ServerShutdowns(this.registry, this.clock);
    this.events = new EventHub(settings.name, this.clock);
    this.root = new Branch(this.events);
    this.hasOwnLogger = settings.logger !== undefined;
    this.warnings = new Warnings(
      settings.logger === false ? undefined : (settings.logger ?? consoleLogger),
      this.clock,
    );
    this.warnings.follow(this.events);
    this.revocations = new RevocationList(this.clock, limits.revocationRetention, limits.revocations);
    const onFault = (error: unknown): void => this.events.fault('rate', error);
    this.store = new StoreAccess({
      clock: this.clock,
      store: settings.store,
      timeout: limits.storeTimeout,
      modes: settings.onStoreFailure,
      banTerms: settings.bans.terms,
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
    this.bans = new BanKeeper(this.store, settings.bans, this.clock, sourceOf, onFault);
    this.slots = new Slots(this.store, limits, settings.onIdentityLimit === 'replace-oldest');
    this.verifier = new CredentialVerifier(
      this.clock,
      this.store,
      new Attempts(this.store, limits.authFailures),
      this.revocations,
      limits.revocationStaleness,
      (source) => this.bans.offence(source),
      this.timers,
    );
    this.#identityRates = this.#ratesOf(limits.identityMessages);
    this.#ticker = new Ticker(this.clock, this.registry.connections, this.#identityRates);
    this.closeTimeout = limits.closeTimeout;
    this.earlyBytes = limits.earlyBytes;
    this.rejectedSockets = limits.rejectedSockets;
    this.compression = settings.compression;
    this.settings = this.#handshakeSettings(settings);
    this.#warnAboutWorkers();
  }

  /** The branch of a guard that extends another one. */
  extend(parent: Branch, name: string): Branch {
    return new Branch(new EventHub(name, this.clock, parent.events), parent);
  }

  /**
   * Begins the shutdown of a guard and its extensions, or shortens its deadline. Resolves when none of their sockets and slots
   * is left. With the last guard, the family stops its timers and its store.
   */
  close(branch: Branch, milliseconds: number): Promise<void> {
    branch.ownShutdown ??= this.#shutdown(branch);
    return branch.ownShutdown.finishWithin(milliseconds);
  }

  /** Adds an open connection, whose `tick` is called from now on. */
  opened(connection: GuardedConnection, branch: Branch): void {
    const { connections } = this.registry;
    connections.add(connection);
    branch.opened();
    const { identity, ledger } = connection;
    if (identity.scheme !== 'anonymous') ledger.share = this.#identityRates?.enter(identity.subject);
    if (connections.size === 1) this.#ticker.start();
  }

  closed(connection: GuardedConnection, reason: Reason | undefined, branch: Branch): void {
    const { connections } = this.registry;
    connections.delete(connection);
    if (connections.size === 0) this.#ticker.stop();
    const { share } = connection.ledger;
    if (share !== undefined) this.#identityRates?.leave(share);
    branch.closed(connection, reason);
    this.servers.left(connection);
  }

  /** Called when the socket of a connection that never authenticated has closed. */
  lingered(pending: Pending, branch: Branch): void {
    this.registry.lingering.delete(pending);
    branch.left(pending);
    this.servers.left(pending);
  }

  /** Called when an admission has become a `socket`, of a connection open or pending, or was released (no `socket`). */
  settled(admission: Withdrawable, branch: Branch, socket?: GuardedConnection | Pending): void {
    this.registry.admissions.delete(admission);
    branch.settled(admission, socket);
    this.servers.settled(admission, socket);
  }

  /** Revokes in this process at once, then on all nodes. Rejects if the revocation could not be kept here or stored. */
  async revoke(revocation: Revocation): Promise<void> {
    try {
      this.applyRevocation(revocation);
    } finally {
      await this.store.revoke(revocation);
    }
  }

  /** Keeps a revocation, and closes the connections that it concerns. Also called for revocations of other nodes. */
  applyRevocation(revocation: Revocation): void {
    try {
      this.revocations.add(revocation);
    } finally {
      const seenAt = this.clock.now() / 1_000;
      this.credentialSources.forget((identity) => concerns(revocation, identity, seenAt));
      this.registry.endConnections('revoked', ({ identity }) => concerns(revocation, identity, seenAt));
    }
  }

  /** The group of addresses whose handshakes, failures and offences are counted together. */
  sourceOf(address: string): AttemptSource {
    return sourceOfAddress(address, this.settings.reading.proxies);
  }

  /** Closes the connections that a ban of this node or another concerns. */
  #banned(ban: Ban): void {
    this.events.emit('ban.imposed', () => ban);
    this.registry.endConnections('banned', ({ address, identity }) =>
      this.bans.closes(ban, address, identity),
    );
  }

  #shutdown(branch: Branch): Shutdown {
    const part = this.registry.partOf((guard) => guard.isWithin(branch.events));
    return new Shutdown(part, this.clock, 'guard.close was called', () => {
      if (branch === this.root) this.#close();
    });
  }

  /** Stops all timers, and does not use the store any more. */
  #close(): void {
    this.#ticker.stop();
    this.timers.close();
    this.store.close();
  }

  #handshakeSettings(settings: ServerSettings): HandshakeSettings {
    const { limits, proxies, plaintextAllowed, hosts } = settings;
    const { queryCredentials, subprotocolMarkers } = this.credentialSources;
    const { store, slots, events } = this;
    const { attempts } = this.verifier;
    return {
      reading: {
        headerCount: limits.headerCount,
        clock: this.clock,
        proxies,
        queryCredentials,
        subprotocolMarkers,
      },
      outerDoor: outerDoor({
        bounds: limits,
        plaintextAllowed,
        hosts,
        rate: {
          store,
          handshakes: limits.handshakes,
          attempts,
          slots,
          lists: (origin, site) => this.#lists(origin, site),
        },
      }),
      reporting: reportingTo(events, settings.report),
      deadline: limits.handshakeTimeout,
      underWay: this.registry.handshakes,
      mostUnderWay: limits.handshakesUnderWay,
      events,
    };
  }

  #lists(origin: string, site: Site): boolean {
    for (const policy of this.origins) if (policy.lists(origin, site)) return true;
    return false;
  }

  #ratesOf(rate: RateLimit | undefined): IdentityRates | undefined {
    if (rate === undefined) return undefined;
    const { store } = this;
    return new IdentityRates(rate, this.clock, store.isShared ? store.shares.bind(store) : undefined);
  }

  get handshakeTimeout(): number {
    return this.settings.deadline;
  }

  #warnAboutWorkers(): void {
    const { NODE_UNIQUE_ID, pm_id } = process.env;
    if (this.store.isShared || (NODE_UNIQUE_ID === undefined && pm_id === undefined)) return;
    this.warnings.warn(
      'store',
      {},
      'one of several processes, each with limits of its own: share a store to count across them',
    );
  }
}
