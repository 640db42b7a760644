import type { Clock } from '../vocabulary/ports.ts';
import type { ReadonlyRoster } from '../vocabulary/roster.ts';

/** Milliseconds between two steps. */
const STEP = 100;

/** How many go in a step at least: so few that come back at once are no crowd. */
const FEW = 10;

/** The part of the window in which closes begin; the rest is for the closing handshakes of those that go last. */
const SPREAD = 0.8;

/** An accepted socket. */
interface Guest {
  end(reason: 'shutting_down'): void;
  terminate(): void;
}

/** One that may have a handler at work, which is to finish. */
interface Resident extends Guest {
  retire(): void;
}

/** What has to be empty in the end. Whoever holds it keeps it up to date, and has the drain look. */
export interface Premises {
  readonly connections: ReadonlyRoster<Resident>;
  /** Accepted sockets that never became connections, and are being closed. */
  readonly lingering: ReadonlyRoster<Guest>;
  /** Passed handshakes whose socket is not open yet. */
  readonly admissions: ReadonlyRoster<{ withdraw(): void }>;
}

/**
 * Empties a node whose clients will all connect to the next one: a few in each step, so that they come there one after
 * another and not as a herd. What is left at the deadline is dropped. Two timers, however many connections there are.
 */
export class Drain {
  /** Resolves when nobody is left. */
  readonly ended: Promise<void>;
  /** Whose turn is still to come, in the order in which they came. */
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

  /** Begins, or brings the deadline forward: a later one than before changes nothing. */
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

  /** Somebody comes from an admission that was made before. */
  arrived(guest: Guest): void {
    guest.end('shutting_down');
    if (this.#isOver) guest.terminate();
  }

  /** A connection has closed. */
  left(connection: Resident): void {
    this.#waiting.delete(connection);
    this.look();
  }

  /** Something has changed on the premises. */
  look(): void {
    const { connections, lingering, admissions } = this.premises;
    if (this.#endsAt === Number.POSITIVE_INFINITY) return;
    if (connections.size > 0 || lingering.size > 0 || admissions.size > 0) return;
    this.#cancelStep();
    this.#cancelDeadline();
    this.#resolve();
  }

  /** As many as make an even stream of those that still wait, whoever has left in the meantime, and however late it is. */
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
