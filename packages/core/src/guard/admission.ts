import type { Connection } from '../connection/connection.ts';
import type { Identity, Socket } from '../vocabulary/ports.ts';
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

/** What a passed handshake holds: who it is, what was agreed on, and reserved slots. It opens once, or is released. */
export interface Admission<I extends Identity, M, R> {
  readonly denied: false;
  /** `undefined` until a first message has told. */
  readonly identity: I | undefined;
  /** The subprotocol to answer with; `undefined` for none. */
  readonly subprotocol: string | undefined;
  /** For the WebSocket library: the largest message, after reassembly and inflation. */
  readonly maxMessageBytes: number;
  /** For the WebSocket library: the most frames that one message may come in. */
  readonly maxFragments: number;
  /** For the WebSocket library: the most pieces in which the network may deliver one frame. */
  readonly maxChunks: number;
  /**
   * Takes the socket once the 101 is out. `onOpen` is called when the application's handlers may have it: at once, or
   * after the first message has authenticated, or never.
   */
  open(socket: Socket, onOpen: (connection: Connection<I, M, R>) => void): Receiver;
  /** Gives the slots back where no connection came of it. Once opened, the connection does that. */
  release(): void;
}
