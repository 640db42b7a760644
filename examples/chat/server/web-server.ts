import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { AnyGuard } from '@sallyport/core';
import { gracefulShutdown } from '@sallyport/ws';
import type { Api } from '../chat/api.ts';
import type { Page } from '../chat/page.ts';

/** The demo has no passwords, so that only this machine reaches it. */
export const ADDRESS = '127.0.0.1';

/** How long the guard's connections may take to end. */
export const CLOSE_WITHIN = '2s';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface ServeOptions {
  /** 0 for one that is free. */
  readonly port: number;
  /** Serves over TLS. */
  readonly certificate?: Certificate | undefined;
}

export interface Running {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the chat; one for each host. */
export type Serve = (api: Api, page: Page, options: ServeOptions) => Promise<Running>;

export function createWebServer(certificate: Certificate | undefined, listener: RequestListener): Server {
  return certificate === undefined ? createServer(listener) : createTlsServer({ ...certificate }, listener);
}

/** Resolves once the server listens, and rejects where it cannot. */
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

/** The same for a server with a guard: its connections end first, and their clients are told. */
export async function listenGuarded(server: Server, guard: AnyGuard, port: number): Promise<Running> {
  // No signals: more than this server has to end then.
  const shutdown = gracefulShutdown(server, guard, { within: CLOSE_WITHIN, signals: [] });
  const running = await listen(server, port);
  return { ...running, close: () => shutdown.close() };
}
