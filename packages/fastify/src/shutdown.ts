// Gives the application `websocketServer`.
import type {} from '@fastify/websocket';
import type { AnyGuard } from '@sallyport/core';
import type { FastifyInstance } from 'fastify';

/**
 * Ends the guard's connections with the application. To be called when all plugins are loaded: Fastify runs the `onClose`
 * hook that came last first, and waits for it. Only so the guard has its time before @fastify/websocket closes all sockets
 * at once and without a code, and handshakes are refused with 503 as long as the server still listens.
 */
export function closeWith(
  app: FastifyInstance,
  guard: AnyGuard,
  wss: FastifyInstance['websocketServer'],
  milliseconds: number,
): void {
  app.addHook('onClose', async () => {
    await guard.close({ within: milliseconds });
    // Public routes have sockets that the guard does not know; a silent peer must not hold up the end either.
    const { clients = NOBODY } = wss;
    if (clients.size === 0) return;
    const cancel = guard.schedule(guard.hostLimits.closeTimeout, () => {
      for (const socket of clients) socket.terminate();
    });
    app.server.once('close', cancel);
  });
}

/** A server that was made not to keep its sockets knows of none, whatever its type says. */
const NOBODY: FastifyInstance['websocketServer']['clients'] = new Set();
