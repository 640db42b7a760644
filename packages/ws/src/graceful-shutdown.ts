import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { type AnyGuard, type Duration, PolicyError } from '@sallyport/core';
import { hostGuard, parseWindow, refuseUnknown, requireGuard } from '@sallyport/core/host';
import { isServing } from './listening-servers.ts';
import { releaseChannel, warnAboutKillTimeout } from './process-manager.ts';
import { requireHttpServer } from './required-arguments.ts';
import { onSignal } from './signals.ts';

/** Options of `gracefulShutdown()`. */
export interface ShutdownOptions {
  /** How long the shutdown may take; sockets still open then are destroyed. Default: 5 s. 0 destroys all sockets at once. */
  readonly within?: Duration;
  /** The signals that start the shutdown. Default: `SIGTERM` and `SIGINT`; `[]` for none. */
  readonly signals?: readonly NodeJS.Signals[];
}

/** A shutdown that waits for its signal, or is under way. */
export interface GracefulShutdown {
  /** Starts the shutdown, and resolves when it is over. A second call waits for the same shutdown. */
  close(): Promise<void>;
  /** Resolves when the shutdown is over, whether a signal or `close` started it. Then close what your handlers used. */
  readonly closed: Promise<void>;
}

/** Milliseconds between two searches for idle HTTP connections. */
const IDLE_CHECK_INTERVAL = 100;

/**
 * Ends an HTTP server, and what its guards have admitted on it, on a signal, so that the process can exit by itself, a worker of
 * `node:cluster` or PM2 as well; `process.exit` is never called. The `shutdown` message of PM2 (`shutdown_with_message`) counts as a
 * signal. Until the connections have ended, the server still answers requests and refuses handshakes with 503. Then it stops
 * listening. With the last of their servers the guards close, too. A second signal has its default effect, for operators who do not
 * want to wait.
 *
 * Call it once for a server, before the server listens or right after. On Fastify, `app.close()` does this instead.
 *
 * @throws PolicyError for an argument or option that is none, such as a `within` that is no duration.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { gracefulShutdown } from '@sallyport/ws';
 * import { guard } from './policy.ts';
 *
 * const server = createServer().listen(3000);
 * const { closed } = gracefulShutdown(server, guard, { within: '10s' });
 * await closed;
 * console.log('now close the database');
 * ```
 */
export function gracefulShutdown(
  server: Server,
  guard: AnyGuard,
  options: ShutdownOptions = {},
): GracefulShutdown {
  requireHttpServer(server, 'gracefulShutdown(server, …)');
  requireGuard(guard, 'gracefulShutdown(…, guard)');
  refuseUnknown(options, ['within', 'signals'], 'gracefulShutdown(…)');
  const { within = '5s', signals = ['SIGTERM', 'SIGINT'] } = options;
  checkSignals(signals);
  const milliseconds = parseWindow(within, 'gracefulShutdown(…, { within })');
  if (signals.length > 0) warnAboutKillTimeout(guard, milliseconds);
  return new ServerShutdown(server, guard, milliseconds, signals);
}

/** Signals that Node knows, and lets a program listen for. */
function checkSignals(signals: unknown): void {
  const listenable = Object.keys(constants.signals).filter(
    (name) => name !== 'SIGKILL' && name !== 'SIGSTOP',
  );
  if (Array.isArray(signals) && signals.every((signal) => listenable.includes(signal))) return;
  throw new PolicyError(
    'gracefulShutdown(…, { signals })',
    'it is not a list of signals that a program can listen for',
    "Write ['SIGTERM', 'SIGINT'], or [] for none.",
  );
}

class ServerShutdown implements GracefulShutdown {
  readonly closed: Promise<void>;
  #hasBegun = false;
  #isPastDeadline = false;
  #settle!: (end: Promise<void>) => void;
  #ignoreSignals = (): void => {};
  /** All open sockets. The server itself keeps no upgraded ones. */
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
    server.on('connection', this.#track);
    this.#listenForSignals();
    server.on('listening', this.#listenForSignals);
    server.on('close', () => this.#ignoreSignals());
  }

  close(): Promise<void> {
    this.#begin();
    return this.closed;
  }

  /** A server that has closed by itself has no part in a later signal, and may listen again. */
  readonly #listenForSignals = (): void => {
    this.#ignoreSignals();
    if (this.#hasBegun || this.signals.length === 0) return;
    this.#ignoreSignals = onSignal(this.signals, this.#onSignal);
  };

  /** Without this listener the signal would have ended the process: nothing else may keep it alive when the shutdown is over. */
  readonly #onSignal = (): void => {
    this.#begin();
    void this.closed.then(releaseChannel);
  };

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#ignoreSignals();
    this.#settle(this.#end());
  }

  async #end(): Promise<void> {
    const { server, guard, milliseconds } = this;
    const host = hostGuard(guard);
    const drained = host.closeServer(server, milliseconds);
    // Scheduled after that, so that at the same deadline the guard acts first and tells each client why.
    const cancelDeadline = host.schedule(milliseconds, () => {
      this.#isPastDeadline = true;
      this.#destroySockets();
    });
    await drained;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    if (this.#isPastDeadline) this.#destroySockets();
    const stopLooking = this.#closeIdle();
    await closed;
    stopLooking();
    cancelDeadline();
    server.off('connection', this.#track);
    server.off('listening', this.#listenForSignals);
    host.reopenServer(server);
    if (!isServing(guard)) await guard.family.close({ within: 0 });
  }

  /** Closes idle connections until the server has closed: one that was busy before would be kept alive for its next request. */
  #closeIdle(): () => void {
    let cancel = (): void => {};
    const look = (): void => {
      this.server.closeIdleConnections();
      cancel = hostGuard(this.guard).schedule(IDLE_CHECK_INTERVAL, look);
    };
    look();
    return () => cancel();
  }

  #destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  readonly #track = (socket: Socket): void => {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  };
}
