// H15: what answers an upgrade without a guard's route. Its 101 does not leave, whoever writes it and however: an event tells, and
// the socket ends.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { dispatchUpgrades, gate, interceptUpgrades } from '@sallyport/ws/host';
import { WebSocketServer } from 'ws';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { Wire } from '../support/wire.ts';

const HEAD = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
const keyOf = ({ headers }: IncomingMessage): string =>
  createHash('sha1')
    .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
const answer = (request: IncomingMessage): string => `${HEAD}Sec-WebSocket-Accept: ${keyOf(request)}\r\n\r\n`;

/** Ways to answer an upgrade, as libraries with a parser of their own do. */
const ways: readonly [string, (request: IncomingMessage, socket: Duplex) => void][] = [
  ['in one write', (request, socket) => void socket.write(answer(request))],
  ['as bytes', (request, socket) => void socket.write(Buffer.from(answer(request)))],
  ['as the last of it', (request, socket) => void socket.end(answer(request))],
  [
    'byte by byte',
    (request, socket) => {
      for (const byte of Buffer.from(answer(request))) socket.write(Buffer.from([byte]));
    },
  ],
  [
    'in one piece of many',
    (request, socket) => {
      socket.cork();
      socket.write('HTTP/1.');
      socket.write(answer(request).slice('HTTP/1.'.length));
      process.nextTick(() => socket.uncork());
    },
  ],
  [
    'behind an informational response',
    (request, socket) =>
      void socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answer(request)}`),
  ],
  ['on the socket of the request', (request) => void request.socket.write(answer(request))],
  [
    'by a response of node:http',
    (request, socket) => {
      const response = new ServerResponse(request);
      response.assignSocket(socket as never);
      response.writeHead(101, { Upgrade: 'websocket', Connection: 'Upgrade' }).end();
    },
  ],
  [
    'by a ws server of its own',
    (request, socket) =>
      new WebSocketServer({ noServer: true }).handleUpgrade(request, socket, Buffer.alloc(0), () => {}),
  ],
];

let server: Server | undefined;
const wires: Wire[] = [];
afterEach(() => {
  for (const wire of wires.splice(0)) wire.destroy();
  server?.closeAllConnections();
  server?.close();
});

async function shake(started: Server): Promise<Wire> {
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const wire = await Wire.open((started.address() as AddressInfo).port);
  wires.push(wire);
  return wire.handshake({ headers: await goodHeaders() });
}

/** A guard, and what it tells of faults and denials. */
function watched() {
  const guard = chatGuard();
  const told: string[] = [];
  guard.on('fault', ({ error }) => told.push((error as Error).message));
  guard.on('handshake.denied', ({ reason }) => told.push(reason));
  return { guard, told };
}

const REFUSED = [
  expect.stringMatching(/^A 101 was about to leave for a handshake that no guard/),
  'internal',
];

describe.each(ways)('a 101 %s', (_way, upgrade) => {
  test('from a handler of the interceptor does not leave', async () => {
    const { guard, told } = watched();
    const http = createServer();
    interceptUpgrades(http, guard).addHandler({
      matches: () => true,
      accept: ({ request, socket }) => upgrade(request, socket),
    });
    const wire = await shake(http);
    const received = await wire.until(() => wire.ended, 'the end');
    expect(received.toString('latin1')).not.toMatch(/ 101/);
    expect(told).toEqual(REFUSED);
    await eventually(() => guard.stats().pending + guard.stats().connections === 0, 'no slots');
  });

  test('from an upgrade listener that is replaced behind a gate of another ws server does not leave', async () => {
    const { guard, told } = watched();
    const http = createServer();
    const interceptor = interceptUpgrades(http, guard);
    interceptor.otherUpgrades = 'replaced';
    http.on('upgrade', upgrade);
    const [listener] = interceptor.otherListeners;
    interceptor.addHandler({
      matches: () => true,
      accept: ({ request, socket }) => listener?.call(http, request, socket, Buffer.alloc(0)),
    });
    gate(new WebSocketServer({ noServer: true }), {
      guard,
      route: (request: IncomingMessage) => ({ guard, native: request }),
    });
    const wire = await shake(http);
    await wire.until(() => wire.ended, 'the end');
    expect(told).toEqual(REFUSED);
  });
});

test('an application under own dispatch that writes a 101 on the socket of its request sends none', async () => {
  const { guard, told } = watched();
  const app = (request: IncomingMessage): void => void request.socket.write(answer(request));
  const http = createServer(app);
  dispatchUpgrades(http, guard, app);
  const wire = await shake(http);
  const received = await wire.until(() => wire.ended, 'the end');
  expect(received.toString('latin1')).not.toMatch(/ 101/);
  expect(told).toEqual(REFUSED);
});

test.each(ways.slice(0, 3))(
  'a listener that is public by name answers with its own 101, %s',
  async (_way, upgrade) => {
    const { guard, told } = watched();
    const http = createServer();
    interceptUpgrades(http, guard).otherUpgrades = 'public';
    http.on('upgrade', upgrade);
    const wire = await shake(http);
    await wire.until((bytes) => bytes.includes('101 Switching Protocols'), 'the 101');
    expect(told).toEqual([]);
  },
);

test('a response that only mentions a 101 leaves', async () => {
  const { guard, told } = watched();
  const http = createServer();
  interceptUpgrades(http, guard).addHandler({
    matches: () => true,
    accept: ({ socket }) => void socket.end('HTTP/1.1 418 No\r\nContent-Length: 16\r\n\r\nsee HTTP/1.1 101'),
  });
  const wire = await shake(http);
  await wire.until((bytes) => bytes.includes('HTTP/1.1 418'), 'the answer');
  expect(told.filter((text) => text.startsWith('A 101'))).toEqual([]);
});
