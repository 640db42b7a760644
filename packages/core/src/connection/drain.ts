import type { Clock } from '../ports.ts';
import type { ConnectionState } from './connection.ts';
import type { Pending } from './pending.ts';

/** Milliseconds between two steps of closes. */
const STEP = 100;
/** How many are closed in one step at least: so few come back to another node unnoticed. */
const FEW = 10;
/** Of the window: the rest is for closing handshakes, and for handlers that are still at work. */
const SPREAD = 0.8;

/** What is open when a guard closes; both are left by whoever closes. */
export interface Drained {
  readonly clock: Clock;
  readonly connections: ReadonlySet<ConnectionState>;
  readonly pendings: ReadonlySet<Pending>;
}

/**
 * Ends everything that is open, spread over a window, so that the clients do not all come to the next node at once. A
 * handler that is at work ends first, and its answer is sent; whatever is left at the window's end is terminated.
 */
export class Drain {
  #ended: Promise<void> | undefined;
  readonly #open: readonly ConnectionState[];
  readonly #pendings: readonly Pending[];
  readonly #perStep: number;
  #next = 0;
  #cancelStep = (): void => {};
  #cancelDeadline = (): void => {};
  /** Monotonic milliseconds. */
  #deadline = Number.POSITIVE_INFINITY;

  constructor(
    readonly drained: Drained,
    readonly within: number,
  ) {
    this.#open = [...drained.connections];
    this.#pendings = [...drained.pendings];
    const steps = Math.max(1, Math.floor((within * SPREAD) / STEP));
    this.#perStep = Math.max(FEW, Math.ceil(this.#open.length / steps));
  }

  /** Resolves when no connection is left. The same for everybody who asks. */
  ended(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  /** Ends it within so many milliseconds from now, unless that is later than it ends anyway. */
  hasten(within: number): void {
    const { clock } = this.drained;
    const deadline = clock.monotonic() + within;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    this.#cancelDeadline();
    this.#cancelDeadline = clock.schedule(within, () => this.#terminate());
  }

  #step(): void {
    for (let left = this.#perStep; left > 0 && this.#next < this.#open.length; this.#next++) {
      const connection = this.#open[this.#next] as ConnectionState;
      // Who has gone by itself takes nobody's turn.
      if (connection.state !== 'open') continue;
      connection.finish('shutting_down');
      left--;
    }
    if (this.#next < this.#open.length)
      this.#cancelStep = this.drained.clock.schedule(STEP, () => this.#step());
  }

  #terminate(): void {
    this.#cancelStep();
    for (const pending of this.#pendings) pending.terminate();
    for (const connection of this.drained.connections) {
      connection.end('shutting_down');
      connection.terminate();
    }
  }

  async #end(): Promise<void> {
    this.hasten(this.within);
    for (const pending of this.#pendings) pending.end('shutting_down');
    this.#step();
    await this.#emptied();
    this.#cancelStep();
    this.#cancelDeadline();
  }

  /** Those who were admitted meanwhile open only to be closed, and are waited for as well. */
  async #emptied(): Promise<void> {
    const { connections } = this.drained;
    while (connections.size > 0) {
      await Promise.all(
        [...connections].map(
          (connection) => new Promise<void>((resolve) => connection.onClose(() => resolve())),
        ),
      );
    }
  }
}
