// Gives the application `websocketServer`.
import type {} from '@fastify/websocket';
import { type AnyGuard, type Duration, parseDuration } from '@sallyport/core';
import type { FastifyInstance } from 'fastify';

/**
 * Ends the guard's connections with the application. To be called when all plugins are loaded: Fastify runs the
 * `onClose` hook that came last first, and only so the guard says why it closes before @fastify/websocket closes the
 * sockets without a code, and refuses handshakes before nobody listens for them any more.
 */
export function closeWith(
  app: FastifyInstance,
  guard: AnyGuard,
  wss: FastifyInstance['websocketServer'],
  within: Duration = '5s',
): void {
  const milliseconds = parseDuration(within, 'register(sallyport, { closeWithin })');
  app.addHook('onClose', async () => {
    // Public routes have sockets that the guard does not know; a silent peer must not hold up the end either.
    const cancel = guard.schedule(milliseconds, () => {
      for (const socket of wss.clients ?? []) socket.terminate();
    });
    app.server.once('close', cancel);
    // Waited for here: after this hook @fastify/websocket closes all that is open, without a code and in one go.
    await guard.close({ within: milliseconds });
  });
}
