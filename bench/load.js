// A load generator on raw sockets, so that it costs less than the servers: frames are built once, replies are counted.
import { connect } from 'node:net';

const MESSAGE = JSON.stringify({
  type: 'say',
  room: 'lobby',
  text: 'a message of a length that people write in a chat',
});
const FRAME = frame(Buffer.from(MESSAGE));

/** One masked text frame of at most 125 bytes (RFC 6455 §5.2). */
function frame(payload) {
  if (payload.length > 125) throw new Error('too long for a short frame');
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([
    Buffer.from([0x81, 0x80 | payload.length]),
    mask,
    payload.map((byte, i) => byte ^ mask[i % 4]),
  ]);
}

/** Opens a WebSocket; resolves when the 101 is there, rejects for any other answer. */
export function open(port, token) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const headers = [
    'GET /chat HTTP/1.1',
    `Host: localhost:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Authorization: Bearer ${token}`,
  ];
  socket.write(`${headers.join('\r\n')}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (data) => {
      if (data.toString('latin1').startsWith('HTTP/1.1 101')) resolve(socket);
      else reject(new Error(data.toString('latin1')));
    });
  });
}

/** One connection that keeps a number of messages in flight while its slice lasts, and checks what comes back. */
export class Talker {
  replies = 0;
  #rest = 0;
  #running = false;
  #expected;

  constructor(socket, inFlight) {
    this.socket = socket;
    this.inFlight = inFlight;
    socket.on('data', (data) => this.#read(data));
  }

  start() {
    this.#running = true;
    for (let i = 0; i < this.inFlight; i++) this.socket.write(FRAME);
  }

  stop() {
    this.#running = false;
  }

  /** Every reply of a server has the same length, told by the first one. */
  #read(data) {
    if (this.#expected === undefined) {
      if (data[0] !== 0x81 || data[1] > 125) throw new Error('not a short text frame');
      this.#expected = 2 + data[1];
    }
    const bytes = this.#rest + data.length;
    const frames = Math.floor(bytes / this.#expected);
    this.#rest = bytes % this.#expected;
    this.replies += frames;
    if (!this.#running || frames === 0) return;
    this.socket.write(frames === 1 ? FRAME : Buffer.concat(Array(frames).fill(FRAME)));
  }
}
