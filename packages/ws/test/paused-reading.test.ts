// Who keeps a socket from being read: the guard, the application, both. ws itself resumes a socket as soon as its
// receiver has inflated what it had been given, whoever has paused the socket meanwhile (`receiverOnDrain`).
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { anonymous, createGuard, Type } from '@sallyport/core';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';
import { rawSocket, standstill } from '../../../test/support/raw-socket.ts';
import { frame } from '../../../test/support/wire.ts';
import { connectionOf, guardServer } from '../src/index.ts';

let server: Server;
let client: WebSocket;
let served: WebSocket;
afterEach(async () => {
  client.terminate();
  // Nobody reads from it, so that nobody sees that the client has gone.
  served.terminate();
  await new Promise((done) => server.close(done));
});

/** A guarded server whose handler waits for the test: after two messages nothing more is read. */
async function busy({ compression = false } = {}) {
  const guard = createGuard({
    auth: [anonymous()],
    messages: { go: Type.Object({ fill: Type.String() }) },
    limits: {
      messages: { rate: '1000/s', burst: 100_000 },
      bytes: { rate: '1MiB/s', burst: '500MiB' },
      queuedMessages: 1,
    },
    compression,
    logger: false,
  });
  server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let handled = 0;
  const accepted = new Promise<WebSocket>((resolve) =>
    wss.on('connection', (ws: WebSocket) => {
      connectionOf(ws, guard).on('go', () => {
        handled++;
        return released;
      });
      resolve(ws);
    }),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  client = new WebSocket(`ws://127.0.0.1:${port}/`, { origin: `http://127.0.0.1:${port}` });
  const [ws] = await Promise.all([accepted, new Promise((resolve) => client.once('open', resolve))]);
  served = ws;
  return { ws, raw: rawSocket(ws), release, handled: () => handled };
}

/** Many chunks, and many messages in each. */
const MESSAGES = 1_000;
const messages = Array.from({ length: MESSAGES }, () =>
  JSON.stringify({ type: 'go', fill: randomBytes(2_000).toString('hex') }),
);

/** One message as permessage-deflate has it (RFC 7692 §7.2.1). */
function deflated(text: string): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
  return frame(bytes.subarray(0, -4), 0x1, 0x40);
}

describe('a full inbox', () => {
  test.each([
    ['as it came', false],
    ['inflated', true],
  ])('keeps the socket from being read, and nothing is lost: %s', async (_what, compression) => {
    const { raw, release, handled } = await busy({ compression });
    const raws = messages.map((message) => (compression ? deflated(message) : frame(message)));
    rawSocket(client).write(Buffer.concat(raws));
    // What is read is one chunk, and one more that was under way: not all that has been sent, which is ten times as much.
    expect(await standstill(raw)).toBeLessThan(200_000);
    release();
    await eventually(() => handled() === MESSAGES, 'the rest');
  });

  test('is not emptied by an application that resumes', async () => {
    const { ws, raw, handled } = await busy();
    for (const message of messages) client.send(message);
    const read = await standstill(raw);
    ws.pause();
    ws.resume();
    expect(ws.isPaused).toBe(false);
    expect(await standstill(raw)).toBe(read);
    expect(handled()).toBe(1);
  });
});

describe('an application that pauses', () => {
  test('sees that it has, and that it alone resumes', async () => {
    const { ws, raw, release, handled } = await busy();
    expect(ws.isPaused).toBe(false);
    for (const message of messages) client.send(message);
    const read = await standstill(raw);
    expect(ws.isPaused).toBe(false);
    ws.pause();
    expect(ws.isPaused).toBe(true);
    // The guard has room again; the application does not want any more.
    release();
    await eventually(() => handled() > 1, 'what had been read');
    expect(await standstill(raw)).toBe(read);
    ws.resume();
    expect(ws.isPaused).toBe(false);
    await eventually(() => handled() === MESSAGES, 'the rest');
  });

  test('after the end changes nothing', async () => {
    const { ws } = await busy();
    const closed = new Promise((resolve) => ws.on('close', resolve));
    client.terminate();
    await closed;
    ws.pause();
    expect(ws.isPaused).toBe(false);
    ws.resume();
  });
});
