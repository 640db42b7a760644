import type { Duplex } from 'node:stream';

/** What decides whether a socket may switch protocols. */
export interface Seal {
  /** Whether a 101 may leave. From the first time that it is `true`, nothing is looked at any more. */
  readonly maySwitch: boolean;
  /** A 101 was about to leave. The socket is destroyed, and nothing of it has left. */
  broken(error: Error): void;
}

const SEAL: unique symbol = Symbol('sallyport.seal');

type Callback = (error?: Error | null) => void;
interface Chunk {
  readonly chunk: Uint8Array | string;
  readonly encoding: BufferEncoding;
}

/** The two methods through which every byte leaves a stream, whoever writes it and however (Node: `writable._write`). */
interface Writes {
  _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: Callback): void;
  _writev?(chunks: readonly Chunk[], callback: Callback): void;
}
type Sealed = Duplex & Writes & { [SEAL]?: Watch | undefined };

/** A response that switches protocols (RFC 9110 §15.2.2): at the start, or behind an informational one. */
const SWITCH = /\r\n\r\nHTTP\/\d\.\d 101/;
/** Of what has left, as many characters as the beginning of such a response can have. */
const KEPT = 15;

/**
 * Lets no 101 leave on this socket until the seal says that it may. A library that answers upgrades with a parser of its own, or
 * with its own copy of ws, would else take connections that no guard has admitted.
 */
export function sealSocket(socket: Duplex, seal: Seal): void {
  const sealed = socket as Sealed;
  sealed[SEAL] = { seal, left: '\r\n\r\n' };
  sealed._write = write;
  if (sealed._writev !== undefined) sealed._writev = writev;
}

interface Watch {
  readonly seal: Seal;
  left: string;
}

function write(this: Sealed, chunk: Uint8Array | string, encoding: BufferEncoding, callback: Callback): void {
  if (mayLeave(this, [{ chunk, encoding }], callback))
    methodsOf(this)._write.call(this, chunk, encoding, callback);
}

function writev(this: Sealed, chunks: readonly Chunk[], callback: Callback): void {
  if (mayLeave(this, chunks, callback)) methodsOf(this)._writev?.call(this, chunks, callback);
}

function mayLeave(socket: Sealed, chunks: readonly Chunk[], callback: Callback): boolean {
  const watch = socket[SEAL];
  if (watch === undefined) return true;
  if (watch.seal.maySwitch) {
    unseal(socket);
    return true;
  }
  for (const { chunk, encoding } of chunks) {
    const text = watch.left + textOf(chunk, encoding);
    if (SWITCH.test(text)) {
      const error = new Error(
        'A 101 was about to leave for a handshake that no guard has admitted. Let the route be accepted by a guard, or make it public by name.',
      );
      watch.seal.broken(error);
      callback(error);
      socket.destroy();
      return false;
    }
    watch.left = text.slice(-KEPT);
  }
  return true;
}

/** Own properties again, since a socket from which properties are deleted is slow for as long as it lives. */
function unseal(socket: Sealed): void {
  const methods = methodsOf(socket);
  socket[SEAL] = undefined;
  socket._write = methods._write;
  if (methods._writev !== undefined) socket._writev = methods._writev;
}

function methodsOf(socket: Sealed): Writes {
  return Object.getPrototypeOf(socket) as Writes;
}

function textOf(chunk: Uint8Array | string, encoding: BufferEncoding): string {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
  return bytes.toString('latin1');
}
