import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { anonymous, createGuard, passthrough } from '@sallyport/core';
import { guardServer } from '@sallyport/ws';
import { openSocket } from '@sallyport/ws/testing';
import { type WebSocket, WebSocketServer } from 'ws';

const opened: WebSocket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate();
});

async function connect(form: string | undefined, limits: object = {}) {
  const guard = createGuard({
    auth: [anonymous()],
    messages: passthrough({ binary: true }),
    logger: false,
    limits,
  });
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  const got = new Promise<unknown>((resolve) => {
    wss.on('connection', (ws) => {
      if (form !== undefined) ws.binaryType = form as 'nodebuffer';
      ws.on('message', resolve);
    });
  });
  const client = await openSocket(server, { origin: 'http://localhost' });
  opened.push(client);
  return { client, got };
}

const bytes = Buffer.from([1, 2, 3]);

describe('binaryType of a guarded socket', () => {
  test.each<[string | undefined, (got: unknown) => unknown]>([
    [undefined, (got) => got],
    ['nodebuffer', (got) => got],
    ['no such type', (got) => got],
    ['arraybuffer', (got) => Buffer.from(got as ArrayBuffer)],
    ['fragments', (got) => Buffer.concat(got as Buffer[])],
    ['blob', async (got) => Buffer.from(await (got as Blob).arrayBuffer())],
  ])('%s: a binary message has this form in the listener (Buffer by default)', async (form, read) => {
    const { client, got } = await connect(form);
    client.send(bytes);
    expect(await read(await got)).toEqual(bytes);
  });
});

test.each(['arraybuffer', 'fragments', 'blob'])(
  'messages of binaryType %s count for limits.bytes',
  async (form) => {
    const { client } = await connect(form, { bytes: { rate: '1B/s', burst: '1KiB' } });
    const closed = new Promise((resolve) => client.once('close', resolve));
    for (let i = 0; i < 3; i++) client.send(Buffer.alloc(500));
    expect(await closed).toBe(4429);
  },
);
