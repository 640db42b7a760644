import { isPromise } from '../vocabulary/decision.ts';
import type { ConnectionFacts, EventHub, Facts } from '../vocabulary/events.ts';
import type { Clock, Socket } from '../vocabulary/ports.ts';
import { type Reason, reasons } from '../vocabulary/reasons.ts';
import type { Connection } from './connection.ts';

/** What `connection.onClose` was given. */
export type CloseListener = Parameters<Connection['onClose']>[0];

/** What RFC 6455 §7.1.5 calls a connection that ended without a close frame. */
const TERMINATED = 1006;

export interface EndingContext {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Milliseconds that a peer has for the closing handshake before it is terminated. */
  readonly closeTimeout: number;
}

/** The connection that ends. */
export interface EndingOwner {
  readonly socket: Socket;
  readonly context: EndingContext;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
  facts(): Facts<ConnectionFacts>;
  /** Handles nothing more; the socket is read again, for the closing handshake. */
  stopIntake(): void;
  /** Gives back its slots, and its place among the open ones. */
  giveBack(reason: Reason | undefined): void;
}

/** How a connection ends: once, with one code and one reason, and within `limits.closeTimeout` of its close frame. */
export class Ending {
  #state: 'open' | 'closing' | 'closed' = 'open';
  #reason: Reason | undefined;
  #cancelTerminate: (() => void) | undefined;
  /** Set in a shutdown: the connection takes no messages any more, and ends with the one that is being handled. */
  isRetiring = false;

  constructor(readonly owner: EndingOwner) {}

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Why the guard ended it; `undefined` where the application or the peer did. */
  get reason(): Reason | undefined {
    return this.#reason;
  }

  /** Ends the connection for one of the guard's reasons. */
  end(reason: Reason): void {
    const { close = 1011, text } = reasons[reason];
    this.close(close, text, reason);
  }

  /** Begins the closing handshake. Only the first call decides on code and reason. */
  close(code: number, text: string, reason?: Reason): void {
    if (this.#state !== 'open') return;
    this.#reason = reason;
    this.#begin();
    if (code === TERMINATED) this.owner.socket.terminate();
    else this.owner.socket.close(code, text);
  }

  /** The WebSocket library found the frames themselves wrong, and is closing the socket. */
  broken(reason: Reason | undefined): void {
    this.#reason ??= reason;
    if (this.#state === 'open') this.#begin();
  }

  /** The socket has closed. */
  closed(code: number, listeners: readonly CloseListener[] = []): void {
    const { owner } = this;
    const { clock, events } = owner.context;
    const reason = this.#reason;
    this.#state = 'closed';
    this.#cancelTerminate?.();
    owner.stopIntake();
    owner.giveBack(reason);
    const milliseconds = clock.monotonic() - owner.openedAt;
    events.emit('connection.closed', () => ({ ...owner.facts(), code, reason, milliseconds }));
    for (const listener of listeners) this.#tell(listener, code);
  }

  #begin(): void {
    this.#state = 'closing';
    this.owner.stopIntake();
    const { clock, closeTimeout } = this.owner.context;
    this.#cancelTerminate = clock.schedule(closeTimeout, () => this.owner.socket.terminate());
  }

  /** A listener that throws or rejects is a fault, and changes nothing for the others. */
  #tell(listener: CloseListener, code: number): void {
    const fault = (error: unknown): void => this.owner.context.events.fault('dispatch', error);
    try {
      const answer = listener({ code, reason: this.#reason });
      if (isPromise(answer)) answer.then(undefined, fault);
    } catch (error) {
      fault(error);
    }
  }
}
