import { TicketIssuer, type TicketOffice, ticketTtl } from '../auth/tickets.ts';
import type { Connection } from '../connection/connection.ts';
import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { ExtendOptions, PolicyOptions } from '../policy/policy.ts';
import { readExtension, readPolicy } from '../policy/policy-settings.ts';
import { showAs } from '../vocabulary/debug-view.ts';
import type { EventName, GuardEvents } from '../vocabulary/events.ts';
import { refuseUnknown } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { HandshakeRequest, Identity } from '../vocabulary/ports.ts';
import type { ReplyOf } from '../vocabulary/schema-types.ts';
import { type Duration, parseWindow } from '../vocabulary/units.ts';
import type { Bans } from './bans.ts';
import { broadcast } from './broadcast.ts';
import { type Explanation, explainHandshake } from './explain.ts';
import { GuardFamily } from './family.ts';
import { guardView } from './guard-view.ts';
import { newHostGuard } from './host-guard.ts';
import { keepInternals } from './internals.ts';
import { type RevokeOptions, revocationOf } from './revoke-options.ts';
import { compileRoute, type Route } from './route.ts';
import { warnAboutRoute } from './route-warnings.ts';
import { type GuardStats, statsOf } from './stats.ts';

/**
 * Checks and types a policy. Unknown and contradictory options throw a `PolicyError` that names the fix.
 *
 * @example
 * ```ts
 * import { anonymous, createGuard, definePolicy, Type } from '@sallyport/core';
 *
 * const policy = definePolicy({
 *   auth: [anonymous()],
 *   messages: { say: Type.Object({ text: Type.String({ maxLength: 500 }) }) },
 * });
 * export const guard = createGuard(policy);
 * ```
 */
export function definePolicy<
  const I extends readonly Identity[],
  M extends Record<string, unknown>,
  R extends Record<string, unknown> = Record<string, unknown>,
>(policy: PolicyOptions<I, M, R>): PolicyOptions<I, M, R> {
  readPolicy(policy);
  return policy;
}

/**
 * Compiles a policy into a guard, which you keep and pass to the host. Do it once for an application.
 *
 * @example
 * ```ts
 * import { anonymous, createGuard, Type } from '@sallyport/core';
 *
 * export const guard = createGuard({
 *   origins: ['https://app.example.com'],
 *   auth: [anonymous()],
 *   messages: { say: Type.Object({ text: Type.String({ maxLength: 500 }) }) },
 *   limits: { messages: '20/s' },
 * });
 * ```
 */
export function createGuard<
  const I extends readonly Identity[],
  M extends Record<string, unknown>,
  R extends Record<string, unknown> = Record<string, unknown>,
>(policy: PolicyOptions<I, M, R>): Guard<I, M, R> {
  const { server, route } = readPolicy(policy);
  const family = new GuardFamily(server);
  return newGuard(family, compileRoute(route, family, family.root));
}

/** A guard whose types do not matter, for hosts. */
// biome-ignore lint/suspicious/noExplicitAny: any guard is meant
export type AnyGuard = Guard<any, any, any>;

/** The private constructor of `Guard`. Applications call `createGuard` and `extend`. */
let newGuard: <I extends readonly Identity[], M, R>(family: GuardFamily, route: Route) => Guard<I, M, R>;

/**
 * A policy compiled once. What you ask or tell a guard is about itself and the guards that extend it: its events, numbers,
 * connections, broadcasts and shutdown. Revocations, bans and the store are the whole family's. `family` is the guard that
 * stands for everybody.
 */
export class Guard<
  I extends readonly Identity[] = readonly Identity[],
  M = Record<string, unknown>,
  R = Record<string, unknown>,
> {
  readonly #family: GuardFamily;
  readonly #route: Route;
  readonly #root: AnyGuard;
  readonly #tickets: TicketOffice | undefined;

  static {
    newGuard = (family, route) => new Guard(family, route);
    showAs('Guard', Guard.prototype, (guard) =>
      #family in guard ? guardView(guard.#family, guard.#route) : undefined,
    );
  }

  private constructor(family: GuardFamily, route: Route, root?: AnyGuard) {
    this.#family = family;
    this.#route = route;
    this.#root = root ?? this;
    keepInternals(this, { host: newHostGuard(family, route), route });
    family.origins.add(route.settings.origins);
    family.credentialSources.learn(route.settings.auth, route.settings.csrf);
    const ttl = ticketTtl(route.settings.auth);
    this.#tickets = ttl === undefined ? undefined : new TicketIssuer(family.store, family.clock, ttl);
    warnAboutRoute(route, family.warnings);
  }

  get name(): string {
    return this.#route.settings.name;
  }

  /**
   * Creates a guard for another route. It may have other messages, authenticators, origins and message limits; options that
   * you leave out are inherited. Both guards share the outer door, the store, the connections and their caps.
   *
   * @throws PolicyError for an option that is decided once for the server.
   *
   * @example
   * ```ts
   * import { Type } from '@sallyport/core';
   * import { guard } from './policy.ts';
   *
   * export const admin = guard.extend({
   *   name: 'admin',
   *   authorize: ({ identity }) => identity.subject === 'root',
   *   messages: { kick: Type.Object({ user: Type.String({ maxLength: 64 }) }) },
   * });
   * ```
   */
  extend<const I2 extends readonly Identity[] = I, M2 = M, R2 = R>(
    options: ExtendOptions<I2, M2, R2>,
  ): Guard<I2, M2, R2> {
    const route = readExtension(this.#route.settings.policy, options);
    const branch = this.#family.extend(this.#route.branch, route.name);
    return new Guard<I2, M2, R2>(this.#family, compileRoute(route, this.#family, branch), this.#root);
  }

  /**
   * The guard that `createGuard` made, which this one extends, directly or not. So `guard.family.close()` ends every guard of a
   * server, and `guard.family.connections()` lists everybody. Of the first guard, itself.
   */
  get family(): Guard {
    return this.#root;
  }

  /**
   * Calls the listener for each event of this name, of this guard and its extensions. Listeners of bans and of the store are
   * called on every guard of the family. What the outer door denies, before the route counts, is an event of `family` only.
   * Returns a function that removes the listener. A listener that throws changes no decision.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * const stop = guard.on('handshake.denied', ({ reason, stage, address }) => {
   *   console.warn('denied', { reason, stage, address });
   * });
   * process.once('beforeExit', stop);
   * ```
   */
  on<N extends EventName>(name: N, listener: (event: GuardEvents[N]) => void): () => void {
    return this.#route.branch.events.on(name, listener);
  }

  /**
   * How this guard would decide on a handshake, stage by stage, with nothing reserved, spent or fetched. For
   * operators: never serve it on a route, since it tells an attacker what to change.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * const { allowed, stages } = await guard.explain({
   *   method: 'GET',
   *   target: '/chat',
   *   httpVersion: '1.1',
   *   rawHeaders: ['Host', 'chat.example.com', 'Origin', 'https://app.example.com'],
   *   peer: { address: '203.0.113.7', encrypted: true, unix: false },
   * });
   * console.log(allowed, stages.find(({ outcome }) => outcome === 'deny'));
   * ```
   */
  explain(request: HandshakeRequest): Promise<Explanation> {
    const { reading, outerDoor, reporting } = this.#family.settings;
    return explainHandshake(request, reading, [
      [outerDoor, reporting],
      [this.#route.innerDoor, this.#route.reporting],
    ]);
  }

  /** Numbers of this guard and its extensions. */
  stats(): GuardStats {
    return statsOf(this.#route.branch.tally, this.#family.store);
  }

  /** The open connections of this guard and its extensions. */
  connections(): Iterable<Connection<I[number], M, R>> {
    return this.#connections as unknown as Iterable<Connection<I[number], M, R>>;
  }

  /**
   * Sends one message to every open connection of this guard and its extensions, serialized and framed once for all. Routes
   * with `replies`, an `envelope` or a `codec` of their own are left out. Returns how many connections accepted it: those that
   * are closing do not, nor those that read too slowly, which `onSlowConsumer` closes or skips.
   *
   * @throws TypeError for a message that `policy.replies` does not allow, and any error that `filter` throws.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * const taken = guard.broadcast('news', { text: 'Hello' }, ({ identity }) => identity.subject !== 'alice');
   * console.log(`${taken} connections take it`);
   * ```
   */
  broadcast<K extends keyof R & string>(
    type: K,
    body: ReplyOf<R[K]> & object,
    filter?: (connection: Connection<I[number], M, R>) => boolean,
  ): number {
    const isMeant = filter as ((connection: unknown) => boolean) | undefined;
    return broadcast(this.#connections, this.#route.writer, type, body, isMeant ?? (() => true));
  }

  /**
   * Revokes the credentials of a subject, a session or a token: closes their open connections with `revoked` (4401) at once, and
   * refuses such credentials for `limits.revocationRetention`. `issuedBefore`, in seconds since the epoch or as a `Date`,
   * restricts this to credentials that were issued then or earlier. Default for a subject: now, so that a user who logs in
   * again is admitted again, once `clockTolerance` has passed. Default for a session or a token: whenever issued. A
   * credential without an issue date counts as older.
   *
   * Rejects if the revocation could not be stored or sent to other nodes. The connections of this node are closed all the same.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * await guard.revoke({ subject: 'alice' }); // Alice has changed her password: each older token of hers ends.
   * await guard.revoke({ session: 'the id of the session that was logged out' });
   * ```
   */
  async revoke(what: RevokeOptions): Promise<void> {
    await this.#family.revoke(revocationOf(what, this.#family.clock.now()));
  }

  /** Lists, adds and lifts bans. */
  get bans(): Bans {
    return this.#family.bans;
  }

  /**
   * Issues single-use tickets.
   *
   * @throws PolicyError if the policy has no `tickets()` authenticator, which redeems them.
   */
  get tickets(): TicketOffice {
    if (this.#tickets !== undefined) return this.#tickets;
    throw new PolicyError(
      'policy.auth',
      'there is no tickets(), so nothing would redeem a ticket',
      'Add tickets() to it.',
    );
  }

  /**
   * Ends this guard and its extensions; the other guards of the family go on. Their handshakes are refused with `shutting_down` (503) from now on, also those in progress.
   * Open connections are closed with 1001, at least ten every 100 ms, spread over the first four fifths of `within`, so that
   * their clients do not all connect to another node at once. Before a connection closes, every message that it has received is
   * handled and answered. What still waits after nine tenths of `within` is answered with the error `shutting_down` instead. Sockets
   * still open at the end are destroyed. Default: 5 s. 0 destroys them at once.
   *
   * Resolves when no connection is left. After that of `family`, no store and no timer is used any more. A second call waits for
   * the same shutdown, and the shorter deadline counts.
   *
   * @throws PolicyError for a `within` that is not a duration.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * await guard.close({ within: '10s' });
   * ```
   */
  async close(options: { readonly within?: Duration } = {}): Promise<void> {
    refuseUnknown(options, ['within'], 'close()');
    const { within = '5s' } = options;
    await this.#family.close(this.#route.branch, parseWindow(within, 'close({ within })'));
  }

  get #connections(): Iterable<GuardedConnection> {
    return this.#family.registry.connectionsOf(this.#route.branch.events);
  }
}
