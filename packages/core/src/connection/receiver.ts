import type { ConnectionView } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';

/** What a host calls when something happens on an accepted socket, open or pending. */
export interface Receiver {
  /** A message has arrived. Never throws. */
  receive(data: Uint8Array | string, isBinary: boolean): void;
  /**
   * Bytes have arrived, in frames of any kind. Only pending connections have this method, so that a message that never ends
   * cannot fill the memory.
   */
  received?(bytes: number): void;
  /** A ping or a pong has arrived, with this many bytes of payload. */
  control(bytes: number): void;
  /**
   * Call this before anything is sent, with its bytes and the bytes that already wait. `false` forbids sending. For a `part` of
   * a message a refusal always ends the connection, because a message cannot be sent with a part missing.
   */
  mayBuffer(bytes: number, waiting: number, part?: boolean): boolean;
  /** The WebSocket library has found an invalid frame, and closes the socket itself. */
  broken(reason: Reason | undefined): void;
  /** A handler that the guard did not call has failed. */
  fault(error: unknown): void;
  /** The socket has closed. */
  closed(code: number): void;
}

/** A registered symbol, because application and adapter may load two copies of the core. */
export const RECEIVER: unique symbol = Symbol.for('sallyport.receiver') as never;

/**
 * The receiver of an open connection, for a host that has only the connection.
 *
 * @throws TypeError for a value that is no connection of a guard.
 */
export function receiverOf(connection: Pick<ConnectionView, 'id'>): Receiver {
  const { [RECEIVER]: receiver } = connection as { readonly [RECEIVER]?: Receiver };
  if (receiver !== undefined) return receiver;
  throw new TypeError('This is no connection of a guard.');
}
