import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { AnyGuard, Connection } from '@sallyport/core';
import type { WebSocket } from 'ws';

/** What a host can do. Tests for what a host cannot do are left out for it, for the reason given here. */
interface Capabilities {
  /** The application's own middleware runs before the inner door, so that `request.native` carries its session. */
  readonly middleware: boolean;
  /** A route may have a guard of its own. A gate has one guard for one WebSocket server. */
  readonly routeGuards: boolean;
  /**
   * An upgrade of a path that is no WebSocket route is refused before the 101. koa-websocket looks for the route after the
   * 101, so that its gate closes an unknown route with 4404 instead.
   */
  readonly knowsRoutes: boolean;
  /**
   * An ordinary request to the path of a WebSocket route reaches the guard, which tells a client what its handshake lacks.
   * Plain ws, express-ws and koa-websocket keep the two apart: there the application answers it like any other.
   */
  readonly answersRequests: boolean;
  /**
   * A rejection of a route's handler is caught. Plain ws has no routes: its handlers are `connection` listeners, and an
   * event emitter ignores what they return.
   */
  readonly catchesRejections: boolean;
  /**
   * `limits.closeTimeout` bounds a close that the peer begins and never ends. The ws 7 of express-ws waits 30 s and has no
   * option for it.
   */
  readonly boundsPeersClose: boolean;
  /**
   * A message that inflates beyond the limit closes with 1009. ws 7 stops at the same byte, but then finds the rest of the
   * data broken and closes with 1007.
   */
  readonly namesInflatedSize: boolean;
}

/** The handler of `/chat`, with the same parameters on every host. */
export type ChatHandler = (connection: Connection, socket: WebSocket, native: unknown) => unknown;

export interface HostOptions {
  readonly guard: AnyGuard;
  /** The guard of `/admin`, on hosts with guards per route. */
  readonly admin?: AnyGuard;
  /** Serves `https:` with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** In milliseconds: how long connections may take to end, on hosts that shut down by themselves. */
  readonly closeWithin?: number;
  /** Default: answers `say` with `said`. */
  readonly chat?: ChatHandler;
}

/** An application on a port of its own, with `/chat`, `/bare` (a handler of the bare library), `/plain` (HTTP), `/admin`. */
export interface RunningHost {
  readonly server: Server;
  readonly port: number;
  /** The URL that each WebSocket handler saw, in order. */
  readonly handled: readonly string[];
  /** URLs and headers of requests that the application could log before a handler ran. */
  readonly logged: readonly string[];
  close(): Promise<void>;
  /** Closes the application in the framework's own way, if it has one. */
  end?(): Promise<void>;
}

export interface Host {
  readonly name: string;
  readonly capabilities: Capabilities;
  start(options: HostOptions): Promise<RunningHost>;
}

/** What the application of each host records. */
export class Notes {
  readonly handled: string[] = [];
  readonly logged: string[] = [];

  /** Called by the application's own first middleware. */
  log(request: { readonly url?: string; readonly rawHeaders?: readonly string[] }): void {
    this.logged.push([request.url, ...(request.rawHeaders ?? [])].join(' '));
  }
}

/** The chat as every host serves it. */
export const echo: ChatHandler = (connection) => {
  connection.on(
    'say',
    (message) => void connection.send('said', { text: (message as { text: string }).text }),
  );
};

/** A handler written for the bare library, without any guard. */
export function bareEcho(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(`bare ${String(data)} ${isBinary}`));
}

/** The user that the application's session middleware found; hooks read it through `request.native`. */
export function sessionOf(headers: { readonly cookie?: string | undefined }): { user: string } | undefined {
  const user = /(?:^|; )session=([a-z]+)/.exec(headers.cookie ?? '')?.[1];
  return user === undefined ? undefined : { user };
}

/** Listens on a free port of loopback. Closing drops all open sockets. */
export async function serve(server: Server): Promise<Pick<RunningHost, 'server' | 'port' | 'close'>> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { server, port: (server.address() as AddressInfo).port, close };
}
