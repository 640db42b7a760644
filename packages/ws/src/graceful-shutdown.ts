import type { Server } from 'node:http';
import { type AnyGuard, type Duration, parseDuration } from '@sallyport/core';

export interface GracefulShutdownOptions {
  /** How long the end may take. Default: 5 s. Beyond: what is left is cut, sockets and HTTP requests alike. */
  readonly within?: Duration;
  /** What begins it. Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
}

export interface GracefulShutdown {
  /** Begins it without a signal; resolves when nothing is open any more. Called again, it is the same end. */
  close(): Promise<void>;
  /** Does not listen for signals any more. */
  forget(): void;
}

/**
 * Ends a server and its guard on a signal: new handshakes get 503 and `Retry-After`, open connections are closed with 1001,
 * spread over the window, then the server stops listening. It never calls `process.exit`: with nothing left open Node
 * ends by itself. The second signal is the system's again, so that whoever does not want to wait can end the process.
 * On Fastify, `app.close()` does the same.
 *
 * @throws PolicyError for a `within` that is no duration.
 */
export function gracefulShutdown(
  server: Server,
  guard: AnyGuard,
  { within = '5s', signals = ['SIGTERM', 'SIGINT'] }: GracefulShutdownOptions = {},
): GracefulShutdown {
  const milliseconds = parseDuration(within, 'gracefulShutdown({ within })');
  let ended: Promise<void> | undefined;
  const forget = (): void => {
    for (const signal of signals) process.off(signal, begin);
  };
  const close = (): Promise<void> => {
    forget();
    ended ??= end(server, guard, milliseconds);
    return ended;
  };
  const begin = (): void => void close();
  for (const signal of signals) process.on(signal, begin);
  return { close, forget };
}

async function end(server: Server, guard: AnyGuard, within: number): Promise<void> {
  // Requests, and handshakes whose client never reads the refusal, have the same time as connections.
  const cancel = guard.schedule(within, () => server.closeAllConnections());
  // The server listens on meanwhile: a client is better told to come back than not answered.
  await guard.close({ within });
  await new Promise<void>((resolve) => {
    // An error says that it does not listen, which is what is wanted.
    server.close(() => resolve());
  });
  cancel();
}
