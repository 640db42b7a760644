import type { Server } from 'node:http';
// Adds `websocketServer` to the type of the application.
import type {} from '@fastify/websocket';
import type { AnyGuard } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import type { FastifyInstance } from 'fastify';

interface ApplicationEnd {
  readonly server: Server;
  readonly guard: AnyGuard;
  readonly wss: FastifyInstance['websocketServer'];
  /** How long the connections may take to end. */
  readonly milliseconds: number;
  /** Takes the application's part of the server's upgrades away. */
  readonly removeListener: () => void;
}

/**
 * Ends what came by the application's server in `app.close()`; the guard goes on for other servers. Call it when all plugins are
 * loaded: Fastify runs the `onClose` hook that was added last first, and waits for it. So the connections have ended before
 * @fastify/websocket closes all sockets at once, without a close code, and the server refuses handshakes with 503 as long as it
 * listens.
 */
export function endWithApplication(app: FastifyInstance, end: ApplicationEnd): void {
  const { server, guard, wss, milliseconds, removeListener } = end;
  const host = hostGuard(guard);
  app.addHook('onClose', async () => {
    await host.closeServer(server, milliseconds);
    const leave = (): void => {
      removeListener();
      host.reopenServer(server);
    };
    // A server that Fastify does not close goes on without the application.
    if (server === app.server && server.listening) server.once('close', leave);
    else leave();
    // The guard does not know the sockets of public routes. A peer that does not close must not hold up the end.
    const { clients = NO_CLIENTS } = wss;
    if (clients.size === 0) return;
    const cancel = host.schedule(host.limits.closeTimeout, () => {
      for (const socket of clients) socket.terminate();
    });
    app.server.once('close', cancel);
  });
}

/** For a ws server with `clientTracking: false`, whose `clients` is missing although its type says otherwise. */
const NO_CLIENTS: FastifyInstance['websocketServer']['clients'] = new Set();
