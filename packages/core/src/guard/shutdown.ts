import { Drain } from '../connection/drain.ts';
import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import { type Denial, deny } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Registry } from './registry.ts';

/** Milliseconds within which refused clients should come again: each is told a random part of it, so that they spread. */
const LATEST_RETRY = 10_000;

/** The end of a node: new handshakes are refused, those under way too, and open connections are drained. */
export class Shutdown {
  #drain: Drain | undefined;
  #isOver = false;
  #ended: Promise<void> | undefined;

  constructor(
    readonly registry: Registry,
    readonly clock: Clock,
    /** Called once nothing is left on the registry. */
    readonly onEnd: () => void,
  ) {}

  get state(): 'open' | 'closing' | 'closed' {
    if (this.#drain === undefined) return 'open';
    return this.#isOver ? 'closed' : 'closing';
  }

  /** The denial of every handshake from the beginning on; `undefined` before. */
  denial(): Denial | undefined {
    return this.#drain === undefined ? undefined : refusal();
  }

  /** Begins, or joins what has begun; the shortest deadline counts. Resolves when nothing is left on the registry. */
  finishWithin(milliseconds: number): Promise<void> {
    const drain = this.#drain ?? this.#begin();
    drain.finishWithin(milliseconds);
    this.#ended ??= drain.ended.then(() => this.#end());
    return this.#ended;
  }

  /** An admission has become a socket, or was given back. */
  settled(guest: GuardedConnection | Pending | undefined): void {
    if (guest !== undefined) this.#drain?.arrived(guest);
    this.#drain?.look();
  }

  /** A connection has closed. */
  left(connection: GuardedConnection): void {
    this.#drain?.left(connection);
  }

  /** A socket that never became a connection has closed. */
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
