import { TicketIssuer, type TicketOffice, ticketTtl } from '../auth/tickets.ts';
import type { Connection } from '../connection/connection.ts';
import type { ExtendOptions, PolicyOptions } from '../policy/policy.ts';
import { readExtension, readPolicy } from '../policy/policy-settings.ts';
import { showAs } from '../vocabulary/debug-view.ts';
import type { EventName, GuardEvents } from '../vocabulary/events.ts';
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
 * A typed policy. Unknown and contradictory options throw here, with the fix in the message.
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
 * Compiles a policy once; what comes out is what the hosts get, and what the application keeps.
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
  return newGuard(family, compileRoute(route, family));
}

/** A guard whose types do not matter, for hosts. */
// biome-ignore lint/suspicious/noExplicitAny: any guard is meant
export type AnyGuard = Guard<any, any, any>;

/** The constructor, which is nobody else's: applications have `createGuard` and `extend`. */
let newGuard: <I extends readonly Identity[], M, R>(family: GuardFamily, route: Route) => Guard<I, M, R>;

/** A policy compiled once. */
export class Guard<
  I extends readonly Identity[] = readonly Identity[],
  M = Record<string, unknown>,
  R = Record<string, unknown>,
> {
  readonly #family: GuardFamily;
  readonly #route: Route;
  readonly #tickets: TicketOffice | undefined;

  static {
    newGuard = (family, route) => new Guard(family, route);
    showAs('Guard', Guard.prototype, (guard) =>
      #family in guard ? guardView(guard.#family, guard.#route) : undefined,
    );
  }

  private constructor(family: GuardFamily, route: Route) {
    this.#family = family;
    this.#route = route;
    keepInternals(this, { host: newHostGuard(family, route), route });
    family.credentialSources.learn(route.settings.auth, route.settings.csrf);
    const ttl = ticketTtl(route.settings.auth);
    this.#tickets = ttl === undefined ? undefined : new TicketIssuer(family.store, family.clock, ttl);
    warnAboutRoute(route, family.warnings);
  }

  get name(): string {
    return this.#route.settings.name;
  }

  /**
   * A guard for another route: own messages, authenticators, origins and message limits; the same outer door, store,
   * registry and caps. What is left out is inherited.
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
    return new Guard<I2, M2, R2>(this.#family, compileRoute(route, this.#family));
  }

  /**
   * Calls the listener for each event; the returned function stops that. A listener that throws changes no decision.
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
    return this.#family.events.on(name, listener);
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

  stats(): GuardStats {
    return statsOf(this.#family);
  }

  /** The open connections of this guard and its extensions. */
  connections(): Iterable<Connection<I[number], M, R>> {
    return this.#family.registry.connections as unknown as Iterable<Connection<I[number], M, R>>;
  }

  /**
   * Sends one message to every open connection of this guard and its extensions, written and framed once for all. Routes
   * with `replies`, an `envelope` or a `codec` of their own are left out. Returns how many took it: one that is closing does
   * not, nor one that is slow, to which `onSlowConsumer` happens.
   *
   * @throws TypeError where `policy.replies` does not allow it, and what `filter` throws.
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
    const { connections } = this.#family.registry;
    return broadcast(connections, this.#route.writer, type, body, isMeant ?? (() => true));
  }

  /**
   * Closes every open connection that this is about with `revoked` (4401), at once, and refuses such credentials from
   * now on, for `limits.revocationRetention`: of a subject, a session or a token. `issuedBefore` is in seconds since the
   * epoch or a `Date`, inclusive. Default: now for a subject, so that somebody who logs in again gets in again, after
   * as many seconds as `clockTolerance` has; for a session or a token, whenever issued. A credential without an issue
   * date counts as older.
   *
   * Rejects when it could not be remembered, or told to other nodes; what was open here is closed all the same.
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

  /** Who is kept out for a while: to see, to lift, and to add to. */
  get bans(): Bans {
    return this.#family.bans;
  }

  /**
   * Issues single-use tickets.
   *
   * @throws PolicyError where the policy has no `tickets()` to redeem them.
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
   * Ends this guard and its extensions. From now on handshakes are refused with `shutting_down` (503), those under way
   * included. Open connections are closed with 1001, spread over the first four fifths of `within`, so that their clients
   * do not all connect to the next node at once: at least ten every 100 ms, so that few are gone at once. A connection whose
   * turn has come takes no messages any more, those included that wait already; a message that is being handled is handled to its
   * end and answered first. What is left at the end of `within` is terminated.
   *
   * Resolves when no connection is left; from then on the store is not asked any more, and no timer runs. A second call
   * joins the first, and the shorter deadline counts. Default: 5 s; 0 terminates at once.
   *
   * @throws PolicyError for a `within` that is no duration.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * await guard.close({ within: '10s' });
   * ```
   */
  async close({ within = '5s' }: { readonly within?: Duration } = {}): Promise<void> {
    await this.#family.shutdown.finishWithin(parseWindow(within, 'close({ within })'));
  }
}
