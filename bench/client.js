// A client that is wary of a server: does it answer what is right, and nothing else?
import { isDeepStrictEqual } from 'node:util';
import { MAX_BYTES } from './common.js';
import { CLOSE, readFrame, textFrame } from './frames.js';
import { open } from './load.js';

/** How long a server may take for anything, in milliseconds. */
const DEADLINE = 5_000;
const MARK = 'this must not come back';

/** Rejects where a server does not do what a method is named for. */
export class Client {
  constructor(dialect, shape) {
    this.dialect = dialect;
    this.expected = dialect.read(dialect.answers[shape]);
  }

  /** Messages of which no part may come back, by what is wrong with them. */
  badMessages() {
    const { write } = this.dialect;
    const body = { room: 'lobby', text: MARK };
    return Object.entries({
      'an unknown property': write('say', { ...body, more: 1 }),
      'a prototype': write('say', { ...body, ['__proto__']: { admin: true } }),
      'a missing property': write('say', { text: MARK }),
      'a property of another type': write('say', { ...body, room: 1 }),
      'a text beyond its limit': write('say', { ...body, text: MARK.padEnd(501) }),
      'an unknown type': write('shout', body),
      'no JSON': write('say', body).slice(0, -1),
      // White space is within the schema and the grammar, so that nothing but the size refuses it.
      'too many bytes in one': write('say', body) + ' '.repeat(MAX_BYTES),
    });
  }

  async isAnswered(port, token) {
    const { texts } = await this.#tell(port, token, [this.dialect.message], () => true);
    if (!this.#isRight(texts[0])) throw new Error(`got ${texts[0]}`);
  }

  async isRefused(port, credential, from) {
    if (!(await this.#refusal(port, credential, from))) throw new Error('let in');
  }

  /** Of many right handshakes not all are let in. */
  async isRationed(port, token, count) {
    for (let i = 0; i < count; i++) if (await this.#refusal(port, token)) return;
    throw new Error(`all ${count} were let in`);
  }

  /** What is wrong is not answered: the connection ends, or it is the right message after it that is answered. */
  async isDenied(port, token, bad) {
    const isEnough = (text) => this.#isRight(text);
    const { texts } = await this.#tell(port, token, [bad, this.dialect.message], isEnough);
    if (texts.some((text) => text.includes(MARK))) throw new Error('answered');
  }

  /** Some right messages are answered, and then the connection ends. */
  async isCutOff(port, token, count) {
    const messages = Array(count).fill(this.dialect.message);
    const { texts, closed } = await this.#tell(
      port,
      token,
      messages,
      (_text, texts) => texts.length === count,
    );
    const answered = texts.filter((text) => this.#isRight(text)).length;
    if (!closed || answered === 0) throw new Error(`${answered} of ${count} were answered`);
  }

  /** Whether the server says no, by a status of the client's fault or Socket.IO's packet. To say nothing is a failure. */
  async #refusal(port, credential, from) {
    try {
      (await open(port, credential, this.dialect, from)).destroy();
      return false;
    } catch (error) {
      if (/^refused: (HTTP\/1\.1 4\d\d|44\{)/.test(error.message)) return true;
      throw error;
    }
  }

  #isRight(text) {
    try {
      return isDeepStrictEqual(this.dialect.read(text), this.expected);
    } catch {
      return false;
    }
  }

  /** Says something, and listens until it has heard enough or the connection ends. Silence is a failure. */
  async #tell(port, token, messages, isEnough) {
    const socket = await open(port, token, this.dialect);
    socket.write(Buffer.concat(messages.map(textFrame)));
    return new Promise((resolve, reject) => {
      const texts = [];
      let bytes = Buffer.alloc(0);
      const end = (closed) => {
        clearTimeout(timer);
        socket.destroy();
        resolve({ texts, closed });
      };
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`neither answered nor closed, after ${texts.length} texts`));
      }, DEADLINE);
      socket.on('close', () => end(true));
      socket.on('data', (data) => {
        bytes = Buffer.concat([bytes, data]);
        for (let frame = readFrame(bytes, 0); frame !== undefined; frame = readFrame(bytes, 0)) {
          bytes = bytes.subarray(frame.end);
          if (frame.first === CLOSE) return end(true);
          texts.push(frame.payload.toString());
          if (isEnough(texts.at(-1), texts)) return end(false);
        }
      });
    });
  }
}
