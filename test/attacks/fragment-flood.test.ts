// D2, M5: a message in very many fragments, in empty ones, or in ones that never end, and a frame that arrives byte by byte.
// Each stays far below the size limit of a message, and costs the server far more memory and work (ws CVE-2026-48779).
import { Duplex } from 'node:stream';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import type { WebSocket } from 'ws';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { fragments } from '../support/fragments.ts';
import { rawSocket, read } from '../support/raw-socket.ts';
import { frame, handshakeBytes } from '../support/wire.ts';

/** One message in fragments of `size` bytes, with `padding` empty fragments before the last one. */
function cut(text: string, size: number, padding = 0): Buffer {
  const parts = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  parts.splice(-1, 0, ...Array<string>(padding).fill(''));
  return Buffer.concat(fragments(parts));
}

const say = (text: string): string => JSON.stringify({ type: 'say', text });
const note = (length: number): string => JSON.stringify({ type: 'note', text: 'x'.repeat(length) });
/** Empty fragments of a message that never ends. */
const endless = (count: number): Buffer =>
  Buffer.concat(fragments(Array<string>(count + 1).fill('')).slice(0, count));

/** A policy that does not bound fragments, as with an old library: only the bytes read count. */
const oldLibrary = {
  fragments: 1_000_000,
  bytes: { rate: '8KiB/s', burst: '8KiB' },
  message: '8KiB',
} as const;

let tls: { key: string; cert: string };
beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
  tls = { key, cert };
});

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function chat(options: PolicyOverrides = {}, encrypted = false) {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, ...options });
    const denied: string[] = [];
    guard.on('message.denied', ({ stage, reason }) => denied.push(`${stage} ${reason}`));
    const seen: number[] = [];
    const sockets: WebSocket[] = [];
    const handler: ChatHandler = (connection, socket) => {
      sockets.push(socket);
      for (const type of ['say', 'note'] as const)
        connection.on(type, (message) => void seen.push((message as { text: string }).text.length));
    };
    const app = await start(host, { guard, chat: handler, ...(encrypted && { tls }) });
    const enter = async () => {
      const wire = await open(app, { headers: await goodHeaders() }, { tls: encrypted });
      await eventually(() => sockets.length > 0, 'the handler');
      return { wire, raw: rawSocket(sockets.at(-1) as WebSocket) };
    };
    return { clock, guard, denied, seen, app, enter };
  }

  test.each([
    ['2,000 fragments of one byte', cut(note(2_000), 1)],
    ['2,000 empty fragments', cut(say('hi'), 10, 2_000)],
    ['2,000 fragments of a message that never ends', endless(2_000)],
  ])('%s close the connection with 1008 and reach no handler', async (_what, bytes) => {
    const { enter, denied, seen } = await chat();
    const { wire } = await enter();
    wire.send(bytes);
    expect(await wire.closeCode()).toBe(1008);
    expect([denied, seen]).toEqual([['size message_too_big'], []]);
  });

  test('three messages in nearly 1,000 fragments each are all handled', async () => {
    const { enter, denied, seen } = await chat();
    const { wire } = await enter();
    for (let i = 0; i < 3; i++) wire.send(cut(note(970), 1));
    await eventually(() => seen.length === 3, 'the messages');
    expect([seen, denied]).toEqual([[970, 970, 970], []]);
  });

  test('a frame that arrives in 1,300 pieces of one byte is refused as too big', async () => {
    const { app, denied, guard } = await chat();
    const peer = new Trickle();
    app.server.emit('connection', peer);
    peer.push(handshakeBytes({ headers: await goodHeaders() }));
    await eventually(() => guard.stats().connections === 1, 'the connection');
    const bytes = frame(note(60_000));
    for (let i = 0; i < 1_300; i++) peer.push(bytes.subarray(i, i + 1));
    await eventually(() => guard.stats().connections === 0 || denied.length > 0, 'the end');
    expect(denied).toEqual(['size message_too_big']);
    peer.destroy();
  });

  test('without a limit on fragments, bytes that make no message close the connection with 4429', async () => {
    const { enter, clock, denied } = await chat({ limits: oldLibrary });
    const { wire, raw } = await enter();
    const bytes = endless(30_000);
    const arrived = read(raw, bytes.length);
    wire.send(bytes);
    await arrived;
    expect(denied).toEqual([]);
    clock.advance(1_000);
    expect(await wire.closeCode()).toBe(4429);
    expect(denied).toEqual(['message-rate message_rate']);
  });

  test('without a limit on fragments, empty fragments around small messages are counted as bytes and end the connection', async () => {
    const { enter, clock, denied, seen } = await chat({ limits: oldLibrary });
    const { wire, raw } = await enter();
    for (let second = 0; denied.length === 0 && second < 10; second++) {
      const bytes = cut(say('hi'), 10, 5_000);
      const arrived = read(raw, bytes.length);
      wire.send(bytes);
      await arrived;
      await eventually(() => seen.length === second + 1, 'the message');
      clock.advance(1_000);
    }
    // About 29 KiB arrive a second and 8 KiB are allowed: after the seventh second more than 144 KiB are left over.
    expect(denied).toEqual(['message-rate message_rate']);
    expect(seen).toHaveLength(7);
  });

  test.each([
    ['without TLS', false],
    ['over TLS', true],
  ])(
    'a client that sends exactly what the limits allow, in frames of 1 KiB, stays connected: %s',
    async (_what, encrypted) => {
      const { enter, clock, denied, seen } = await chat(
        { limits: { bytes: { rate: '64KiB/s', burst: '128KiB' }, controls: { rate: '20/s', burst: 40 } } },
        encrypted,
      );
      const { wire, raw } = await enter();
      const text = note(60_000);
      const bytes = cut(text, 1_024);
      const pings = Buffer.concat(Array.from({ length: 20 }, () => frame('x'.repeat(125), 0x9)));
      const half = Math.floor(bytes.length / 2);
      for (let second = 1; second <= 10; second++) {
        // A tick while half a message has arrived.
        const some = read(raw, half);
        wire.send(bytes.subarray(0, half));
        await some;
        if (second % 3 === 0) clock.advance(1_000);
        wire.send(Buffer.concat([bytes.subarray(half), pings]));
        await eventually(() => seen.length === second || wire.ended, 'the message');
        if (second % 3 !== 0) clock.advance(1_000);
      }
      expect([denied, seen.length]).toEqual([[], 10]);
    },
  );
});

/** A peer: each push arrives as a chunk of its own. */
class Trickle extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
  setTimeout(): void {}
  setNoDelay(): void {}
  setKeepAlive(): void {}
}
