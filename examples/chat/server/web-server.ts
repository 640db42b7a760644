import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { AnyGuard } from '@sallyport/core';
import { gracefulShutdown } from '@sallyport/ws';
import type { Api } from '../chat/api.ts';
import type { Page } from '../chat/page.ts';

/** Loopback only, because the demo has no passwords. */
export const ADDRESS = '127.0.0.1';

/** How long the guard's connections have to end. */
export const CLOSE_WITHIN = '2s';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface ServeOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Serves over TLS with this certificate. Default: plain HTTP. */
  readonly certificate?: Certificate | undefined;
}

export interface Running {
  readonly port: number;
  close(): Promise<void>;
}

/** A function that serves the chat on one host. */
export type Serve = (api: Api, page: Page, options: ServeOptions) => Promise<Running>;

export function createWebServer(certificate: Certificate | undefined, listener: RequestListener): Server {
  return certificate === undefined ? createServer(listener) : createTlsServer({ ...certificate }, listener);
}

/** Resolves when the server listens, and rejects if it cannot. */
export function listen(server: Server, port: number): Promise<Running> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ADDRESS, () => {
      server.off('error', reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

/** `listen` for a guarded server. Its `close` first closes the connections with a close code. */
export async function listenGuarded(server: Server, guard: AnyGuard, port: number): Promise<Running> {
  // No signals here: on a signal, `main` closes more than this server.
  const shutdown = gracefulShutdown(server, guard, { within: CLOSE_WITHIN, signals: [] });
  const running = await listen(server, port);
  return { ...running, close: () => shutdown.close() };
}
