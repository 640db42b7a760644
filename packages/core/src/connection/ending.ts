import type { ConnectionFacts, EventHub, Facts } from '../vocabulary/events.ts';
import type { Clock, Socket } from '../vocabulary/ports.ts';
import { type Reason, reasons } from '../vocabulary/reasons.ts';
import type { CloseEvent, CloseNotice } from './close-notice.ts';

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
  #event: CloseEvent | undefined;
  #cancelTerminate: (() => void) | undefined;

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

  /** How the connection closed, once it has. */
  get event(): CloseEvent | undefined {
    return this.#event;
  }

  /** Called when the socket has closed. */
  closed(code: number, notice: CloseNotice | undefined): void {
    const { owner } = this;
    const { clock, events } = owner.context;
    const reason = this.#reason;
    this.#state = 'closed';
    this.#event = { code, reason };
    this.#cancelTerminate?.();
    owner.stopIntake();
    owner.giveBack(reason);
    const milliseconds = clock.monotonic() - owner.openedAt;
    events.emit('connection.closed', () => ({ ...owner.facts(), code, reason, milliseconds }));
    notice?.give(this.#event);
  }

  #begin(): void {
    this.#state = 'closing';
    this.owner.stopIntake();
    const { clock, closeTimeout } = this.owner.context;
    this.#cancelTerminate = clock.schedule(closeTimeout, () => this.owner.socket.terminate());
  }
}
