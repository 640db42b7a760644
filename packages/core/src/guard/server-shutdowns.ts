import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Registry, Withdrawable } from './registry.ts';
import { Shutdown } from './shutdown.ts';

/** The shutdowns of single servers. Each ends what came by its server, and the guards of the family go on for the others. */
export class ServerShutdowns {
  readonly #shutdowns = new Map<object, Shutdown>();

  constructor(
    readonly registry: Registry,
    readonly clock: Clock,
  ) {}

  /** The shutdown of a server; `undefined` if it is not closing. */
  of(server: object | undefined): Shutdown | undefined {
    return server === undefined || this.#shutdowns.size === 0 ? undefined : this.#shutdowns.get(server);
  }

  /** Begins the shutdown of a server, or shortens its deadline. Resolves when nothing is left that came by it. */
  close(server: object, milliseconds: number): Promise<void> {
    const shutdown = this.#shutdowns.get(server) ?? this.#begin(server);
    return shutdown.finishWithin(milliseconds);
  }

  /** Admits handshakes of a server again. */
  reopen(server: object): void {
    this.#shutdowns.delete(server);
  }

  /** Called when a socket has closed. */
  left(socket: GuardedConnection | Pending): void {
    this.of(socket.server)?.left(socket);
  }

  /** Called when an admission has become a `socket`, or was released (no `socket`). */
  settled(admission: Withdrawable, socket: GuardedConnection | Pending | undefined): void {
    this.of(admission.server)?.settled(admission, socket);
  }

  #begin(server: object): Shutdown {
    const part = this.registry.partOf((_, its) => its === server);
    const shutdown = new Shutdown(part, this.clock, 'the server is closing');
    this.#shutdowns.set(server, shutdown);
    return shutdown;
  }
}
