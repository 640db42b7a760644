import type { Connection } from '../connection/connection.ts';
import type { Receiver } from '../connection/receiver.ts';
import type { Identity, Socket } from '../vocabulary/ports.ts';

/** What a passed handshake holds: who it is, what was agreed on, and reserved slots. It opens once, or is released. */
export interface Admission<I extends Identity = Identity, M = unknown, R = unknown> {
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
