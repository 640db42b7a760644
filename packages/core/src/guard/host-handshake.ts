import type { Denial } from '../vocabulary/decision.ts';

/**
 * One handshake as an adapter sees it. It ends exactly once: admitted, denied, or abandoned. What is asked of it after that
 * changes nothing.
 */
export interface HostHandshake {
  /** Whether it has ended, one way or another. */
  readonly ended: boolean;
  /** Path and query without credentials: what the application and its logger may see. */
  readonly target: string;
  /** The path alone. */
  readonly path: string;
  /** The offered subprotocols without tokens. */
  readonly offeredSubprotocols: readonly string[];
  /** The subprotocol to answer with, as far as that is decided. */
  readonly subprotocol: string | undefined;
  /** Ends it with a denial of the host's own, such as for an unknown route. Returns the denial that counts. */
  deny(denial: Denial): Denial;
  /** Ends it because something on the host's side threw. A fault denies, and only operators learn what it was. */
  fault(error: unknown): Denial;
  /** Ends it because the client is gone. */
  abandon(): void;
}
