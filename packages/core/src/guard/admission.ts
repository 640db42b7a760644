import type { Connection } from '../connection/connection.ts';
import type { Receiver } from '../connection/receiver.ts';
import type { Identity, Socket } from '../vocabulary/ports.ts';

/** What a passed handshake holds: an identity, a subprotocol and reserved slots. Open it once, or release it. */
export interface Admission<I extends Identity = Identity, M = unknown, R = unknown> {
  readonly denied: false;
  /** `undefined` if the client has yet to authenticate by its first message. */
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
   * Call it once the 101 is sent. `onOpen` is called when the application's handlers may have the connection: at once, or
   * after the first message has authenticated, or never.
   */
  open(socket: Socket, onOpen: (connection: Connection<I, M, R>) => void): Receiver;
  /** Releases the slots if no socket will be opened. After `open`, the connection releases them itself. */
  release(): void;
}
