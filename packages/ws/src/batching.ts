import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const CORKED: unique symbol = Symbol('sallyport.corked');

type Corkable = Duplex & { [CORKED]?: boolean };
type Send = (data: unknown, options?: unknown, done?: unknown) => void;

/** Bytes after which what a tick has written is handed on without waiting for its end. */
const FLUSH_AT = 16_384;

/**
 * What is sent in one tick leaves in one system call, which is most of what a small message costs: the raw socket is
 * corked by the first `send` of a tick and uncorked at its end. Order stays as it is, for close frames, pings and
 * pongs, too, since all of them go through the same socket; `bufferedAmount` counts what waits.
 */
export function batchWrites(ws: WebSocket): void {
  ws.send = sendInBatch as WebSocket['send'];
  ws.terminate = terminateFlushed;
}

function sendInBatch(this: WebSocket, data: unknown, options?: unknown, done?: unknown): void {
  const socket = rawSocket(this);
  if (socket !== undefined) cork(socket);
  (Object.getPrototypeOf(this) as { send: Send }).send.call(this, data, options, done);
}

/** Dropping a socket must not take back what was sent before. */
function terminateFlushed(this: WebSocket): void {
  const socket = rawSocket(this);
  if (socket?.[CORKED] === true) uncork(socket);
  (Object.getPrototypeOf(this) as WebSocket).terminate.call(this);
}

function cork(socket: Corkable): void {
  if (socket[CORKED] !== true) {
    socket[CORKED] = true;
    socket.cork();
    process.nextTick(uncork, socket);
  } else if (socket.writableLength > FLUSH_AT) {
    socket.uncork();
    socket.cork();
  }
}

function uncork(socket: Corkable): void {
  if (socket[CORKED] !== true) return;
  socket[CORKED] = false;
  socket.uncork();
}

/** Both ws 8 and the ws 7 of express-ws and koa-websocket keep it here. */
function rawSocket(ws: WebSocket): Corkable | undefined {
  return (ws as unknown as { _socket?: Corkable | null })._socket ?? undefined;
}
