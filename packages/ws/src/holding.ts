import type { WebSocket } from 'ws';
import { rawSocket } from './cork.ts';

const HOLDERS: unique symbol = Symbol('sallyport.holders');

/** Who keeps a socket from being read. */
export const THE_GUARD = 1;
const THE_APPLICATION = 2;

type Held = WebSocket & { [HOLDERS]: number };
type Receiver = { readonly writableNeedDrain?: boolean } | null | undefined;
type Resumable = { resume: () => unknown };

/** Counts who holds a socket; it is read only when nobody does. The application sees its own `pause()` alone. */
export function countHolders(ws: WebSocket): void {
  Object.defineProperty(ws, HOLDERS, { value: 0, writable: true });
  // The ws 7 inside express-ws has no `pause()`.
  if (typeof ws.pause !== 'function') return;
  ws.pause = pause;
  ws.resume = resume;
  Object.defineProperty(ws, 'isPaused', { get: isPaused, configurable: true });
}

/** Stops reading from the network. */
export function hold(ws: WebSocket, holder: number): void {
  (ws as Held)[HOLDERS] |= holder;
  const socket = rawSocket(ws);
  if (socket === undefined) return;
  // ws resumes it by itself: when its receiver has caught up, and to see the end of a connection behind its close frame.
  (socket as Resumable).resume = stay;
  socket.pause();
}

/** Reads on, unless somebody else holds it. */
export function letGo(ws: WebSocket, holder: number): void {
  const held = ws as Held;
  held[HOLDERS] &= ~holder;
  const socket = rawSocket(ws) as Resumable | undefined;
  if (held[HOLDERS] !== 0 || socket === undefined || socket.resume !== stay) return;
  // Not deleted, which would make the socket a slow object.
  socket.resume = (Object.getPrototypeOf(socket) as Resumable).resume;
  // A receiver that is still inflating resumes the socket as soon as it has caught up.
  const { _receiver: receiver } = ws as unknown as { readonly _receiver?: Receiver };
  if (receiver?.writableNeedDrain !== true) socket.resume();
}

/** Whether anybody holds it. */
export function isHeld(ws: WebSocket): boolean {
  return (ws as Held)[HOLDERS] !== 0;
}

function stay(this: unknown): unknown {
  return this;
}

/** As in ws, there is nothing to pause before a connection is open or after it has ended. */
function isLive(ws: WebSocket): boolean {
  return ws.readyState === ws.OPEN || ws.readyState === ws.CLOSING;
}

function pause(this: WebSocket): void {
  if (isLive(this)) hold(this, THE_APPLICATION);
}

function resume(this: WebSocket): void {
  if (isLive(this)) letGo(this, THE_APPLICATION);
}

function isPaused(this: WebSocket): boolean {
  return ((this as Held)[HOLDERS] & THE_APPLICATION) !== 0;
}
