import { createServer, IncomingMessage, type RequestListener, type Server } from 'node:http';
import { expect, test } from '@jest/globals';
import { anonymous, createGuard, passthrough } from '@sallyport/core';
import { WebSocketServer } from 'ws';
import { servers } from '../../../test/support/served.ts';
import { guardServer } from '../src/index.ts';

const { listen, dial, open, refused } = servers();
const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
const headers = { Origin: 'https://app.example.com' };

/** Answers with what Node says of the request, and with its body. */
const tell: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method, upgrade } = request as IncomingMessage & { upgrade: unknown };
  response.end(
    JSON.stringify({ method, upgrade, asked: request.headers.upgrade, body: String(Buffer.concat(chunks)) }),
  );
};

function guarded(server: Server) {
  const guard = createGuard({
    origins: [headers.Origin],
    hosts: ['localhost'],
    auth: [anonymous()],
    messages: passthrough({ text: true }),
    logger: false,
  });
  guardServer(server, new WebSocketServer({ noServer: true }), guard, { path: '/chat' });
  return server;
}

const told = (body: string, method = 'POST') =>
  JSON.stringify({ method, upgrade: false, asked: 'h2c', body });

test.each([
  ['Content-Length', 'Content-Length: 5\r\n\r\nhello'],
  ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
])('the body of a request that offers h2c reaches the application: %s', async (_how, rest) => {
  const port = await listen(guarded(createServer(tell)));
  const wire = await dial(port);
  for (const count of [1, 2]) {
    wire.send(`POST / HTTP/1.1\r\nHost: localhost\r\n${h2c}${rest}`);
    await wire.until(
      (bytes) => bytes.toString().split(told('hello')).length === count + 1,
      `answer ${count}`,
    );
  }
});

test('Expect: 100-continue works in a request that offers h2c', async () => {
  const wire = await dial(await listen(guarded(createServer(tell))));
  wire.send(`PUT / HTTP/1.1\r\nHost: localhost\r\n${h2c}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
  await wire.until((bytes) => bytes.includes('HTTP/1.1 100 Continue'), 'the 100');
  wire.send('hello');
  await wire.until((bytes) => bytes.includes(told('hello', 'PUT')), 'the answer');
});

test('a CONNECT with Upgrade: h2c stays a tunnel for the application', async () => {
  const server = guarded(createServer(tell));
  server.on('connect', (request, socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\ntunnel ${request.url}`));
  const wire = await dial(await listen(server));
  wire.send(`CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n${h2c}\r\n`);
  expect((await wire.answer()).body).toBe('tunnel example.com:80');
});

test('a class of requests that the application brings is kept', async () => {
  class OwnRequest extends IncomingMessage {
    readonly isOwn = true;
  }
  const server = createServer({ IncomingMessage: OwnRequest }, (request, response) => {
    response.end(`${request.isOwn} ${request.constructor.name} ${request.headers.upgrade}`);
  });
  const port = await listen(guarded(server));
  const wire = await dial(port);
  wire.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
  await wire.until((bytes) => bytes.includes('true OwnRequest h2c'), 'the answer');
  await open(port, { headers });
});

test('a WebSocket handshake with a wrong header is still refused by the guard, not by the application', async () => {
  const port = await listen(guarded(createServer(tell)));
  expect((await refused(port, { headers: { ...headers, Upgrade: 'h2c, websocket' } })).status).toBe(400);
  await open(port, { headers });
});

// Node 20 has no such option.
if ('shouldUpgradeCallback' in createServer())
  test('shouldUpgradeCallback of the application still counts', async () => {
    const options = {
      shouldUpgradeCallback: (request: IncomingMessage) => request.url !== '/never',
    } as object;
    const port = await listen(guarded(createServer(options, tell)));
    await open(port, { headers });
    const wire = await dial(port);
    wire.handshake({ target: '/never', headers });
    await wire.until((bytes) => bytes.includes('"upgrade":false'), 'the answer of the application');
  });
