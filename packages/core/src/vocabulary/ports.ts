/** The other end of the network connection that carried the handshake, as the operating system reports it. */
export interface Peer {
  /** The remote IP address; `undefined` on a Unix socket, or when the peer is already gone. */
  readonly address: string | undefined;
  /** Whether TLS ends in this process. */
  readonly encrypted: boolean;
  /** Whether the request came over a Unix domain socket. */
  readonly unix: boolean;
}

/** The HTTP upgrade request, as every host can describe it. */
export interface HandshakeRequest {
  readonly method: string;
  /** The request target exactly as it came, before any scrubbing. */
  readonly target: string;
  /** `1.1`, say. */
  readonly httpVersion: string;
  /** Names and values in turn, exactly as received: duplicates can be seen only here. */
  readonly rawHeaders: readonly string[];
  readonly peer: Peer;
}

/** What hooks (`authorize`, `origins`, `custom`) get to see of a handshake. The target is already scrubbed. */
export interface RequestView {
  /** Path and query without any credential. */
  readonly target: string;
  /** The path alone. */
  readonly path: string;
  readonly host: string;
  readonly origin: string | undefined;
  /** The client's address after trusted proxies were looked through. */
  readonly address: string;
  /** Whether the client's connection is encrypted. */
  readonly secure: boolean;
  /** The host framework's own request: `FastifyRequest`, Express `Request`, Koa `Context`, `http.IncomingMessage`. */
  readonly native: unknown;
}

/** What an authenticator knows of an identity beyond its subject. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who is at the other end. Frozen. */
export interface Identity<Scheme extends string = string, C = Claims> {
  /** Which authenticator vouched for it; narrows `claims`. */
  readonly scheme: Scheme;
  /** The user, device or service. Caps and events go by it. */
  readonly subject: string;
  readonly session?: string | undefined;
  readonly tokenId?: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt?: number | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly claims: C;
}

/** What hooks get to see of an open connection. */
export interface ConnectionView {
  /** Random, and the same in events. */
  readonly id: string;
  readonly identity: Identity;
  /** The client's address after trusted proxies were looked through. */
  readonly address: string;
  /** The path of its handshake. */
  readonly path: string;
  /** The subprotocol that was agreed on; never a token. */
  readonly subprotocol: string | undefined;
}

/** One message for many sockets. */
export interface FramedMessage {
  readonly data: string | Uint8Array;
  /** The same as one unmasked frame (RFC 6455 §5.2), which every uncompressed connection can be sent as it is. */
  readonly frame: Uint8Array;
}

/** An accepted WebSocket, as small as a guard needs it. Structural: any library's socket can be made to fit. */
export interface Socket {
  /**
   * Returns whether it was taken: not by a socket that is closing, nor amid a message that is sent in parts, nor where
   * `Receiver.mayBuffer` said no.
   */
  send(data: string | Uint8Array): boolean;
  /** Like `send`; the frame may be written as it is where nothing else shapes what goes out. */
  sendFramed(message: FramedMessage): boolean;
  close(code: number, reason: string): void;
  /** Drops the connection without a closing handshake. */
  terminate(): void;
  ping(): void;
  /** Stops reading from the network, so that TCP pushes back. */
  pause(): void;
  /** Reads on, unless the application has stopped it, too. */
  resume(): void;
  /** Whether it is not being read, whoever has stopped it. */
  isHeld(): boolean;
  /** Bytes that have come from the peer, in frames of any kind and after decryption; only differences count. */
  bytesRead(): number;
  /** Whether there are listeners that were written for the bare library. */
  listens(): boolean;
  /** Hands them a message that has passed. */
  deliver(data: Uint8Array | string, isBinary: boolean): unknown;
}

/** Time, handed in so that tests own it. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch; may jump. For what tokens say about time. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go backwards. For rates and deadlines. */
  monotonic(): number;
  /** Calls back once after `ms` milliseconds; the returned function cancels it. */
  schedule(ms: number, callback: () => void): () => void;
}

/** Where the guard's warnings go. Every logger with a `warn(object, text)` fits: pino, Fastify's, or `consoleLogger`. */
export interface Logger {
  warn(details: object, text: string): void;
}
