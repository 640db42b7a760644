import type { Connection } from './connection/connection.ts';
import type { Identity, Socket } from './ports.ts';

/** What a passed handshake holds: who it is, what was agreed on, and reserved slots. It opens once, or is released. */
export interface Admission<I extends Identity, M, R> {
  readonly denied: false;
  readonly identity: I;
  /** The subprotocol to answer with; `undefined` for none. */
  readonly subprotocol: string | undefined;
  /** For the WebSocket library: the largest message, after reassembly and inflation. */
  readonly maxMessageBytes: number;
  /** Turns it into a connection once the 101 is out. */
  open(socket: Socket): Connection<I, M, R>;
  /** Gives the slots back where no connection came of it. Once opened, the connection does that. */
  release(): void;
}
