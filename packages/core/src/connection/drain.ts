import type { Clock } from '../vocabulary/ports.ts';

/** Milliseconds between two steps of a drain. */
const STEP = 100;

/** Connections that every step closes at least. So few clients can reconnect at once without harm. */
const FEW = 10;

/** The part of the time in which closes begin. The rest is for the last closing handshakes. */
const SPREAD = 0.8;

/** The part of the time after which messages that still wait are refused. The rest is for their answers and the running handlers. */
const LAST_CALL = 0.9;

/** An accepted socket. */
export interface DrainedSocket {
  end(reason: 'shutting_down'): void;
  terminate(): void;
}

/** An open connection. */
export interface DrainedConnection extends DrainedSocket {
  /** Ends the connection when every message that was received is handled. */
  retire(): void;
  /** Refuses the messages that wait, so that the connection ends after the running handler. */
  dismiss(): void;
}

/** A passed handshake whose socket is not open yet. */
export interface DrainedAdmission {
  withdraw(): void;
}

/** All that must be gone before a drain ends, as it is when the drain is created. */
export interface Drained {
  readonly connections: Iterable<DrainedConnection>;
  /** Accepted sockets that are not open connections. Each is being closed, or is closed by the owner of the drain. */
  readonly sockets: Iterable<DrainedSocket>;
  readonly admissions: Iterable<DrainedAdmission>;
}

/**
 * Closes many connections, a few in each step, so that their clients do not all reconnect to another node at once. Sockets
 * still open at the deadline are destroyed. Uses two timers for any number of connections.
 */
export class Drain {
  /** Resolves when no socket and no admission is left. */
  readonly ended: Promise<void>;
  /** The connections that were not asked to close yet, oldest first. */
  readonly #waiting: Set<DrainedConnection>;
  /** The connections that were asked to close and are not gone yet. */
  readonly #retiring = new Set<DrainedConnection>();
  /** The sockets that are not gone yet, those of connections included. */
  readonly #sockets: Set<DrainedSocket>;
  readonly #admissions: Set<DrainedAdmission>;
  /** Monotonic milliseconds. */
  #endsAt = Number.POSITIVE_INFINITY;
  #spreadUntil = 0;
  #lastCallAt = 0;
  #isOver = false;
  #resolve = (): void => {};
  #cancelStep = (): void => {};
  #cancelDeadline = (): void => {};

  constructor(
    { connections, sockets, admissions }: Drained,
    readonly clock: Clock,
  ) {
    this.#waiting = new Set(connections);
    this.#sockets = new Set([...this.#waiting, ...sockets]);
    this.#admissions = new Set(admissions);
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
      this.#lastCallAt = now + milliseconds * LAST_CALL;
      this.#cancelDeadline();
      this.#cancelDeadline = this.clock.schedule(milliseconds, () => this.#expire());
      this.#cancelStep();
      this.#step();
    }
    if (now >= this.#endsAt) this.#expire();
    this.#look();
  }

  /** Ends a socket that was admitted before the drain and has only now opened. */
  arrived(socket: DrainedSocket): void {
    this.#sockets.add(socket);
    socket.end('shutting_down');
    if (this.#isOver) socket.terminate();
  }

  /** A socket has closed. */
  left(socket: DrainedSocket): void {
    this.#sockets.delete(socket);
    this.#waiting.delete(socket as DrainedConnection);
    this.#retiring.delete(socket as DrainedConnection);
    this.#look();
  }

  /** An admission has become a socket, for which `arrived` was called, or was released. */
  settled(admission: DrainedAdmission): void {
    this.#admissions.delete(admission);
    this.#look();
  }

  /** Ends the drain if nothing is left. */
  #look(): void {
    if (this.#endsAt === Number.POSITIVE_INFINITY) return;
    if (this.#sockets.size > 0 || this.#admissions.size > 0) return;
    this.#cancelStep();
    this.#cancelDeadline();
    this.#resolve();
  }

  /** Closes an equal part of the remaining connections in each remaining step. Late steps close more. */
  #step(): void {
    const now = this.clock.monotonic();
    const stepsLeft = Math.max(1, Math.floor((this.#spreadUntil - now) / STEP) + 1);
    let turns = Math.max(FEW, Math.ceil(this.#waiting.size / stepsLeft));
    for (const connection of this.#waiting) {
      if (turns-- === 0) break;
      this.#waiting.delete(connection);
      this.#retiring.add(connection);
      connection.retire();
    }
    if (this.#waiting.size > 0) this.#cancelStep = this.clock.schedule(STEP, () => this.#step());
    else this.#cancelStep = this.clock.schedule(Math.max(0, this.#lastCallAt - now), () => this.#lastCall());
  }

  #lastCall(): void {
    for (const connection of this.#retiring) connection.dismiss();
  }

  #expire(): void {
    this.#isOver = true;
    this.#cancelStep();
    this.#cancelDeadline();
    for (const connection of [...this.#waiting, ...this.#retiring]) connection.dismiss();
    this.#waiting.clear();
    for (const socket of this.#sockets) {
      socket.end('shutting_down');
      socket.terminate();
    }
    for (const admission of this.#admissions) admission.withdraw();
    this.#look();
  }
}
