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
  /** Milliseconds for everything up to the 101. */
  readonly deadline: number;
  /** Those on which nothing is decided yet: bounded by the deadline and the rates. */
  readonly underWay: Roster<Handshake>;
  readonly events: EventHub;
}

/**
 * One handshake on its way through both doors, under one deadline. It ends exactly once: admitted, denied, expired
 * or abandoned; whatever comes after that is dropped, and a slot that was reserved too late is given back.
 */
export class Handshake implements Rostered {
  place = NOWHERE;
  readonly context: HandshakeContext;
  #ended = false;
  /** What it ended with, where it was not let in. */
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
    /** Called when it ends before a decision, by its deadline or a shutdown; the host then sends the refusal. */
    readonly onTurnedAway: (denial: Denial) => void,
  ) {
    this.context = new HandshakeContext(request, settings.reading);
  }

  /** Whether it is over, one way or another. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Path and query without credentials: what the application and its logger may see. */
  get target(): string {
    return this.context.target.scrubbed;
  }

  get path(): string {
    return this.context.target.path;
  }

  /** The offered subprotocols without tokens. */
  get offeredSubprotocols(): readonly string[] {
    return this.context.scrubbedOffers;
  }

  /** The subprotocol to answer with, as far as that is decided. */
  get subprotocol(): string | undefined {
    return this.context.subprotocol;
  }

  /** The outer door. The deadline runs from here on. */
  enter(): MaybePromise<Denial | undefined> {
    if (this.#ended) return this.#tooLate();
    const { outerDoor, reporting, underWay } = this.settings;
    underWay.add(this);
    const verdict = runStages(outerDoor, this.context, reporting);
    if (isPromise(verdict)) {
      this.#await();
      return verdict.then((late) => this.#enter(late));
    }
    // Most go through the inner door at once, before anything could come in between.
    if (verdict === undefined) queueMicrotask(() => this.#await());
    return this.#enter(verdict);
  }

  /** The inner door of a route. `undefined` means that every stage has passed and the slots are held. */
  pass(innerDoor: readonly Stage[], reporting: Reporting, native: unknown): MaybePromise<Denial | undefined> {
    if (this.#ended) return this.#tooLate();
    if (!this.#entered)
      return this.deny(deny('internal', 'the outer door has not let it through').at('route'));
    this.context.native = native;
    const verdict = runStages(innerDoor, this.context, reporting);
    if (!isPromise(verdict)) return this.#decide(verdict);
    this.#await();
    return verdict.then((late) => this.#decide(late));
  }

  /** Ends it with a denial from outside the stages: an unknown route, a shutdown, a fault of the host. */
  deny(denial: Denial): Denial {
    return this.#refused(denial) as Denial;
  }

  /** Ends it while something is being asked that nobody waits for any more. */
  turnAway(denial: Denial): void {
    if (this.#ended) return;
    this.#refused(denial);
    this.context.abort();
    this.onTurnedAway(denial);
  }

  /** Ends it because something on the host's side threw: a fault denies, and only operators learn what it was. */
  fault(error: unknown): Denial {
    this.settings.events.fault('route', error);
    return this.deny(deny('internal', 'a fault on the way to the route').at('route'));
  }

  /** The client is gone. */
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

  /** It is not decided at once: from here on the deadline runs. */
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
    const { events } = this.settings;
    events.emit('handshake.admitted', () => ({
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
    this.settings.events.emit('handshake.denied', () => ({ ...this.facts(), reason, stage, detail }));
    return denial;
  }

  #expire(): void {
    this.turnAway(deny('auth_timeout', `no decision within ${this.settings.deadline} ms`).at('deadline'));
  }

  /** For a host that still waits: what it was told already, or that nobody is there to be told. */
  #tooLate(): Denial {
    return this.#denial ?? deny('auth_timeout', 'the handshake has ended already').at('deadline');
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
