// A load generator on raw sockets, so that it costs less than the servers: frames are built once, replies are counted by
// their length, and only some are read.
import { connect } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { HOST, ORIGIN } from './common.js';
import { plain } from './dialects.js';
import { PING, pongFrame, readFrame, TEXT, textFrame } from './frames.js';

export { plain, plainOf, socketIo } from './dialects.js';

/** The content of the first reply of a connection is looked at, and then of one in so many. */
const LOOK_EVERY = 1_000;

/**
 * Opens a WebSocket. Resolves with its socket as soon as messages may be sent, rejects for any other answer. Nobody
 * answers pings on it until a `Talker` has it.
 *
 * @param {number} port
 * @param {string} [token] none, to see it refused
 * @param {import('./dialects.js').Dialect} [dialect]
 * @param {{ origin?: string, host?: string, target?: string, headers?: readonly string[] }} [from] what differs from
 *   what the servers expect, and further header lines
 * @returns {Promise<import('node:net').Socket>}
 */
export function open(port, token, dialect = plain, from = {}) {
  const { origin = ORIGIN, host = HOST, target = dialect.path, headers: more = [] } = from;
  const headers = [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Origin: ${origin}`,
    ...dialect.headers(token),
    ...more,
  ];
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(`${headers.join('\r\n')}\r\n\r\n`);
  return greeted(socket, dialect.greeting(token));
}

function greeted(socket, greeting) {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    let upgraded = false;
    const refuse = (said) => {
      socket.destroy();
      reject(new Error(`refused: ${said}`));
    };
    const read = (data) => {
      bytes = bytes.length === 0 ? data : Buffer.concat([bytes, data]);
      if (!upgraded) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end === -1) return;
        const head = bytes.latin1Slice(0, end);
        if (!head.startsWith('HTTP/1.1 101')) return refuse(head.split('\r\n')[0]);
        upgraded = true;
        bytes = bytes.subarray(end + 4);
      }
      while (greeting.length > 0) {
        const frame = readFrame(bytes, 0);
        if (frame === undefined) return;
        bytes = bytes.subarray(frame.end);
        const { awaited, said } = greeting.shift();
        if (frame.first !== TEXT || frame.payload.indexOf(awaited) !== 0) return refuse(frame.payload);
        if (said !== undefined) socket.write(said);
      }
      if (bytes.length > 0) return refuse('more than was asked for');
      socket.off('data', read).off('close', closed);
      resolve(socket);
    };
    const closed = () => refuse('closed without an answer');
    socket.on('data', read).on('close', closed).once('error', reject);
  });
}

/** One connection that keeps a number of messages in flight while its slice lasts, and checks what comes back. */
export class Talker {
  replies = 0;
  /** Called with the number of replies in each piece that arrives: with one message in flight, once a round trip. */
  onReplies = undefined;
  #running = false;
  #untilLook = 1;
  #tail = undefined;
  /** Bytes of a reply's payload; all of them are short enough to have it in the second byte of their frame. */
  #length = undefined;
  /** As many messages as may have to be sent at once. */
  #messages;
  #messageLength;

  /**
   * @param {import('node:net').Socket} socket
   * @param {number} inFlight
   * @param {import('./dialects.js').Dialect} [dialect]
   * @param {'echo' | 'reply'} [shape] of the server; without it the first reply says which one is to be expected
   */
  constructor(socket, inFlight, dialect = plain, shape = undefined) {
    this.socket = socket;
    this.inFlight = inFlight;
    this.dialect = dialect;
    this.shape = shape;
    if (shape !== undefined) this.#expect(shape);
    const message = textFrame(dialect.message);
    this.#messageLength = message.length;
    this.#messages = Buffer.concat(Array(inFlight).fill(message));
    socket.on('data', (data) => this.#read(data));
    socket.on('end', () => {
      throw new Error('a server ended a connection');
    });
  }

  start() {
    this.#running = true;
    this.#send(this.inFlight);
  }

  stop() {
    this.#running = false;
  }

  #send(count) {
    this.socket.write(this.#messages.subarray(0, count * this.#messageLength));
  }

  /** What is as long as the reply is counted and seldom read; all else is looked at. */
  #read(data) {
    const bytes = this.#tail === undefined ? data : Buffer.concat([this.#tail, data]);
    let at = 0;
    let replies = 0;
    while (at + 2 <= bytes.length) {
      if (bytes[at] === TEXT && bytes[at + 1] === this.#length) {
        const end = at + 2 + this.#length;
        if (end > bytes.length) break;
        if (--this.#untilLook === 0) this.#look(bytes.subarray(at + 2, end));
        at = end;
        replies++;
      } else {
        const frame = readFrame(bytes, at);
        if (frame === undefined) break;
        if (this.#answer(frame)) at = frame.end;
      }
    }
    this.#tail = at === bytes.length ? undefined : bytes.subarray(at);
    if (replies === 0) return;
    this.replies += replies;
    this.onReplies?.(replies);
    if (this.#running) this.#send(replies);
  }

  /** `false` for the first reply of a server whose shape was not known until then: it is to be read again. */
  #answer({ first, payload }) {
    const text = payload.toString();
    const answer =
      first === PING ? pongFrame(payload) : first === TEXT ? this.dialect.pings.get(text) : undefined;
    if (answer !== undefined) {
      this.socket.write(answer);
      return true;
    }
    if (first === TEXT && this.shape === undefined) {
      const { echo } = this.dialect.answers;
      this.#expect(text === echo ? 'echo' : 'reply');
      if (payload.length === this.#length) return false;
    }
    throw new Error(`not what was expected: 0x${first.toString(16)} ${text}`);
  }

  #expect(shape) {
    this.shape = shape;
    this.#length = Buffer.byteLength(this.dialect.answers[shape]);
  }

  #look(payload) {
    this.#untilLook = LOOK_EVERY;
    const { answers, read } = this.dialect;
    const [text, expected] = [payload.toString(), answers[this.shape]];
    const isRight = this.shape === 'echo' ? text === expected : isDeepStrictEqual(read(text), read(expected));
    if (!isRight) throw new Error(`not the reply: ${text}`);
  }
}
