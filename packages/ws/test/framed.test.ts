import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { type Codec, createGuard, custom, Type } from '@sallyport/core';
import type { FramedMessage } from '@sallyport/core/host';
import { connect, decide } from '../../core/test/support/decide.ts';
import { RecordingSocket } from '../../core/test/support/recording-socket.ts';
import { upgradeRequest } from '../../core/test/support/upgrade-request.ts';

type Read = { readonly data: Buffer; readonly isBinary: boolean };
interface ReceiverOptions {
  readonly isServer: boolean;
  readonly maxPayload?: number;
}
/** The class with which ws reads frames. It is missing in the types of ws. */
const { Receiver } = createRequire(import.meta.url)('ws') as {
  readonly Receiver: new (options: ReceiverOptions) => Writable;
};

/** The messages that a ws client reads from bytes that arrive in chunks of a size. */
function read(bytes: Uint8Array, chunk = bytes.length): Promise<Read[]> {
  const messages: Read[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on(
    'message',
    (data: Buffer, isBinary: boolean) => void messages.push({ data: Buffer.from(data), isBinary }),
  );
  return new Promise((resolve, reject) => {
    receiver.on('error', reject);
    for (let at = 0; at < bytes.length; at += chunk) receiver.write(bytes.subarray(at, at + chunk));
    receiver.end(() => resolve(messages));
  });
}

const raw: Codec = {
  contentType: 'application/octet-stream',
  frames: 'binary',
  uniqueKeys: true,
  decode: (data) => data,
  encode: (value) => (value as { body: Uint8Array }).body,
};

/** The framed message that a guard passes to its sockets for a broadcast. */
async function framed(content: string | Uint8Array): Promise<FramedMessage> {
  const codec = typeof content === 'string' ? { ...raw, frames: 'text' as const } : raw;
  const guard = createGuard({
    auth: [custom({ scheme: 'any', authenticate: () => ({ subject: 'alice' }) })],
    messages: { any: Type.Object({}) },
    codec,
    logger: false,
  });
  const admission = await decide(guard, upgradeRequest({ headers: { Origin: 'http://localhost:3000' } }));
  if (admission.denied) throw new Error(admission.reason);
  const socket = new RecordingSocket();
  const seen: FramedMessage[] = [];
  socket.sendFramed = (message) => seen.push(message) > 0;
  const connection = connect(admission, socket);
  guard.broadcast('any', { body: content });
  connection.closed(1000);
  return seen[0] as FramedMessage;
}

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000];

describe('the frame of a broadcast', () => {
  test.each(SIZES)('with text of %i bytes is read by ws as that text', async (bytes) => {
    const text = 'x'.repeat(bytes);
    const { frame } = await framed(text);
    expect((await read(frame)).map(({ data, isBinary }) => [data.toString(), isBinary])).toEqual([
      [text, false],
    ]);
  });

  test.each(SIZES)('with %i binary bytes is read by ws as those bytes', async (bytes) => {
    const content = new Uint8Array(bytes).map((_, i) => i * 7);
    const { frame } = await framed(content);
    const [message, ...more] = await read(frame);
    expect([message?.isBinary, Buffer.from(content).equals(message?.data ?? Buffer.of(1)), more]).toEqual([
      true,
      true,
      [],
    ]);
  });

  test('is read by ws after other frames, in chunks that end inside frames', async () => {
    const texts = ['', 'a', '\u20ac'.repeat(50), 'x'.repeat(70_000)];
    const frames = await Promise.all(texts.map(framed));
    const bytes = Buffer.concat(frames.map(({ frame }) => frame));
    for (const chunk of [1_000, 65_537]) {
      expect((await read(bytes, chunk)).map(({ data }) => data.toString())).toEqual(texts);
    }
  });

  test('is not masked, so a ws server refuses it and only clients take it', async () => {
    const { frame } = await framed('a');
    const server = new Receiver({ isServer: true });
    const error = await new Promise((resolve) => server.on('error', resolve).write(frame));
    expect(error).toMatchObject({ code: 'WS_ERR_EXPECTED_MASK' });
  });
});
