import type { ConnectionView } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';

/** Where a host tells what happens on an accepted socket, whether it is open or still pending. */
export interface Receiver {
  /** A message has arrived. Never throws. */
  receive(data: Uint8Array | string, isBinary: boolean): void;
  /**
   * Bytes have come from the network, in frames of any kind. Told while the connection is pending, where a message
   * that never ends must not fill the memory; absent where nobody needs to know.
   */
  received?(bytes: number): void;
  /** A ping or a pong has come, with so many bytes in it. */
  control(bytes: number): void;
  /**
   * To be asked before anything is sent, with the bytes that wait to be sent already: `false` says that it must not be.
   * A `part` of a message cannot be left out alone: where it is too much, the connection ends whatever the policy says.
   */
  mayBuffer(bytes: number, waiting: number, part?: boolean): boolean;
  /** The WebSocket library found the frames themselves wrong, and is closing the socket. */
  broken(reason: Reason | undefined): void;
  /** A handler outside the guard's reach has failed. */
  fault(error: unknown): void;
  /** The socket has closed. */
  closed(code: number): void;
}

/** Registered, since the application may have a copy of the core of its own, whose connections an adapter is handed. */
export const RECEIVER: unique symbol = Symbol.for('sallyport.receiver') as never;

/**
 * The receiver of an open connection, for a host that has only the connection at hand.
 *
 * @throws TypeError for what is no connection of a guard.
 */
export function receiverOf(connection: Pick<ConnectionView, 'id'>): Receiver {
  const { [RECEIVER]: receiver } = connection as { readonly [RECEIVER]?: Receiver };
  if (receiver !== undefined) return receiver;
  throw new TypeError('This is no connection of a guard.');
}
