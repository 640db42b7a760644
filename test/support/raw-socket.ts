import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** The TCP socket of a server's WebSocket, for ws 7 and ws 8. */
export function rawSocket(ws: WebSocket): Socket {
  return (ws as unknown as { readonly _socket: Socket })._socket;
}

/** Waits until nothing more is read, and returns how many bytes were read. */
export async function standstill(socket: Socket): Promise<number> {
  let last = -1;
  await eventually(async () => {
    const before = last;
    last = socket.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return before === last && socket.bytesRead === last;
  }, 'a standstill');
  return last;
}

/** Waits until this many more bytes have been read. */
export async function read(socket: Socket, bytes: number): Promise<void> {
  const end = socket.bytesRead + bytes;
  await eventually(() => socket.bytesRead >= end || socket.destroyed, `${bytes} bytes`);
}
