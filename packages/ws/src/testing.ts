import type { IncomingMessage, Server } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';
import type { Reason } from '@sallyport/core';
import { WebSocket } from 'ws';

export interface OpenOptions {
  /** Path and query. Default: `/`. */
  readonly path?: string;
  /** The `Origin` header. Default: none, as from a client that is no browser. */
  readonly origin?: string;
  /** The client's address, as the server will see it. Default: `127.0.0.1`. */
  readonly address?: string;
  /** The `Host` header. Default: `localhost`. */
  readonly host?: string;
  /** Whether the connection counts as encrypted. Default: `false`. */
  readonly secure?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocols?: readonly string[];
}

/** A handshake that was refused: `reason` and `status` as the client saw them. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused';

  constructor(
    readonly status: number,
    readonly reason: Reason | undefined,
    readonly body: string,
  ) {
    super(`The handshake was refused with ${status}${reason === undefined ? '' : ` (${reason})`}.`);
  }
}

/**
 * Opens a WebSocket to a server in the same process, for tests: with any origin, from any address, without a port.
 * The server's own HTTP parser, its outer door and the application run as they do for a client from outside.
 *
 * @throws HandshakeRefused when the answer is not a 101.
 */
export function openSocket(server: Server, options: OpenOptions = {}): Promise<WebSocket> {
  const {
    path = '/',
    origin,
    address = '127.0.0.1',
    host = 'localhost',
    secure = false,
    headers,
    subprotocols = [],
  } = options;
  const [client, served] = socketPair(address, secure);
  server.emit('connection', served);
  const socket = new WebSocket(`ws://${host}${path}`, [...subprotocols], {
    ...(origin !== undefined && { origin }),
    ...(headers !== undefined && { headers }),
    createConnection: () => client as never,
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      // What the server sends at once would be emitted before the caller's first statement.
      socket.pause();
      setImmediate(() => socket.resume());
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => void refused(response).then(reject, reject));
  });
}

async function refused(response: IncomingMessage): Promise<HandshakeRefused> {
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  let reason: Reason | undefined;
  try {
    reason = (JSON.parse(body) as { error?: Reason }).error;
  } catch {
    // Not the guard's answer, but the application's.
  }
  return new HandshakeRefused(response.statusCode ?? 0, reason, body);
}

function socketPair(address: string, secure: boolean): [MemorySocket, MemorySocket] {
  const client = new MemorySocket('127.0.0.1', secure);
  const served = new MemorySocket(address, secure);
  client.peer = served;
  served.peer = client;
  return [client, served];
}

/** One end of a connection that never leaves the process; what node:http and ws ask of a socket, and no more. */
class MemorySocket extends Duplex {
  peer: MemorySocket | undefined;
  /** As of a socket of `node:net`: a guard looks whether anything was heard. */
  bytesRead = 0;
  #resume: (() => void) | undefined;

  constructor(
    readonly remoteAddress: string,
    readonly encrypted: boolean,
  ) {
    super({ allowHalfOpen: true });
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // No network answers within the call that writes: ws would begin its wait for an answer after having got it.
    setImmediate(() => {
      const { peer } = this;
      if (peer !== undefined) peer.bytesRead += chunk.length;
      if (peer === undefined || peer.destroyed || peer.push(chunk)) done();
      else peer.#resume = done;
    });
  }

  override _final(done: () => void): void {
    if (this.peer?.destroyed === false) this.peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.peer?.destroyed === false && !this.peer.readableEnded) this.peer.push(null);
    done(error);
  }
}
