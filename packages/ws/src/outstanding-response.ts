import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * The response that node:http is writing to a socket. It keeps it under this name in every version that is supported, and tells
 * nobody else: the `upgrade` event of a pipelined request comes while earlier requests have no answer yet.
 */
interface HttpSocket extends Duplex {
  readonly _httpMessage?: ServerResponse | null;
}

/** Whether an earlier request of this connection still waits for its answer, or for the rest of it. */
export function hasOutstandingResponse(socket: Duplex): boolean {
  return !socket.destroyed && responseOf(socket) !== undefined;
}

/** Calls back once every response is written that was begun or queued before. Never, if the socket closes first. */
export function afterResponses(socket: Duplex, callback: () => void): void {
  const response = responseOf(socket);
  if (response === undefined) {
    callback();
    return;
  }
  // node:http has taken its listeners off the socket, so that a response which waits for it would wait for ever.
  const drain = (): void => void response.emit('drain');
  socket.on('drain', drain);
  response.once('close', () => {
    socket.off('drain', drain);
    // By then node:http has begun the next one in its queue.
    if (!socket.destroyed) afterResponses(socket, callback);
  });
}

function responseOf(socket: HttpSocket): ServerResponse | undefined {
  return socket._httpMessage ?? undefined;
}
