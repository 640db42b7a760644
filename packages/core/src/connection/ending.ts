import { isPromise } from '../vocabulary/decision.ts';
import type { ConnectionFacts, EventHub, Facts } from '../vocabulary/events.ts';
import type { Clock, Socket } from '../vocabulary/ports.ts';
import { type Reason, reasons } from '../vocabulary/reasons.ts';
import type { Connection } from './connection.ts';

/** A listener of `connection.onClose`. */
export type CloseListener = Parameters<Connection['onClose']>[0];

/** The close code of a connection that ended without a close frame (RFC 6455 §7.1.5). */
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
  /** Stops handling messages, and reads the socket again, for the closing handshake. */
  stopIntake(): void;
  /** Releases the connection's slots, and removes it from the open connections. */
  giveBack(reason: Reason | undefined): void;
}

/** Ends a connection once, with one code and one reason, at most `limits.closeTimeout` after the close frame. */
export class Ending {
  #state: 'open' | 'closing' | 'closed' = 'open';
  #reason: Reason | undefined;
  #cancelTerminate: (() => void) | undefined;
  /** Set in a shutdown: no more messages are accepted, and the connection ends after the one that is being handled. */
  isRetiring = false;

  constructor(readonly owner: EndingOwner) {}

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Why the guard ended the connection; `undefined` if the application or the peer ended it. */
  get reason(): Reason | undefined {
    return this.#reason;
  }

  /** Ends the connection with the close code and text of a reason. */
  end(reason: Reason): void {
    const { close = 1011, text } = reasons[reason];
    this.close(close, text, reason);
  }

  /** Begins the closing handshake. Only the first call counts. */
  close(code: number, text: string, reason?: Reason): void {
    if (this.#state !== 'open') return;
    this.#reason = reason;
    this.#begin();
    if (code === TERMINATED) this.owner.socket.terminate();
    else this.owner.socket.close(code, text);
  }

  /** Called when the WebSocket library has found an invalid frame and closes the socket itself. */
  broken(reason: Reason | undefined): void {
    this.#reason ??= reason;
    if (this.#state === 'open') this.#begin();
  }

  /** Called when the socket has closed. */
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

  /** Calls a listener. If it throws or rejects, that is reported as a fault, and the other listeners are still called. */
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
