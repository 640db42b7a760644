import type { Server } from 'node:http';
import { Duplex } from 'node:stream';
import { eventually } from './eventually.ts';
import { type Frame, type HandshakeOptions, handshakeBytes, parseFrames } from './wire.ts';

/**
 * The server's end of a connection whose peer reads only when a test says so. Unlike a real socket, it buffers no bytes in the
 * kernel, which would hide how many bytes wait in the server.
 */
export class SlowPeer extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  #received = Buffer.alloc(0);
  #hears: boolean;
  #held: (() => void) | undefined;

  constructor({ hears = true } = {}) {
    super();
    this.#hears = hears;
  }

  /** A peer whose handshake was answered with 101. */
  static async open(server: Server, options: HandshakeOptions): Promise<SlowPeer> {
    const peer = new SlowPeer();
    server.emit('connection', peer);
    peer.push(handshakeBytes(options));
    await eventually(() => peer.#received.includes('\r\n\r\n'), 'a 101');
    return peer;
  }

  /** Stops reading. */
  deafen(): void {
    this.#hears = false;
  }

  /** Reads everything that waits and that comes later. */
  hear(): void {
    this.#hears = true;
    const take = this.#held;
    this.#held = undefined;
    take?.();
  }

  /** The frames that it has read. */
  frames(): Frame[] {
    return parseFrames(this.#received.subarray(this.#received.indexOf('\r\n\r\n') + 4));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const take = (): void => {
      this.#received = Buffer.concat([this.#received, chunk]);
      done();
    };
    if (this.#hears) take();
    else this.#held = take;
  }

  setTimeout(): void {}
  setNoDelay(): void {}
  setKeepAlive(): void {}
}
