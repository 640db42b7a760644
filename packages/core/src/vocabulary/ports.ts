/** The other end of the network connection, as the operating system reports it. */
export interface Peer {
  /** The remote IP address; `undefined` on a Unix socket, or if the peer has disconnected. */
  readonly address: string | undefined;
  /** Whether TLS ends in this process. */
  readonly encrypted: boolean;
  /** Whether the request came over a Unix domain socket. */
  readonly unix: boolean;
}

/** The HTTP upgrade request, as every host can describe it. */
export interface HandshakeRequest {
  readonly method: string;
  /** The request target as received, with credentials. */
  readonly target: string;
  /** Such as `1.1`. */
  readonly httpVersion: string;
  /** Names and values in turn, exactly as received, because only here repeated headers are visible. */
  readonly rawHeaders: readonly string[];
  readonly peer: Peer;
  /** What accepted the connection, such as an `http.Server`. Its end ends what came by it, and no more. Default: unknown. */
  readonly server?: object | undefined;
}

/** What hooks (`authorize`, `origins`, `custom`) see of a handshake. */
export interface RequestView {
  /** Path and query without credentials. */
  readonly target: string;
  /** The path alone. */
  readonly path: string;
  readonly host: string;
  readonly origin: string | undefined;
  /** The client's IP address, as a trusted proxy reports it; 'unknown' if the forwarding header could not be parsed. */
  readonly address: string;
  /** Whether the client uses TLS. */
  readonly secure: boolean;
  /** The host framework's own request: `FastifyRequest`, Express `Request`, Koa `Context`, `http.IncomingMessage`. */
  readonly native: unknown;
}

/** What an authenticator knows of an identity beyond its subject. */
export type Claims = Readonly<Record<string, unknown>>;

/** The authenticated client. Frozen. */
export interface Identity<Scheme extends string = string, C = Claims> {
  /** The authenticator's `scheme`. It narrows the type of `claims`. */
  readonly scheme: Scheme;
  /** The user, device or service. Caps and events use it. */
  readonly subject: string;
  readonly session?: string | undefined;
  readonly tokenId?: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt?: number | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly claims: C;
}

/** What hooks see of an open connection. */
export interface ConnectionView {
  /** A random id, also in events. */
  readonly id: string;
  readonly identity: Identity;
  /** The client's IP address, as a trusted proxy reports it. */
  readonly address: string;
  /** The path of its handshake. */
  readonly path: string;
  /** The negotiated subprotocol; never a token. */
  readonly subprotocol: string | undefined;
}

/** One message for many sockets. */
export interface FramedMessage {
  readonly data: string | Uint8Array;
  /** The message as one unmasked frame (RFC 6455 §5.2), for connections without compression. */
  readonly frame: Uint8Array;
}

/** An accepted WebSocket, as far as a guard needs it. A structural type that any library's socket can fit. */
export interface Socket {
  /**
   * Returns whether the message was sent. It is not if the socket is closing, is sending a fragmented message, or
   * `Receiver.mayBuffer` refuses.
   */
  send(data: string | Uint8Array): boolean;
  /** Like `send`. May write the frame itself if no extension changes outgoing frames. */
  sendFramed(message: FramedMessage): boolean;
  close(code: number, reason: string): void;
  /** Drops the connection without a closing handshake. */
  terminate(): void;
  ping(): void;
  /** Stops reading from the network, so that TCP slows the peer down. */
  pause(): void;
  /** Reads again, unless the application has paused as well. */
  resume(): void;
  /** Whether reading is paused, by the guard or the application. */
  isHeld(): boolean;
  /** Bytes received from the peer, after decryption. Only differences count. */
  bytesRead(): number;
  /** Whether the application listens for messages on the bare socket. */
  listens(): boolean;
  /** Passes an accepted message to these listeners. */
  deliver(data: Uint8Array | string, isBinary: boolean): unknown;
}

/** Time, passed in so that tests control it. */
export interface Clock {
  /** Milliseconds since the epoch. May jump. For the times in tokens. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go backwards. For rates and deadlines. */
  monotonic(): number;
  /** Calls back once after `ms` milliseconds. The returned function cancels it. */
  schedule(ms: number, callback: () => void): () => void;
}

/**
 * Receives the guard's warnings. Every logger with a `warn(object, text)` fits: pino, Fastify's, or `consoleLogger`.
 */
export interface Logger {
  warn(details: object, text: string): void;
}
