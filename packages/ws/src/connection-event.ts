import type { IncomingMessage } from 'node:http';
import type { Connection } from '@sallyport/core';
import { isPromise, receiverOf } from '@sallyport/core/host';
import type { WebSocket, WebSocketServer } from 'ws';

/**
 * Calls a ws server's `connection` listeners for an admitted socket, as `wss.emit('connection', …)` would. `emit` drops
 * the promises of asynchronous listeners; here a rejection closes the connection with `internal`.
 */
export function emitConnection(
  wss: WebSocketServer,
  socket: WebSocket,
  request: IncomingMessage,
  connection: Connection,
): void {
  for (const listener of wss.rawListeners('connection')) {
    const result: unknown = listener.call(wss, socket, request);
    if (isPromise(result)) result.then(undefined, (error) => receiverOf(connection).fault(error));
  }
}
