import type { IncomingMessage } from 'node:http';
import type { Connection } from '@sallyport/core';
import { isPromise } from '@sallyport/core/host';
import type { WebSocket, WebSocketServer } from 'ws';

/**
 * Tells a ws server's `connection` listeners of an admitted socket: what `emit` does, one by one, since `emit` drops the
 * promises of asynchronous ones. What one of them rejects with closes the connection with `internal`.
 */
export function announce(
  wss: WebSocketServer,
  socket: WebSocket,
  request: IncomingMessage,
  connection: Connection,
): void {
  for (const listener of wss.rawListeners('connection')) {
    const result: unknown = listener.call(wss, socket, request);
    if (isPromise(result)) result.then(undefined, (error) => connection.fault(error));
  }
}
