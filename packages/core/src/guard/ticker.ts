import type { GuardedConnection } from '../connection/guarded-connection.ts';
import { TICK } from '../connection/liveness.ts';
import type { IdentityRates } from '../limits/identity-rates.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { ReadonlyRoster } from '../vocabulary/roster.ts';

/** Milliseconds between two ticks. If it was longer, the process was blocked or asleep and could not read from its peers. */
const LATE = 2 * TICK;

/** One timer for all connections, which calls their `tick` once a second. It runs while there are connections. */
export class Ticker {
  #cancel = (): void => {};
  /** Monotonic milliseconds of the last tick. */
  #tickedAt = 0;

  constructor(
    readonly clock: Clock,
    readonly connections: ReadonlyRoster<GuardedConnection>,
    readonly identityRates: IdentityRates | undefined,
  ) {}

  start(): void {
    this.#tickedAt = this.clock.monotonic();
    this.#schedule();
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): void {
    // If the last connection closed and a new one opened during this tick, the timer has been started already.
    this.#cancel();
    this.#cancel = this.clock.schedule(TICK, () => this.#tick());
  }

  #tick(): void {
    const now = this.clock.now();
    const monotonic = this.clock.monotonic();
    const elapsed = Math.round(monotonic - this.#tickedAt);
    this.#tickedAt = monotonic;
    const passed = { elapsed, late: elapsed > LATE };
    for (const connection of this.connections) connection.tick(now, monotonic, passed);
    this.identityRates?.tick();
    if (this.connections.size > 0) this.#schedule();
  }
}
