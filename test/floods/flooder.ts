import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { handshakeBytes, parseFrames } from '../support/wire.ts';

/** A full run, which measures time as well: `pnpm floods`. It takes minutes and an otherwise idle machine. */
export const IN_FULL = process.env.SALLYPORT_FLOODS === 'full';
/** How many messages, sockets or fragments each flood sends. */
export const FLOOD = IN_FULL ? 20_000 : 2_000;

/** Milliseconds. */
const BEAT = 10;

/** How a flooding connection ended, and which answers it got until then. */
export interface Flooded {
  readonly texts: number;
  readonly pongs: number;
  /** From its handshake to its end. */
  readonly seconds: number;
  /** The code of the server's close frame, if there was one. */
  readonly code: number | undefined;
}

/**
 * A client that sends all its bytes whatever the server answers, and answers no ping and no close frame. Its socket ends when
 * the server ends it.
 */
export class Flooder {
  readonly #received: Buffer[] = [];
  readonly #ended: Promise<void>;
  readonly #startedAt = performance.now();
  #seconds = 0;
  #over = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.#received.push(chunk)).on('error', () => socket.destroy());
    this.#ended = new Promise((resolve) => {
      for (const event of ['end', 'close'] as const) {
        socket.on(event, () => {
          if (!this.#over) this.#seconds = (performance.now() - this.#startedAt) / 1_000;
          this.#over = true;
          resolve();
        });
      }
    });
  }

  /** Resolves once its handshake is answered. */
  static async enter(port: number, headers: Readonly<Record<string, string>>): Promise<Flooder> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const flooder = new Flooder(socket);
    socket.write(handshakeBytes({ headers }));
    await flooder.#until('data');
    return flooder;
  }

  /**
   * Sends the bytes in this many parts, which may end within a frame, and waits between them, as a network does. Without the
   * waits, a flood would only measure how fast the machine moves bytes.
   */
  async send(bytes: Buffer, parts: number): Promise<void> {
    const size = Math.ceil(bytes.length / parts);
    for (let at = 0; at < bytes.length && !this.#over; at += size) {
      if (!this.socket.write(bytes.subarray(at, at + size))) await this.#until('drain');
      await wait(BEAT);
    }
  }

  /** Waits until the server has ended the connection. */
  async outcome(): Promise<Flooded> {
    await this.#ended;
    this.socket.destroy();
    const bytes = Buffer.concat(this.#received);
    const frames = parseFrames(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4));
    const of = (wanted: number) => frames.filter(({ opcode }) => opcode === wanted);
    return {
      texts: of(0x1).length,
      pongs: of(0xa).length,
      seconds: this.#seconds,
      code: of(0x8)[0]?.data.readUInt16BE(0),
    };
  }

  #until(event: 'data' | 'drain'): Promise<unknown> {
    return Promise.race([new Promise((resolve) => this.socket.once(event, resolve)), this.#ended]);
  }
}
