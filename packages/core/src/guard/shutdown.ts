import { Drain } from '../connection/drain.ts';
import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import { type Denial, deny } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Registry } from './registry.ts';

/** Milliseconds. `Retry-After` of refused clients is a random time up to this, so that they do not all come back at once. */
const LATEST_RETRY = 10_000;

/** Shuts a node down: refuses all handshakes, also those in progress, and drains the open connections. */
export class Shutdown {
  #drain: Drain | undefined;
  #isOver = false;
  #ended: Promise<void> | undefined;

  constructor(
    readonly registry: Registry,
    readonly clock: Clock,
    /** Called when no socket and no slot is left. */
    readonly onEnd: () => void,
  ) {}

  get state(): 'open' | 'closing' | 'closed' {
    if (this.#drain === undefined) return 'open';
    return this.#isOver ? 'closed' : 'closing';
  }

  /** The denial of every handshake once the shutdown has begun; `undefined` before. */
  denial(): Denial | undefined {
    return this.#drain === undefined ? undefined : refusal();
  }

  /** Begins the shutdown, or shortens its deadline. Resolves when no socket and no slot is left. */
  finishWithin(milliseconds: number): Promise<void> {
    const drain = this.#drain ?? this.#begin();
    drain.finishWithin(milliseconds);
    this.#ended ??= drain.ended.then(() => this.#end());
    return this.#ended;
  }

  /** Called when an admission has become a connection, open or pending (`guest`), or was released (no `guest`). */
  settled(guest: GuardedConnection | Pending | undefined): void {
    if (guest !== undefined) this.#drain?.arrived(guest);
    this.#drain?.look();
  }

  /** Called when a connection has closed. */
  left(connection: GuardedConnection): void {
    this.#drain?.left(connection);
  }

  /** Called when the socket of a connection that never authenticated has closed. */
  lingered(): void {
    this.#drain?.look();
  }

  #end(): void {
    this.#isOver = true;
    this.onEnd();
  }

  #begin(): Drain {
    const { handshakes, pendings } = this.registry;
    const drain = new Drain(this.registry, this.clock);
    this.#drain = drain;
    for (const handshake of handshakes) handshake.turnAway(refusal());
    for (const pending of pendings) pending.end('shutting_down');
    return drain;
  }
}

function refusal(): Denial {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  const retryAfter = (random / 2 ** 32) * LATEST_RETRY;
  return deny('shutting_down', 'guard.close was called', retryAfter).at('shutdown');
}
