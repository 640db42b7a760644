import type { WebSocket } from 'ws';
import { rawSocket } from './cork.ts';

/**
 * Reads nothing more from a connection until `letGo`. ws resumes its socket whenever it has caught up with inflating, and
 * the application may resume what it has paused itself: while the guard holds the socket, neither reads on.
 */
export function hold(ws: WebSocket): void {
  const socket = rawSocket(ws);
  if (socket === undefined) return;
  socket.pause();
  const resume = socket.resume;
  socket.resume = () => {
    // Whoever says goodbye, or breaks the protocol, is read to its end, and handed on to nobody.
    if (ws.readyState !== ws.OPEN) resume.call(socket);
    return socket;
  };
}

/** Reads on, unless the application itself has paused it. */
export function letGo(ws: WebSocket): void {
  const socket = rawSocket(ws);
  if (socket === undefined || !Object.hasOwn(socket, 'resume')) return;
  delete (socket as { resume?: unknown }).resume;
  // ws 7 has no `pause`, and so nothing to remember.
  if ((ws as { isPaused?: boolean }).isPaused !== true) socket.resume();
}
