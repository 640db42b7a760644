import type { AnyGuard, Connection, Guard, Identity, MaybePromise } from '@sallyport/core';
import type { Admission, FramedMessage, Receiver, Socket } from '@sallyport/core/host';
import { isPromise, receiverOf } from '@sallyport/core/host';
import type { WebSocket } from 'ws';
import { asBinaryType, guardedBinaryType } from './binary-type.ts';
import { rawSocket } from './cork.ts';
import { libraryOf, makeGuarded } from './guarded-prototype.ts';
import { GUARD_STATE, type GuardState, outbound, sendFramed, sendMessage, sendPing } from './outbound.ts';
import { isReadingPaused, pauseReading, resumeReading } from './paused-reading.ts';

type GuardedWebSocket = WebSocket & { readonly [GUARD_STATE]?: GuardedSocket };

/**
 * The typed connection of a guarded socket.
 *
 * @throws TypeError for a socket that no guard, or another guard, admitted.
 *
 * @example
 * ```ts
 * import { connectionOf, type WebSocketServer } from '@sallyport/ws';
 * import { guard } from './policy.ts';
 *
 * export function serve(wss: WebSocketServer): void {
 *   wss.on('connection', (socket) => {
 *     const chat = connectionOf(socket, guard);
 *     chat.on('say', ({ text }) => chat.send('said', { text }));
 *   });
 * }
 * ```
 */
export function connectionOf<I extends readonly Identity[], M, R>(
  socket: WebSocket,
  guard: Guard<I, M, R>,
): Connection<I[number], M, R> {
  const state = (socket as GuardedWebSocket | undefined | null)?.[GUARD_STATE];
  if (state?.connection === undefined) throw new TypeError('This socket was not admitted by a guard.');
  if (state.guard !== guard)
    throw new TypeError(`This socket was admitted by another guard, '${state.guard.name}'.`);
  return state.connection as unknown as Connection<I[number], M, R>;
}

/**
 * Puts the guard between a socket and all its listeners, by overriding the socket's `emit`: a listener of the guard, beside
 * those of the application, could not hold a message back. `onOpen` is called when the application may have the socket: at
 * once, or after a first message that authenticates.
 */
export function guardSocket(
  socket: WebSocket,
  admission: Admission,
  guard: AnyGuard,
  onOpen: (connection: Connection) => void,
): Receiver {
  // Without an error listener one bad frame would end the process (CVE-2022-39386, CVE-2024-38355).
  socket.on('error', ignore);
  makeGuarded(socket, METHODS);
  const guarded = new GuardedSocket(socket, guard);
  Object.defineProperty(socket, GUARD_STATE, { value: guarded });
  const receiver = admission.open(guarded, (opened) => {
    const connection = opened as unknown as Connection;
    guarded.opened(connection);
    onOpen(connection);
  });
  guarded.receiver ??= receiver;
  return receiver;
}

function ignore(): void {}

function emitGuarded(this: GuardedWebSocket, event: string, first?: unknown, second?: unknown): boolean {
  const receiver = this[GUARD_STATE]?.receiver;
  // No message is expected before the guard has its receiver. If one comes, it is dropped.
  if (receiver === undefined)
    return event !== 'message' && libraryOf(this).emit.call(this, event, first, second);
  if (event === 'message') {
    const data = first as Buffer | string;
    // The ws 7 of express-ws and koa-websocket emits text as a string, without a second argument.
    receiver.receive(data, typeof second === 'boolean' ? second : typeof data !== 'string');
    return true;
  }
  // ws has answered this ping already. If it was one too many, the guard closes, and ws answers no further one.
  if (event === 'ping' || event === 'pong') receiver.control((first as Buffer).length);
  if (event === 'error') receiver.broken(isTooBig(first as Error) ? 'message_too_big' : undefined);
  if (event === 'close') receiver.closed(first as number);
  return libraryOf(this).emit.call(this, event, first, second);
}

/** The members of a WebSocket that the guard overrides, so that it sees all that arrives and all that is sent. */
export const METHODS: PropertyDescriptorMap = {
  emit: method(emitGuarded),
  send: method(outbound.send),
  ping: method(outbound.ping),
  pong: method(outbound.pong),
  terminate: method(outbound.terminate),
  binaryType: guardedBinaryType,
};

function method(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true };
}

/** Whether a message had too many bytes (ws closes with 1009) or too many fragments (1008). ws 7 has no error codes. */
function isTooBig({ code = '', message }: Error & { code?: string }): boolean {
  return TOO_BIG.has(code) || message.startsWith('Max payload size exceeded');
}

const TOO_BIG: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
]);

/** Adapts a ws socket to the core's `Socket`, and keeps what the guard knows of it. */
class GuardedSocket implements Socket, GuardState {
  receiver: Receiver | undefined;
  /** Set when the application may have the socket. */
  connection: Connection | undefined;

  constructor(
    readonly ws: WebSocket,
    readonly guard: AnyGuard,
  ) {}

  opened(connection: Connection): void {
    this.receiver = receiverOf(connection);
    this.connection = connection;
  }

  send(data: string | Uint8Array): boolean {
    return sendMessage(this.ws, data);
  }

  sendFramed(message: FramedMessage): boolean {
    return sendFramed(this.ws, message);
  }

  close(code: number, reason: string): void {
    this.ws.close(code, reason);
  }

  terminate(): void {
    this.ws.terminate();
  }

  ping(): void {
    sendPing(this.ws);
  }

  isHeld(): boolean {
    return isReadingPaused(this.ws);
  }

  /** On a TLS socket these are the decrypted bytes. */
  bytesRead(): number {
    return (rawSocket(this.ws) as { readonly bytesRead?: number } | undefined)?.bytesRead ?? 0;
  }

  pause(): void {
    pauseReading(this.ws);
  }

  resume(): void {
    resumeReading(this.ws);
  }

  listens(): boolean {
    return this.ws.listenerCount('message') > 0;
  }

  /** Calls the `message` listeners one by one, because `emit` would drop the promises of asynchronous ones. */
  deliver(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    let pending: Promise<unknown>[] | undefined;
    const form = isBinary && typeof data !== 'string' ? asBinaryType(this.ws, data) : data;
    try {
      for (const listener of this.ws.rawListeners('message')) {
        const result: unknown = listener.call(this.ws, form, isBinary);
        if (isPromise(result)) {
          pending ??= [];
          pending.push(result);
        }
      }
    } catch (error) {
      if (pending === undefined) throw error;
      // Promises of earlier listeners may reject as well, so all of them are returned.
      pending.push(Promise.reject(error));
    }
    return pending === undefined ? undefined : Promise.all(pending);
  }
}
