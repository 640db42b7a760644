import type { GuardedConnection } from '../connection/guarded-connection.ts';
import { TICK } from '../connection/liveness.ts';
import type { IdentityRates } from '../limits/identity-rates.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { ReadonlyRoster } from '../vocabulary/roster.ts';

/** Milliseconds between two ticks from which on this process was kept from reading what peers say, by a stall or by sleep. */
const LATE = 2 * TICK;

/** One timer for all connections: once a second it looks at a few numbers of each. It runs while there are connections. */
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
    // During a tick the last connection may close and another one open, which has started the timer already.
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
