import type { WebSocket } from 'ws';
import { rawSocket } from './cork.ts';

type Resumable = { resume: () => unknown };
type Receiver = { readonly writableNeedDrain?: boolean } | null | undefined;

/**
 * For the guard: stops reading from the network. Nobody else can resume the raw socket meanwhile, neither the application
 * nor ws itself, which does when its receiver has caught up, and to see the end of a connection behind its close frame.
 * What the application does to the socket stays its own: `isPaused` says whether it has paused.
 */
export function hold(ws: WebSocket): void {
  const socket = rawSocket(ws);
  if (socket === undefined) return;
  (socket as Resumable).resume = stay;
  socket.pause();
}

/** For the guard: reads on, unless the application has paused the socket. */
export function letGo(ws: WebSocket): void {
  const socket = rawSocket(ws) as Resumable | undefined;
  if (socket?.resume !== stay) return;
  // Not deleted, which would make the socket a slow object.
  socket.resume = (Object.getPrototypeOf(socket) as Resumable).resume;
  // A receiver that is still inflating resumes the socket as soon as it has caught up.
  const { _receiver: receiver } = ws as unknown as { readonly _receiver?: Receiver };
  if (!ws.isPaused && receiver?.writableNeedDrain !== true) socket.resume();
}

/** Whether anybody keeps it from being read; the ws 7 inside express-ws has nothing to pause. */
export function isHeld(ws: WebSocket): boolean {
  return ws.isPaused || (rawSocket(ws) as Resumable | undefined)?.resume === stay;
}

function stay(this: unknown): unknown {
  return this;
}
