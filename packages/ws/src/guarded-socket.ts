import type { AnyGuard, Connection, Guard, Identity, MaybePromise } from '@sallyport/core';
import type { Admission, FramedMessage, Receiver, Socket } from '@sallyport/core/host';
import { isPromise } from '@sallyport/core/host';
import type { WebSocket } from 'ws';
import { heldBinaryType, inWantedForm } from './binary-type.ts';
import { rawSocket } from './cork.ts';
import { libraryOf, makeGuarded } from './guarded-prototype.ts';
import { hold, isHeld, letGo } from './holding.ts';
import { KNOWN, type Known, outbound, sendFramed, sendMessage } from './outbound.ts';

type GuardedWebSocket = WebSocket & { readonly [KNOWN]?: GuardedSocket };

/**
 * The typed connection of a guarded socket.
 *
 * @throws TypeError for a socket that no guard, or another guard, admitted.
 */
export function connectionOf<I extends readonly Identity[], M, R>(
  socket: WebSocket,
  guard: Guard<I, M, R>,
): Connection<I[number], M, R> {
  const { [KNOWN]: known } = socket as GuardedWebSocket;
  if (known?.connection === undefined) throw new TypeError('This socket was not admitted by a guard.');
  if (known.guard !== guard)
    throw new TypeError(`This socket was admitted by another guard, '${known.guard.name}'.`);
  return known.connection as unknown as Connection<I[number], M, R>;
}

/**
 * Puts the guard between a socket and all its listeners, those of the application included, by the socket's own
 * `emit`: a listener beside theirs could not hold a message back. `onOpen` is called when the application may have
 * the socket: at once, or after its first message has authenticated.
 */
export function guardSocket(
  socket: WebSocket,
  admission: Admission<Identity, unknown, unknown>,
  guard: AnyGuard,
  onOpen: (connection: Connection) => void,
): Receiver {
  // Without an error listener one bad frame would end the process (CVE-2022-39386, CVE-2024-38355).
  socket.on('error', ignore);
  makeGuarded(socket, METHODS);
  const known = new GuardedSocket(socket, guard);
  Object.defineProperty(socket, KNOWN, { value: known });
  const receiver = admission.open(known, (opened) => {
    const connection = opened as unknown as Connection;
    known.opened(connection);
    onOpen(connection);
  });
  known.receiver ??= receiver;
  return receiver;
}

function ignore(): void {}

function emitGuarded(this: GuardedWebSocket, event: string, first?: unknown, second?: unknown): boolean {
  const receiver = this[KNOWN]?.receiver;
  // Before it is open no message can have come; should one, it is nobody's.
  if (receiver === undefined)
    return event !== 'message' && libraryOf(this).emit.call(this, event, first, second);
  if (event === 'message') {
    const data = first as Buffer | string;
    // The ws 7 inside express-ws and koa-websocket gives text as a string, and no second argument.
    receiver.receive(data, typeof second === 'boolean' ? second : typeof data !== 'string');
    return true;
  }
  // ws has answered a ping already; of one that is too many it answers no further ones.
  if (event === 'ping' || event === 'pong') receiver.control((first as Buffer).length);
  if (event === 'error') receiver.broken(isTooBig(first as Error) ? 'message_too_big' : undefined);
  if (event === 'close') receiver.closed(first as number);
  return libraryOf(this).emit.call(this, event, first, second);
}

/** What is the guard's own of a socket: everything that comes, and everything that is sent, goes through these. */
export const METHODS: PropertyDescriptorMap = {
  emit: method(emitGuarded),
  send: method(outbound.send),
  pong: method(outbound.pong),
  terminate: method(outbound.terminate),
  binaryType: heldBinaryType,
};

function method(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true };
}

/** Too many bytes, or too many fragments of few: ws closes with 1009 for the ones and 1008 for the others. */
function isTooBig({ code = '', message }: Error & { code?: string }): boolean {
  return TOO_BIG.has(code) || message.startsWith('Max payload size exceeded');
}

const TOO_BIG: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
]);

/** ws in the words of the core, and what has come of the socket. */
class GuardedSocket implements Socket, Known {
  receiver: Receiver | undefined;
  /** There once the application may have it. */
  connection: Connection | undefined;

  constructor(
    readonly ws: WebSocket,
    readonly guard: AnyGuard,
  ) {}

  opened(connection: Connection): void {
    this.receiver = connection;
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
    if (this.ws.readyState === this.ws.OPEN) this.ws.ping();
  }

  isHeld(): boolean {
    return isHeld(this.ws);
  }

  /** Of a TLS socket, too, what it has decrypted. */
  bytesRead(): number {
    return (rawSocket(this.ws) as { readonly bytesRead?: number } | undefined)?.bytesRead ?? 0;
  }

  pause(): void {
    hold(this.ws);
  }

  resume(): void {
    letGo(this.ws);
  }

  listens(): boolean {
    return this.ws.listenerCount('message') > 0;
  }

  /** Calls the listeners itself, since `emit` would drop the promises of asynchronous ones. */
  deliver(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    let pending: Promise<unknown>[] | undefined;
    const form = isBinary && typeof data !== 'string' ? inWantedForm(this.ws, data) : data;
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
      // Those before it may reject as well, and somebody has to hear that.
      pending.push(Promise.reject(error));
    }
    return pending === undefined ? undefined : Promise.all(pending);
  }
}
