// Reading may be paused by the guard, by the application, or by both. ws resumes a raw socket as soon as its receiver has
// inflated its input, even if the socket was paused meanwhile (`receiverOnDrain`).
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
  // It is paused, so it does not notice that the client has gone.
  served.terminate();
  await new Promise((done) => server.close(done));
});

/** A guarded server whose handler waits for the test, so that reading stops after two messages. */
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

/** More than fits into a few chunks, with many messages in each chunk. */
const MESSAGES = 1_000;
const messages = Array.from({ length: MESSAGES }, () =>
  JSON.stringify({ type: 'go', fill: randomBytes(2_000).toString('hex') }),
);

/** A frame of one message, compressed by permessage-deflate (RFC 7692 §7.2.1). */
function deflated(text: string): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
  return frame(bytes.subarray(0, -4), 0x1, 0x40);
}

describe('a full inbox', () => {
  test.each([
    ['uncompressed', false],
    ['compressed', true],
  ])('stops reading of %s messages until the handler is done, and loses none', async (_what, compression) => {
    const { raw, release, handled } = await busy({ compression });
    const raws = messages.map((message) => (compression ? deflated(message) : frame(message)));
    rawSocket(client).write(Buffer.concat(raws));
    // One chunk, and one that was on its way: a tenth of what was sent.
    expect(await standstill(raw)).toBeLessThan(200_000);
    release();
    await eventually(() => handled() === MESSAGES, 'the rest');
  });

  test('stays unread when the application calls pause() and resume()', async () => {
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
  test('sees its own isPaused only, and nothing is read until it resumes, even if the guard would read', async () => {
    const { ws, raw, release, handled } = await busy();
    expect(ws.isPaused).toBe(false);
    for (const message of messages) client.send(message);
    const read = await standstill(raw);
    expect(ws.isPaused).toBe(false);
    ws.pause();
    expect(ws.isPaused).toBe(true);
    // Now the guard would read again, but the application has paused.
    release();
    await eventually(() => handled() > 1, 'what had been read');
    expect(await standstill(raw)).toBe(read);
    ws.resume();
    expect(ws.isPaused).toBe(false);
    await eventually(() => handled() === MESSAGES, 'the rest');
  });

  test('a closed socket changes nothing', async () => {
    const { ws } = await busy();
    const closed = new Promise((resolve) => ws.on('close', resolve));
    client.terminate();
    await closed;
    ws.pause();
    expect(ws.isPaused).toBe(false);
    ws.resume();
  });
});
