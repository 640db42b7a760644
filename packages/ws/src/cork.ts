import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const CORKED: unique symbol = Symbol('sallyport.corked');

export type Corkable = Duplex & { [CORKED]?: boolean };

/** Bytes beyond which writes are flushed before the tick ends. */
const FLUSH_AT = 16_384;

/** Collects what is written to a socket until the end of the tick, so that one system call sends it. */
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

/** Sends what `cork` has collected. */
export function uncork(socket: Corkable): void {
  if (socket[CORKED] !== true) return;
  socket[CORKED] = false;
  socket.uncork();
}

/** The TCP or TLS socket below a WebSocket. ws 8 and the ws 7 of express-ws and koa-websocket keep it in `_socket`. */
export function rawSocket(ws: WebSocket): Corkable | undefined {
  return (ws as unknown as { _socket?: Corkable | null })._socket ?? undefined;
}
