import { showAs } from '../vocabulary/debug-view.ts';
import { type Denial, deny, isPromise, type MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub, Facts, HandshakeFacts } from '../vocabulary/events.ts';
import type { HandshakeRequest } from '../vocabulary/ports.ts';
import { NOWHERE, type Roster, type Rostered } from '../vocabulary/roster.ts';
import { HandshakeContext, type Reading } from './handshake-context.ts';
import { type Reporting, runStages, type Stage } from './stage.ts';

export interface HandshakeSettings {
  readonly reading: Reading;
  readonly outerDoor: readonly Stage[];
  readonly reporting: Reporting;
  /** Milliseconds until the 101. */
  readonly deadline: number;
  /** Handshakes without a decision yet. */
  readonly underWay: Roster<Handshake>;
  readonly mostUnderWay: number;
  readonly events: EventHub;
}

/** Milliseconds that a refused client is asked to wait. */
const RETRY_AFTER = 5_000;

/**
 * One handshake through both doors, under one deadline. It ends exactly once: admitted, denied, expired or abandoned.
 * A slot that was reserved after the end is given back.
 */
export class Handshake implements Rostered {
  place = NOWHERE;
  readonly context: HandshakeContext;
  /** Where the decision is told: to the family, until a route has the handshake. */
  events: EventHub;
  /** What accepted the connection. */
  readonly server: object | undefined;
  #ended = false;
  #admitted = false;
  #denial: Denial | undefined;
  #entered = false;
  #cancelDeadline: (() => void) | undefined;

  static {
    showAs('Handshake', Handshake.prototype, (handshake) =>
      #ended in handshake
        ? { ...handshake.facts(), ended: handshake.#ended, denied: handshake.#denial?.reason }
        : undefined,
    );
  }

  constructor(
    request: HandshakeRequest,
    readonly settings: HandshakeSettings,
    /** Called when the deadline or a shutdown ends the handshake. The host then sends the refusal. */
    readonly onTurnedAway: (denial: Denial) => void,
  ) {
    this.context = new HandshakeContext(request, settings.reading);
    this.events = settings.events;
    this.server = request.server;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get admitted(): boolean {
    return this.#admitted;
  }

  /** Path and query without credentials. */
  get target(): string {
    return this.context.target.scrubbed;
  }

  get path(): string {
    return this.context.target.path;
  }

  /** Without tokens. */
  get offeredSubprotocols(): readonly string[] {
    return this.context.scrubbedOffers;
  }

  get subprotocol(): string | undefined {
    return this.context.subprotocol;
  }

  /** Runs the outer door and starts the deadline. */
  enter(): MaybePromise<Denial | undefined> {
    if (this.#ended) return this.#tooLate();
    const { outerDoor, reporting, underWay, mostUnderWay } = this.settings;
    underWay.add(this);
    if (underWay.size > mostUnderWay)
      return this.deny(deny('capacity', 'limits.handshakesUnderWay is reached', RETRY_AFTER).at('admission'));
    const verdict = runStages(outerDoor, this.context, reporting);
    if (isPromise(verdict)) {
      this.#await();
      return verdict.then((late) => this.#enter(late));
    }
    // Most handshakes pass the inner door in this turn of the event loop and need no timer.
    if (verdict === undefined) queueMicrotask(() => this.#await());
    return this.#enter(verdict);
  }

  /** Runs the inner door of a route. `undefined`: every stage has passed and the slots are reserved. */
  pass(innerDoor: readonly Stage[], reporting: Reporting, native: unknown): MaybePromise<Denial | undefined> {
    if (this.#ended) return this.#tooLate();
    if (!this.#entered)
      return this.deny(deny('internal', 'the outer door has not passed this handshake').at('route'));
    this.context.native = native;
    const verdict = runStages(innerDoor, this.context, reporting);
    if (!isPromise(verdict)) return this.#decide(verdict);
    this.#await();
    return verdict.then((late) => this.#decide(late));
  }

  deny(denial: Denial): Denial {
    return this.#refused(denial) as Denial;
  }

  /** Ends the handshake while a stage is still waiting for an answer. */
  turnAway(denial: Denial): void {
    if (this.#ended) return;
    this.#refused(denial);
    this.context.abort();
    this.onTurnedAway(denial);
  }

  /** Ends the handshake because the host threw an error. Only operators learn which. */
  fault(error: unknown): Denial {
    this.events.fault('route', error);
    return this.deny(deny('internal', 'the host threw an error before it reached the route').at('route'));
  }

  /** The client has disconnected. */
  abandon(): void {
    if (this.#end()) this.context.abort();
  }

  facts(): Facts<HandshakeFacts> {
    const { address, headers, target, identity } = this.context;
    return {
      address,
      host: headers.host ?? '',
      origin: headers.origin,
      path: target.path,
      subject: identity?.subject,
    };
  }

  #await(): void {
    if (this.#ended || this.#cancelDeadline !== undefined) return;
    const { reading, deadline } = this.settings;
    this.#cancelDeadline = reading.clock.schedule(deadline, () => this.#expire());
  }

  #enter(denial: Denial | undefined): Denial | undefined {
    this.#entered = denial === undefined;
    return this.#refused(denial);
  }

  #decide(denial: Denial | undefined): Denial | undefined {
    if (this.#ended) {
      this.#release();
      return this.#tooLate();
    }
    if (denial !== undefined) return this.#refused(denial);
    this.#end();
    this.#admitted = true;
    this.events.emit('handshake.admitted', () => ({
      ...this.facts(),
      scheme: this.context.identity?.scheme ?? '',
    }));
    return undefined;
  }

  #refused(denial: Denial | undefined): Denial | undefined {
    if (this.#ended) return this.#tooLate();
    if (denial === undefined) return undefined;
    this.#end();
    this.#denial = denial;
    this.#release();
    const { reason, detail, stage = 'route' } = denial;
    this.events.emit('handshake.denied', () => ({ ...this.facts(), reason, stage, detail }));
    return denial;
  }

  #expire(): void {
    this.turnAway(deny('auth_timeout', `no decision within ${this.settings.deadline} ms`).at('deadline'));
  }

  #tooLate(): Denial {
    return this.#denial ?? deny('auth_timeout', 'the handshake is already over').at('deadline');
  }

  #release(): void {
    this.context.lease?.release();
    this.context.pendingLease?.release();
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.settings.underWay.delete(this);
    this.#cancelDeadline?.();
    return true;
  }
}
