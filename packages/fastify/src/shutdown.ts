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
  let closed: Promise<void> | undefined;
  let cancel: (() => void) | undefined;
  app.addHook('preClose', () => closed as Promise<void>);
  app.addHook('onClose', (_instance, done) => {
    closed = guard.close({ within });
    // Public routes have sockets that the guard does not know; a silent peer must not hold up the end either.
    cancel = guard.schedule(milliseconds, () => {
      for (const socket of wss.clients ?? []) socket.terminate();
    });
    app.server.once('close', cancel);
    done();
  });
}
