import type { Clock } from '../vocabulary/ports.ts';
import type { ReadonlyRoster } from '../vocabulary/roster.ts';

/** Milliseconds between two steps of a drain. */
const STEP = 100;

/** Connections that every step closes at least. So few clients can reconnect at once without harm. */
const FEW = 10;

/** The part of the time in which closes begin. The rest is for the last closing handshakes. */
const SPREAD = 0.8;

/** An accepted socket. */
interface Guest {
  end(reason: 'shutting_down'): void;
  terminate(): void;
}

/** A connection, whose current message is handled to its end before it closes. */
interface Resident extends Guest {
  retire(): void;
}

/** All that must be gone before a drain ends. The owner keeps the rosters up to date, and calls `look` after a change. */
export interface Premises {
  readonly connections: ReadonlyRoster<Resident>;
  /** Accepted sockets that never became connections, and are being closed. */
  readonly lingering: ReadonlyRoster<Guest>;
  /** Passed handshakes whose socket is not open yet. */
  readonly admissions: ReadonlyRoster<{ withdraw(): void }>;
}

/**
 * Closes all connections of a node, a few in each step, so that their clients do not all reconnect to another node at once.
 * Sockets still open at the deadline are destroyed. Uses two timers for any number of connections.
 */
export class Drain {
  /** Resolves when no socket and no admission is left. */
  readonly ended: Promise<void>;
  /** The connections that are not closed yet, oldest first. */
  readonly #waiting: Set<Resident>;
  /** Monotonic milliseconds. */
  #endsAt = Number.POSITIVE_INFINITY;
  #spreadUntil = 0;
  #isOver = false;
  #resolve = (): void => {};
  #cancelStep = (): void => {};
  #cancelDeadline = (): void => {};

  constructor(
    readonly premises: Premises,
    readonly clock: Clock,
  ) {
    this.#waiting = new Set(premises.connections);
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Starts the drain, or brings its deadline forward. A later deadline than before changes nothing. */
  finishWithin(milliseconds: number): void {
    const now = this.clock.monotonic();
    if (now + milliseconds < this.#endsAt) {
      this.#endsAt = now + milliseconds;
      this.#spreadUntil = now + milliseconds * SPREAD;
      this.#cancelDeadline();
      this.#cancelDeadline = this.clock.schedule(milliseconds, () => this.#expire());
      this.#cancelStep();
      this.#step();
    }
    if (now >= this.#endsAt) this.#expire();
    this.look();
  }

  /** Ends a socket that was admitted before the drain and has only now opened. */
  arrived(guest: Guest): void {
    guest.end('shutting_down');
    if (this.#isOver) guest.terminate();
  }

  /** A connection has closed. */
  left(connection: Resident): void {
    this.#waiting.delete(connection);
    this.look();
  }

  /** Ends the drain if nothing is left. */
  look(): void {
    const { connections, lingering, admissions } = this.premises;
    if (this.#endsAt === Number.POSITIVE_INFINITY) return;
    if (connections.size > 0 || lingering.size > 0 || admissions.size > 0) return;
    this.#cancelStep();
    this.#cancelDeadline();
    this.#resolve();
  }

  /** Closes an equal part of the remaining connections in each remaining step. Late steps close more. */
  #step(): void {
    const stepsLeft = Math.max(1, Math.floor((this.#spreadUntil - this.clock.monotonic()) / STEP) + 1);
    let turns = Math.max(FEW, Math.ceil(this.#waiting.size / stepsLeft));
    for (const connection of this.#waiting) {
      if (turns-- === 0) break;
      this.#waiting.delete(connection);
      connection.retire();
    }
    if (this.#waiting.size > 0) this.#cancelStep = this.clock.schedule(STEP, () => this.#step());
  }

  #expire(): void {
    const { connections, lingering, admissions } = this.premises;
    this.#isOver = true;
    this.#cancelStep();
    this.#cancelDeadline();
    this.#waiting.clear();
    for (const connection of connections) this.arrived(connection);
    for (const guest of lingering) guest.terminate();
    for (const admission of admissions) admission.withdraw();
    this.look();
  }
}
