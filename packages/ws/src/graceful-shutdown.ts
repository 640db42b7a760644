import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type AnyGuard, type Duration, PolicyError } from '@sallyport/core';
import { parseWindow } from '@sallyport/core/host';

export interface ShutdownOptions {
  /** How long all of it may take; what is open at the end is dropped. Default: 5 s; 0 drops everything at once. */
  readonly within?: Duration;
  /** Which signals begin it. Default: `SIGTERM` and `SIGINT`; `[]` for none. */
  readonly signals?: readonly NodeJS.Signals[];
}

export interface GracefulShutdown {
  /** Begins it, and resolves with its end; a second call joins the first. */
  close(): Promise<void>;
  /** Resolves with the end, whoever began it: the time to close what the handlers needed. */
  readonly closed: Promise<void>;
}

/** Milliseconds between two looks for connections that have become idle. */
const IDLE_EVERY = 100;

/**
 * Ends an HTTP server and its guard on a signal, so that the process ends by itself: it never calls `process.exit`. The
 * server goes on to answer requests, and refuses handshakes with 503, until `guard.close` has ended the connections; then it
 * stops listening. A second signal does what it does by default, for operators who do not want to wait.
 *
 * To be called before the server listens, or at once afterwards, and once for a server; Fastify does this in `app.close()`.
 *
 * @throws PolicyError for an unknown option, and a `within` that is no duration.
 */
export function gracefulShutdown(
  server: Server,
  guard: AnyGuard,
  options: ShutdownOptions = {},
): GracefulShutdown {
  const unknown = Object.keys(options).find((key) => key !== 'within' && key !== 'signals');
  if (unknown !== undefined)
    throw new PolicyError(
      `gracefulShutdown(…, { ${unknown} })`,
      'unknown option',
      "Use 'within' and 'signals'.",
    );
  const { within = '5s', signals = ['SIGTERM', 'SIGINT'] } = options;
  return new ServerShutdown(server, guard, parseWindow(within, 'gracefulShutdown(…, { within })'), signals);
}

class ServerShutdown implements GracefulShutdown {
  readonly closed: Promise<void>;
  #hasBegun = false;
  #isOver = false;
  #settle!: (end: Promise<void>) => void;
  /** Everything that is open, since the server itself forgets a socket that is upgraded. */
  readonly #sockets = new Set<Socket>();

  constructor(
    readonly server: Server,
    readonly guard: AnyGuard,
    readonly milliseconds: number,
    readonly signals: readonly NodeJS.Signals[],
  ) {
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    server.on('connection', this.#opened);
    for (const signal of signals) process.on(signal, this.#begin);
  }

  close(): Promise<void> {
    this.#begin();
    return this.closed;
  }

  readonly #begin = (): void => {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    for (const signal of this.signals) process.off(signal, this.#begin);
    this.#settle(this.#end());
  };

  async #end(): Promise<void> {
    const { server, guard, milliseconds } = this;
    const drained = guard.close({ within: milliseconds });
    // Behind the guard's own, which says why before it drops a connection.
    const cancelDeadline = guard.schedule(milliseconds, () => {
      this.#isOver = true;
      this.#drop();
    });
    await drained;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    if (this.#isOver) this.#drop();
    const stopLooking = this.#closeIdle();
    await closed;
    stopLooking();
    cancelDeadline();
    server.off('connection', this.#opened);
  }

  /** A connection that was busy when the server stopped listening would be kept alive for the next request. */
  #closeIdle(): () => void {
    let cancel = (): void => {};
    const look = (): void => {
      this.server.closeIdleConnections();
      cancel = this.guard.schedule(IDLE_EVERY, look);
    };
    look();
    return () => cancel();
  }

  #drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  readonly #opened = (socket: Socket): void => {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  };
}
