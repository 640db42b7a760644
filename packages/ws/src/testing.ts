import type { IncomingMessage, Server } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';
import type { Reason } from '@sallyport/core';
import { WebSocket } from 'ws';
import { requireHttpServer } from './required-arguments.ts';

/** Options of `openSocket()`: the client that it plays. */
export interface OpenOptions {
  /** Path and query. Default: `/`. */
  readonly path?: string;
  /** The `Origin` header. Default: none, as from a client that is not a browser. */
  readonly origin?: string;
  /** The client's address, as the server will see it. Default: `127.0.0.1`. */
  readonly address?: string;
  /** The `Host` header. Default: `localhost`. */
  readonly host?: string;
  /** Whether the server sees the connection as encrypted. Default: `false`. */
  readonly secure?: boolean;
  /** Further headers of the request. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The subprotocols that are offered, in order. Default: none. */
  readonly subprotocols?: readonly string[];
}

/** Thrown by `openSocket` for a refused handshake, with what the client saw. `reason` is `undefined` for a refusal of the application. */
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
 * Opens a WebSocket to a server in the same process, for tests: with any origin, from any address, without a port. The
 * server's HTTP parser, its outer door and the application run as for a client on the network.
 *
 * @throws HandshakeRefused when the answer is not a 101.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { HandshakeRefused, openSocket } from '@sallyport/ws/testing';
 *
 * const server = createServer(); // with the application and its guard
 * try {
 *   const socket = await openSocket(server, { path: '/chat', origin: 'https://evil.example' });
 *   socket.terminate();
 * } catch (error) {
 *   if (error instanceof HandshakeRefused) console.log(error.status, error.reason); // 403 origin_denied
 * }
 * ```
 */
export function openSocket(server: Server, options: OpenOptions = {}): Promise<WebSocket> {
  requireHttpServer(server, 'openSocket(server)');
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
      // Messages that the server sends at once wait until the caller could add its listeners.
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
    // The answer of the application, not of the guard.
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

/** One end of a connection inside the process, with what node:http and ws use of a socket. */
class MemorySocket extends Duplex {
  peer: MemorySocket | undefined;
  /** As on a socket of node:net. The guard's liveness check reads it. */
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
    // Later, as on a network. Otherwise the answer would arrive before ws starts to wait for it.
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
