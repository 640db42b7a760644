import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The value of a header, several values for a repeated header, or `null` to leave it out. */
type HeaderValue = string | readonly string[] | null;

export interface HandshakeOptions {
  readonly method?: string;
  readonly target?: string;
  readonly httpVersion?: string;
  /** Replace the defaults of the same name in any letter case. Sent as Latin-1, so that any byte is possible. */
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  /** Bytes sent in the same packet behind the headers. */
  readonly after?: Buffer | string;
}

/** An HTTP response as it was received. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** All bytes that the server sent. */
  readonly raw: string;
}

/** The default headers of a handshake from this machine. */
const DEFAULTS: Readonly<Record<string, string>> = {
  Host: 'localhost',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** One frame of a server. */
export interface Frame {
  readonly opcode: number;
  readonly data: Buffer;
}

/** How long a test waits for an answer. Only a failing test waits that long. */
const PATIENCE = 20_000;

export function handshakeBytes(options: HandshakeOptions = {}): Buffer {
  const { method = 'GET', target = '/chat', httpVersion = '1.1', headers = {}, after = '' } = options;
  const replaced = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const kept = Object.entries(DEFAULTS).filter(([name]) => !replaced.has(name.toLowerCase()));
  const lines = [...kept, ...Object.entries(headers)].flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((one) => `${name}: ${one}`),
  );
  const head = [`${method} ${target} HTTP/${httpVersion}`, ...lines, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(after)]);
}

/** A masked client frame (RFC 6455 §5.2). The mask is zero, so that the payload stays readable. */
export function frame(payload: string | Buffer, opcode = 0x1, rsv = 0): Buffer {
  const data = Buffer.from(payload);
  const length =
    data.length < 126
      ? Buffer.from([0x80 | data.length])
      : data.length < 65_536
        ? Buffer.from([0x80 | 126, data.length >> 8, data.length & 0xff])
        : Buffer.from([
            0x80 | 127,
            0,
            0,
            0,
            0,
            ...[24, 16, 8, 0].map((bits) => (data.length >> bits) & 0xff),
          ]);
  return Buffer.concat([Buffer.from([0x80 | rsv | opcode]), length, Buffer.alloc(4), data]);
}

/** A TCP or TLS client that sends exactly the bytes that a test gives it, and never closes by itself. */
export class Wire {
  #received = Buffer.alloc(0);
  readonly #watchers = new Set<() => void>();
  /** Whether the server has ended its side or dropped the connection. */
  ended = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#changed();
    });
    for (const event of ['end', 'close', 'error'] as const) {
      socket.on(event, () => {
        this.ended = true;
        this.#changed();
      });
    }
  }

  static open(port: number, { tls = false } = {}): Promise<Wire> {
    const options = { port, host: '127.0.0.1', allowHalfOpen: true };
    return new Promise((resolve, reject) => {
      const socket = tls
        ? connectTls({ ...options, rejectUnauthorized: false }, () => resolve(new Wire(socket)))
        : connectTcp(options, () => resolve(new Wire(socket)));
      socket.once('error', reject);
    });
  }

  send(bytes: Buffer | string): this {
    this.socket.write(bytes);
    return this;
  }

  handshake(options: HandshakeOptions = {}): this {
    return this.send(handshakeBytes(options));
  }

  /** Waits until a condition on the received bytes holds; fails with what was received. */
  until(fits: (received: Buffer) => boolean, what: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!fits(this.#received)) return;
        finish();
        resolve(this.#received);
      };
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`Waited for ${what}; received: ${this.#received.toString('latin1')}`));
      }, PATIENCE);
      this.#watchers.add(look);
      look();
    });
  }

  /** The head of the first response. */
  async head(): Promise<Answer> {
    const received = await this.until((bytes) => this.ended || bytes.includes('\r\n\r\n'), 'a response');
    return parseAnswer(received);
  }

  /** Everything that the server sends until it ends the connection. */
  async answer(): Promise<Answer> {
    const received = await this.until((bytes) => this.ended || isSwitch(bytes), 'the end of the connection');
    if (isSwitch(received)) throw new Error('Expected a refusal, got a 101.');
    return parseAnswer(received);
  }

  /** The frames that the server has sent so far behind the 101: opcode and payload. */
  frames(): Frame[] {
    const start = this.#received.indexOf('\r\n\r\n') + 4;
    return parseFrames(this.#received.subarray(start));
  }

  /** The text messages, once at least `count` have come. */
  async messages(count: number): Promise<string[]> {
    const texts = (): string[] =>
      this.frames()
        .filter(({ opcode }) => opcode === 0x1)
        .map(({ data }) => data.toString());
    await this.until((bytes) => bytes.includes('\r\n\r\n') && texts().length >= count, `${count} messages`);
    return texts();
  }

  /** The code in the server's close frame. */
  async closeCode(): Promise<number> {
    const found = (): Buffer | undefined => this.frames().find(({ opcode }) => opcode === 0x8)?.data;
    await this.until((bytes) => bytes.includes('\r\n\r\n') && found() !== undefined, 'a close frame');
    return (found() as Buffer).readUInt16BE(0);
  }

  /** Drops the connection with a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }
}

/** Sends one handshake, and returns everything that the server sends until it ends the connection. */
export async function refusal(
  port: number,
  options: HandshakeOptions = {},
  connection: { readonly tls?: boolean } = {},
): Promise<Answer> {
  const wire = await Wire.open(port, connection);
  try {
    return await wire.handshake(options).answer();
  } finally {
    wire.destroy();
  }
}

/** Sends one handshake, which must be answered with 101. */
export async function admitted(
  port: number,
  options: HandshakeOptions = {},
  connection: { readonly tls?: boolean } = {},
): Promise<Wire> {
  const wire = await Wire.open(port, connection);
  const { status, raw } = await wire.handshake(options).head();
  if (status === 101) return wire;
  wire.destroy();
  throw new Error(`Expected a 101, got: ${raw}`);
}

function isSwitch(bytes: Buffer): boolean {
  return bytes.includes('HTTP/1.1 101 ');
}

function parseAnswer(received: Buffer): Answer {
  const raw = received.toString('latin1');
  const end = raw.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = raw.slice(0, end === -1 ? undefined : end).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: end === -1 ? '' : received.subarray(end + 4).toString(),
    raw,
  };
}

/** The whole frames in the bytes of a server, which are not masked. */
export function parseFrames(bytes: Buffer): Frame[] {
  const found: Frame[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = (bytes[at + 1] as number) & 0x7f;
    const header = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (at + header > bytes.length) break;
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(at + 2))
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : short;
    if (at + header + length > bytes.length) break;
    const start = at + header;
    found.push({ opcode: (bytes[at] as number) & 0x0f, data: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
