// D2, M5: a message in very many fragments, in empty ones, or in some that never end; a frame that trickles in byte by byte.
// Each is far below the size of a message, and far above it in what it makes the server keep and do (ws CVE-2026-48779).
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

/** One message, cut into so many bytes each; `padding` empty fragments stand before its last one. */
function cut(text: string, size: number, padding = 0): Buffer {
  const parts = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  parts.splice(-1, 0, ...Array<string>(padding).fill(''));
  return Buffer.concat(fragments(parts));
}

const say = (text: string): string => JSON.stringify({ type: 'say', text });
const note = (length: number): string => JSON.stringify({ type: 'note', text: 'x'.repeat(length) });
/** Empty fragments of a message which never ends. */
const endless = (count: number): Buffer =>
  Buffer.concat(fragments(Array<string>(count + 1).fill('')).slice(0, count));

/** As generous as a policy can be with fragments: what holds is what was read. */
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
    ['many small fragments', cut(note(2_000), 1)],
    ['many empty ones', cut(say('hi'), 10, 2_000)],
    ['some that never end', endless(2_000)],
  ])('%s are too many, and nobody hears of them', async (_what, bytes) => {
    const { enter, denied, seen } = await chat();
    const { wire } = await enter();
    wire.send(bytes);
    expect(await wire.closeCode()).toBe(1008);
    expect([denied, seen]).toEqual([['size message_too_big'], []]);
  });

  test('a thousand fragments are one message, and the next one has a thousand of its own', async () => {
    const { enter, denied, seen } = await chat();
    const { wire } = await enter();
    for (let i = 0; i < 3; i++) wire.send(cut(note(970), 1));
    await eventually(() => seen.length === 3, 'the messages');
    expect([seen, denied]).toEqual([[970, 970, 970], []]);
  });

  test('a frame that trickles in is bounded in pieces', async () => {
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

  test('where a library counts no fragments, what was read and was no message ends it', async () => {
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

  test('so do fragments around messages that are within every other limit', async () => {
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
    // Some 29 KiB a second come, 8 are forgotten: after the seventh more than 144 KiB are left.
    expect(denied).toEqual(['message-rate message_rate']);
    expect(seen).toHaveLength(7);
  });

  test.each([
    ['in the clear', false],
    ['over TLS', true],
  ])(
    'an honest client that sends all that it may, in frames of 1 KiB, is let be: %s',
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
        // A look at a message that has come by half.
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

/** A peer whose every push is a piece of its own. */
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
