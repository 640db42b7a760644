import { Handshake } from '../handshake/handshake.ts';
import { type Denial, deny, isPromise, type MaybePromise } from '../vocabulary/decision.ts';
import type { HandshakeRequest, Identity, Logger } from '../vocabulary/ports.ts';
import type { Admission } from './admission.ts';
import { contextsOf, type RouteContexts } from './contexts.ts';
import type { GuardFamily } from './family.ts';
import type { HostHandshake } from './host-handshake.ts';
import { PassedHandshake } from './passed-handshake.ts';
import type { Route } from './route.ts';

/** The settings of a policy that the host itself has to apply. A guard and its extensions share them. */
export interface HostLimits {
  /** Bytes that a client may send before the 101 (`limits.earlyBytes`). */
  readonly earlyBytes: number;
  /** Milliseconds that a handshake may take once its headers are there (`limits.handshakeTimeout`). */
  readonly handshakeTimeout: number;
  /** How many refused sockets may be open at once to receive their close code (`limits.rejectedSockets`). */
  readonly rejectedSockets: number;
  /** Whether messages may be compressed. */
  readonly compression: boolean;
  /** Milliseconds that a peer has to answer a close frame (`limits.closeTimeout`). */
  readonly closeTimeout: number;
}

/** The private constructor of `HostGuard`. Adapters call `hostGuard`. */
export let newHostGuard: (family: GuardFamily, route: Route) => HostGuard;

/**
 * A guard as an adapter uses it. For each upgrade request, call `begin`, then `enter` (the outer door), then `admit` (the inner
 * door of the route). Then send the refusal of the denial, or call `open` on the admission.
 */
export class HostGuard<
  I extends readonly Identity[] = readonly Identity[],
  M = Record<string, unknown>,
  R = Record<string, unknown>,
> {
  readonly #family: GuardFamily;
  readonly #route: Route;
  readonly #contexts: RouteContexts;

  static {
    newHostGuard = (family, route) => new HostGuard(family, route);
  }

  private constructor(family: GuardFamily, route: Route) {
    this.#family = family;
    this.#route = route;
    this.#contexts = contextsOf(family, route);
  }

  /** Begins a handshake. `onTurnedAway` is called if its deadline or a shutdown comes before the decision. */
  begin(request: HandshakeRequest, onTurnedAway: (denial: Denial) => void): HostHandshake {
    return new Handshake(request, this.#family.settings, onTurnedAway);
  }

  /** Runs the outer door, which is the same for every guard of the family. `undefined`: the handshake passed. */
  enter(begun: HostHandshake): MaybePromise<Denial | undefined> {
    const handshake = begun as Handshake;
    const { root, servers } = this.#family;
    const shutdown = root.shutdown ?? servers.of((begun as Handshake).server);
    return shutdown === undefined ? handshake.enter() : handshake.deny(shutdown.denial());
  }

  /** Runs the inner door of this guard's route. `native` is the host's own request, for the application's hooks. */
  admit(begun: HostHandshake, native: unknown): MaybePromise<Denial | Admission<I[number], M, R>> {
    const handshake = begun as Handshake;
    if (handshake.settings !== this.#family.settings)
      return handshake.deny(deny('internal', 'the handshake began at another guard').at('route'));
    const { events, shutdown = this.#family.servers.of(handshake.server) } = this.#route.branch;
    handshake.events = events;
    if (shutdown !== undefined) return handshake.deny(shutdown.denial());
    const verdict = handshake.pass(this.#route.innerDoor, this.#route.reporting, native);
    return isPromise(verdict)
      ? verdict.then((late) => late ?? this.#admitted(handshake))
      : (verdict ?? this.#admitted(handshake));
  }

  /**
   * Ends what came by one server (`HandshakeRequest.server`), as `guard.close` ends what came by any, and refuses its handshakes until
   * `reopenServer`. The guards go on for other servers. Resolves when nothing is left.
   */
  closeServer(server: object, milliseconds: number): Promise<void> {
    return this.#family.servers.close(server, milliseconds);
  }

  /** Admits handshakes of a server again that was closed, because it listens again. */
  reopenServer(server: object): void {
    this.#family.servers.reopen(server);
  }

  /** Whether `guard.close` was called on the guard of all: it admits nobody any more. */
  get isClosed(): boolean {
    return this.#family.root.shutdown !== undefined;
  }

  /** The limits that the host has to apply. */
  get limits(): HostLimits {
    return this.#family;
  }

  /** Whether to send a close code instead of an HTTP status for this denial (`rejectAs: 'close'`). */
  closesInstead({ stage }: Denial): boolean {
    // Not before the origin has passed: from the close code a foreign page could learn whether its visitor is logged in.
    return this.#route.settings.rejectAs === 'close' && AFTER_ORIGIN.has(stage ?? '');
  }

  /** Sends warnings to the host's log, unless the policy names a logger. */
  useLogger(logger: Logger): void {
    if (!this.#family.hasOwnLogger) this.#family.warnings.logger = logger;
  }

  /** Writes to the log that the host is set up in a way that weakens the guard. At most one line of a topic in 10 s. */
  warn(topic: string, text: string): void {
    this.#family.warnings.warn(topic, {}, text);
  }

  /** Calls back after this many milliseconds of the policy's clock. Returns a function that cancels the call. */
  schedule(ms: number, callback: () => void): () => void {
    return this.#family.clock.schedule(ms, callback);
  }

  #admitted(handshake: Handshake): Admission<I[number], M, R> {
    this.#route.branch.admitted();
    return new PassedHandshake<I[number], M, R>(handshake, this.#family, this.#route, this.#contexts);
  }
}

const AFTER_ORIGIN: ReadonlySet<string> = new Set([
  'subprotocol',
  'authentication',
  'csrf',
  'authorization',
  'admission',
]);
