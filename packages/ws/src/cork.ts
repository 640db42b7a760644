import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const CORKED: unique symbol = Symbol('sallyport.corked');

export type Corkable = Duplex & { [CORKED]?: boolean };

/** Bytes after which what a tick has written is handed on without waiting for its end. */
const FLUSH_AT = 16_384;

/** Holds back what is written until the end of the tick. */
export function cork(socket: Corkable): void {
  if (socket[CORKED] !== true) {
    socket[CORKED] = true;
    socket.cork();
    process.nextTick(uncork, socket);
  } else if (socket.writableLength > FLUSH_AT) {
    socket.uncork();
    socket.cork();
  }
}

/** Hands on what was held back. */
export function uncork(socket: Corkable): void {
  if (socket[CORKED] !== true) return;
  socket[CORKED] = false;
  socket.uncork();
}

/** Both ws 8 and the ws 7 of express-ws and koa-websocket keep it here. */
export function rawSocket(ws: WebSocket): Corkable | undefined {
  return (ws as unknown as { _socket?: Corkable | null })._socket ?? undefined;
}
