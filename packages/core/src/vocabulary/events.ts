import { type Channel, channel } from 'node:diagnostics_channel';
import { type HandshakeStage, isPromise, type StageName } from './decision.ts';
import { escaped } from './escaped.ts';
import { requireListener } from './option-checks.ts';
import { type OwaspName, owaspName } from './owasp.ts';
import type { Clock } from './ports.ts';
import type { Reason } from './reasons.ts';
import type { Ban } from './store-contract.ts';

interface Common extends OwaspName {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /**
   * The `name` of the guard that decided: of the route's guard from its `Origin` check on. What the whole family decides or
   * shares (the outer door, bans, the store) has the name of the guard that `createGuard` made.
   */
  readonly guard: string;
}

/** An event without what the guard adds to each. */
export type Facts<T extends Common> = Omit<T, keyof Common>;

/** What every event about a handshake tells. */
export interface HandshakeFacts extends Common {
  readonly address: string;
  readonly host: string;
  readonly origin: string | undefined;
  /** The path without the query. */
  readonly path: string;
  readonly subject: string | undefined;
}

/** A handshake that was denied, or would have been in report-only mode: the stage, the reason, and a detail for operators. */
export interface HandshakeVerdict extends HandshakeFacts {
  readonly reason: Reason;
  readonly stage: StageName;
  readonly detail: string;
}

/** What every event about a connection tells. */
export interface ConnectionFacts extends Common {
  readonly connection: string;
  readonly subject: string;
  readonly address: string;
  readonly path: string;
}

/** A message that was denied, or would have been in report-only mode: the stage and the reason, but never its content. */
export interface MessageVerdict extends ConnectionFacts {
  readonly reason: Reason;
  readonly stage: StageName;
  /** A JSON Pointer (RFC 6901) to the mistake. It holds no values of the message. */
  readonly pointer: string | undefined;
}

/**
 * What a guard tells operators. No event holds a message body, token, cookie or session id. Control characters and invisible
 * ones are escaped in every text, as in JSON: `\\u000a`.
 */
export interface GuardEvents {
  'handshake.admitted': HandshakeFacts & { readonly scheme: string };
  'handshake.denied': HandshakeVerdict;
  /** A stage in report-only mode would have denied the handshake. */
  'handshake.reported': HandshakeVerdict;
  'connection.opened': ConnectionFacts;
  /** A new credential has replaced the old one. `expiresAt` is in seconds since the epoch. */
  'connection.renewed': ConnectionFacts & { readonly expiresAt: number | undefined };
  /** `reason` is set if the guard closed it. `milliseconds` is how long it was open. */
  'connection.closed': ConnectionFacts & {
    readonly code: number;
    readonly reason: Reason | undefined;
    readonly milliseconds: number;
  };
  'message.denied': MessageVerdict;
  'message.reported': MessageVerdict;
  /** This node or another has banned a key. */
  'ban.imposed': Common & Ban;
  'ban.lifted': Common & { readonly key: string };
  /** The store has failed several times in a row. Each check now does what `policy.onStoreFailure` says. */
  'store.failing': Common & { readonly error: unknown };
  /** The store is asked again, after an outage of so many milliseconds. */
  'store.recovered': Common & { readonly milliseconds: number };
  /** A hook, a handler or the guard itself threw an error. The handshake or message that it was about is denied. */
  fault: Common & { readonly stage: HandshakeStage | StageName; readonly error: unknown };
}

/** The name of an event that `guard.on` takes. */
export type EventName = keyof GuardEvents;
type Listener<N extends EventName> = (event: GuardEvents[N]) => void;

/** The names of all events. */
export const eventNames: readonly EventName[] = [
  'handshake.admitted',
  'handshake.denied',
  'handshake.reported',
  'connection.opened',
  'connection.renewed',
  'connection.closed',
  'message.denied',
  'message.reported',
  'ban.imposed',
  'ban.lifted',
  'store.failing',
  'store.recovered',
  'fault',
];

/** Events of what a family shares. Every guard of the family hears them. */
const sharedEvents: ReadonlySet<EventName> = new Set<EventName>([
  'ban.imposed',
  'ban.lifted',
  'store.failing',
  'store.recovered',
]);

const channels = new Map<EventName, Channel>(eventNames.map((name) => [name, channel(`sallyport:${name}`)]));

/**
 * The events of one guard: typed listeners, and `node:diagnostics_channel`s named `sallyport:<event>`. The listeners of the
 * guards that it extends hear them too. Without a listener, no event is built.
 */
export class EventHub {
  readonly #listeners = new Map<EventName, Set<(event: never) => void>>();

  constructor(
    readonly guard: string,
    readonly clock: Clock,
    /** The hub of the guard that this one extends. */
    readonly parent?: EventHub,
  ) {}

  /** Whether this is the hub of that guard, or of one of its extensions. */
  isWithin(other: EventHub): boolean {
    for (let hub: EventHub | undefined = this; hub !== undefined; hub = hub.parent) {
      if (hub === other) return true;
    }
    return false;
  }

  /**
   * Calls the listener for each event of this guard and its extensions, and for the events that the family shares. The returned
   * function removes it. An error of a listener changes no decision.
   */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    if (!eventNames.includes(name))
      throw new TypeError(`There is no event '${name}'. Events: ${eventNames.join(', ')}.`);
    requireListener(listener, `on('${name}', …)`);
    if (sharedEvents.has(name) && this.parent !== undefined) return this.parent.on(name, listener);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Builds the event if anyone listens, and calls the listeners. */
  emit<N extends EventName>(name: N, build: () => Facts<GuardEvents[N]>): void {
    const published = channels.get(name) as Channel;
    if (!published.hasSubscribers && !this.#isHeard(name)) return;
    const facts: { readonly reason?: Reason | undefined } = build();
    const event = {
      at: this.clock.now(),
      guard: this.guard,
      ...owaspName(name, facts.reason),
      ...facts,
    } as Record<string, unknown>;
    // Whatever text a fact is, the network may have chosen it.
    for (const [fact, value] of Object.entries(event)) {
      if (typeof value === 'string') event[fact] = escaped(value);
    }
    published.publish(event);
    for (let hub: EventHub | undefined = this; hub !== undefined; hub = hub.parent) hub.#tell(name, event);
  }

  #isHeard(name: EventName): boolean {
    for (let hub: EventHub | undefined = this; hub !== undefined; hub = hub.parent) {
      if ((hub.#listeners.get(name)?.size ?? 0) > 0) return true;
    }
    return false;
  }

  #tell(name: EventName, event: object): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        const answer: unknown = (listener as (event: object) => unknown)(event);
        if (isPromise(answer)) answer.then(undefined, (error: unknown) => this.#failed(name, error));
      } catch (error) {
        this.#failed(name, error);
      }
    }
  }

  /** Reports a listener's error as a fault, except to the listener that failed. */
  #failed(name: EventName, error: unknown): void {
    if (name !== 'fault') this.fault('socket', error);
  }

  fault(stage: StageName, error: unknown): void {
    this.emit('fault', () => ({ stage, error }));
  }
}
