// Adds `websocketServer` to the type of the application.

import type {} from '@fastify/websocket';
import type { AnyGuard } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import type { FastifyInstance } from 'fastify';

/**
 * Ends the guard's connections in `app.close()`. Call it when all plugins are loaded: Fastify runs the `onClose` hook that was
 * added last first, and waits for it. So the guard is done before @fastify/websocket closes all sockets at once, without a
 * close code, and the server refuses handshakes with 503 as long as it listens.
 */
export function closeGuardWith(
  app: FastifyInstance,
  guard: AnyGuard,
  wss: FastifyInstance['websocketServer'],
  milliseconds: number,
): void {
  app.addHook('onClose', async () => {
    await guard.family.close({ within: milliseconds });
    // The guard does not know the sockets of public routes. A peer that does not close must not hold up the end.
    const { clients = NO_CLIENTS } = wss;
    if (clients.size === 0) return;
    const host = hostGuard(guard);
    const cancel = host.schedule(host.limits.closeTimeout, () => {
      for (const socket of clients) socket.terminate();
    });
    app.server.once('close', cancel);
  });
}

/** For a ws server with `clientTracking: false`, whose `clients` is missing although its type says otherwise. */
const NO_CLIENTS: FastifyInstance['websocketServer']['clients'] = new Set();
