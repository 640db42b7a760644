import { Drain } from '../connection/drain.ts';
import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import { type Denial, deny } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { RegistryPart, Withdrawable } from './registry.ts';

/** Milliseconds. `Retry-After` of refused clients is a random time up to this, so that they do not all come back at once. */
const LATEST_RETRY = 10_000;

/** Shuts a guard and its extensions down, or a server: refuses all handshakes, also those in progress, and drains the open connections. */
export class Shutdown {
  readonly #drain: Drain;
  readonly #ended: Promise<void>;
  #isOver = false;

  /** `onEnd` is called when no socket and no slot is left. */
  constructor(
    { handshakes, pendings, lingering, admissions, connections }: RegistryPart,
    clock: Clock,
    /** Why handshakes are refused, for operators. */
    readonly detail: string,
    onEnd: () => void = () => {},
  ) {
    this.#drain = new Drain({ connections, sockets: [...lingering, ...pendings], admissions }, clock);
    this.#ended = this.#drain.ended.then(() => {
      this.#isOver = true;
      onEnd();
    });
    for (const handshake of handshakes) handshake.turnAway(this.denial());
    for (const pending of pendings) pending.end('shutting_down');
  }

  get state(): 'closing' | 'closed' {
    return this.#isOver ? 'closed' : 'closing';
  }

  /** The denial of every handshake from now on. */
  denial(): Denial {
    const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
    const retryAfter = (random / 2 ** 32) * LATEST_RETRY;
    return deny('shutting_down', this.detail, retryAfter).at('shutdown');
  }

  /** Starts the drain, or shortens its deadline. Resolves when no socket and no slot is left. */
  finishWithin(milliseconds: number): Promise<void> {
    this.#drain.finishWithin(milliseconds);
    return this.#ended;
  }

  /** Called when an admission has become a `socket`, of a connection open or pending, or was released (no `socket`). */
  settled(admission: Withdrawable, socket: GuardedConnection | Pending | undefined): void {
    if (socket !== undefined) this.#drain.arrived(socket);
    this.#drain.settled(admission);
  }

  /** Called when a socket has closed. */
  left(socket: GuardedConnection | Pending): void {
    this.#drain.left(socket);
  }
}
