import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { anonymous, bearer, createGuard, jwt, query, subprotocol, Type } from '@sallyport/core';
import { SignJWT } from 'jose';
import { WebSocket, WebSocketServer } from 'ws';
import { connectionOf, guardServer } from '../src/index.ts';
import { openSocket } from '../src/testing.ts';

const secret = 'a secret of thirty-two bytes, yes';
const messages = { say: Type.Object({ text: Type.String({ maxLength: 5 }) }) };
const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

function chat() {
  const guard = createGuard({
    auth: [
      jwt({
        secret,
        algorithms: ['HS256'],
        issuer: 'me',
        audience: 'chat',
        from: [bearer(), query('token'), subprotocol()],
      }),
      anonymous(),
    ],
    messages,
    logger: false,
  });
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard, { path: '/chat' });
  wss.on('connection', (socket, request) => {
    const connection = connectionOf(socket, guard);
    connection.send('welcome', { subject: connection.identity.subject, url: request.url });
    connection.on('say', ({ text }) => void connection.send('said', { text }));
  });
  servers.push(server);
  return { guard, server };
}

const token = (): Promise<string> =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('alice')
    .setIssuer('me')
    .setAudience('chat')
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(secret));

const next = (socket: WebSocket) =>
  new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(String(data)))));

test('over TCP: the token is removed from the URL, valid messages are answered, invalid ones get an error, both are counted', async () => {
  const { guard, server } = chat();
  await new Promise<void>((done) => server.listen(0, done));
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://localhost:${port}/chat?token=${await token()}&room=1`, {
    origin: `http://localhost:${port}`,
  });
  expect(await next(socket)).toEqual({ type: 'welcome', subject: 'alice', url: '/chat?room=1' });
  socket.send(JSON.stringify({ type: 'say', text: 'hi' }));
  expect(await next(socket)).toEqual({ type: 'said', text: 'hi' });
  socket.send(JSON.stringify({ type: 'say', text: 'too long' }));
  expect(await next(socket)).toMatchObject({ type: 'error', code: 'message_invalid', path: '/text' });
  expect(guard.stats()).toMatchObject({
    connections: 1,
    admitted: 1,
    denied: {},
    messagesDenied: { message_invalid: 1 },
  });
  socket.close();
  await new Promise((done) => socket.once('close', done));
});

test('openSocket reaches the server with a token, and shows refusals of a foreign origin, plaintext and an unknown path', async () => {
  const { guard, server } = chat();
  const socket = await openSocket(server, {
    path: '/chat',
    origin: 'http://localhost',
    address: '127.0.0.1',
    subprotocols: ['bearer', await token()],
  });
  expect(socket.protocol).toBe('bearer');
  socket.terminate();
  await expect(openSocket(server, { path: '/chat', origin: 'http://evil.test' })).rejects.toMatchObject({
    status: 403,
    reason: 'origin_denied',
  });
  await expect(openSocket(server, { path: '/chat', address: '192.0.2.1' })).rejects.toMatchObject({
    status: 403,
    reason: 'tls_required',
  });
  await expect(openSocket(server, { path: '/nope' })).rejects.toMatchObject({
    status: 404,
    reason: 'route_unknown',
  });
  expect(guard.stats().denied).toEqual({ origin_denied: 1, tls_required: 1, route_unknown: 1 });
});
