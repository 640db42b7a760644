import type { WebSocket } from 'ws';
import { rawSocket } from './cork.ts';

type Resumable = { resume: () => unknown };
type Receiver = { readonly writableNeedDrain?: boolean } | null | undefined;

/**
 * Stops reading from the network until `resumeReading`. The raw socket's own `resume` does nothing meanwhile: ws calls it
 * when its receiver has caught up and after a close frame, and the application may call it, too. `ws.isPaused` still tells
 * only whether the application has paused.
 */
export function pauseReading(ws: WebSocket): void {
  const socket = rawSocket(ws);
  if (socket === undefined) return;
  (socket as Resumable).resume = stayPaused;
  socket.pause();
}

/** Ends `pauseReading`. The socket is read again, unless the application has paused it. */
export function resumeReading(ws: WebSocket): void {
  const socket = rawSocket(ws) as Resumable | undefined;
  if (socket?.resume !== stayPaused) return;
  // Assigned rather than deleted: `delete` would turn the socket into a slow object.
  socket.resume = (Object.getPrototypeOf(socket) as Resumable).resume;
  // A receiver that is still inflating resumes the socket when it has caught up.
  const { _receiver: receiver } = ws as unknown as { readonly _receiver?: Receiver };
  if (!ws.isPaused && receiver?.writableNeedDrain !== true) socket.resume();
}

/** Whether the guard or the application has paused the socket. In the ws 7 of express-ws the application cannot. */
export function isReadingPaused(ws: WebSocket): boolean {
  return ws.isPaused || (rawSocket(ws) as Resumable | undefined)?.resume === stayPaused;
}

function stayPaused(this: unknown): unknown {
  return this;
}
