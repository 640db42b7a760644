import type { Denial } from '../vocabulary/decision.ts';

/**
 * One handshake as an adapter sees it. It ends exactly once: admitted, denied or abandoned. Calls after that change nothing.
 */
export interface HostHandshake {
  /** Whether the handshake has ended. */
  readonly ended: boolean;
  /** Whether the inner door of a route has admitted it. */
  readonly admitted: boolean;
  /** Path and query without credentials, for the application and its logger. */
  readonly target: string;
  /** The path alone. */
  readonly path: string;
  /** The offered subprotocols without tokens. */
  readonly offeredSubprotocols: readonly string[];
  /** The subprotocol to answer with; `undefined` if none, or not decided yet. */
  readonly subprotocol: string | undefined;
  /** Denies the handshake for a reason of the host, such as an unknown route. Returns the first denial, if there was one before. */
  deny(denial: Denial): Denial;
  /** Denies the handshake because the host's code threw. The error is reported to operators only. */
  fault(error: unknown): Denial;
  /** Ends the handshake because the client has left. */
  abandon(): void;
}
