import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { bearer, createGuard, jwt, Type, tickets } from '@sallyport/core';
import { SignJWT } from 'jose';
import { type WebSocket, WebSocketServer } from 'ws';
import { ManualClock } from '../../core/test/support/manual-clock.ts';
import { connectionOf, guardServer } from '../src/index.ts';
import { openSocket } from '../src/testing.ts';

const secret = 'a secret of thirty-two bytes, yes';

function chat(options: object = {}) {
  const clock = new ManualClock();
  const guard = createGuard({
    auth: [
      jwt({ secret, algorithms: ['HS256'], issuer: 'me', audience: 'chat', from: [bearer()] }),
      tickets(),
    ],
    messages: {
      say: Type.Object({ text: Type.String() }),
      pay: { schema: Type.Object({}), freshness: '1m' },
    },
    logger: false,
    limits: { authFailures: { rate: '100/m', burst: 100 } },
    clock,
    firstMessage: true,
    renewal: { notice: '30s' },
    ...options,
  });
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  const handled: string[] = [];
  wss.on('connection', (socket) => {
    const connection = connectionOf(socket, guard);
    handled.push(connection.identity.subject);
    connection.send('welcome', { user: connection.identity.subject });
    connection.on('say', ({ text }) => void connection.send('said', { text }));
  });
  const token = (subject = 'alice', claims: object = {}) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(subject)
      .setIssuer('me')
      .setAudience('chat')
      .setIssuedAt(Math.floor(clock.now() / 1000))
      .setExpirationTime(Math.floor(clock.now() / 1000) + 300)
      .sign(new TextEncoder().encode(secret));
  return { clock, guard, server, token, handled };
}

const next = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(String(data)))));
const closed = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.once('close', (code) => resolve(code)));
const send = (socket: WebSocket, message: object): void => socket.send(JSON.stringify(message));

test('with firstMessage, a valid auth message opens the connection, and revocation closes it with 4401', async () => {
  const { guard, server, token, handled } = chat();
  const socket = await openSocket(server);
  expect(guard.stats()).toMatchObject({ connections: 0, pending: 1 });
  expect(handled).toEqual([]);
  send(socket, { type: 'auth', token: 'x.y.z' });
  expect(await next(socket)).toMatchObject({ type: 'error', code: 'credential_invalid' });
  send(socket, { type: 'auth', token: await token() });
  expect(await next(socket)).toEqual({ type: 'welcome', user: 'alice' });
  send(socket, { type: 'say', text: 'hi' });
  expect(await next(socket)).toEqual({ type: 'said', text: 'hi' });
  expect(guard.stats()).toMatchObject({ connections: 1, pending: 0 });
  const gone = closed(socket);
  await guard.revoke({ subject: 'alice' });
  expect(await gone).toBe(4401);
  expect(guard.stats()).toMatchObject({ connections: 0, pending: 0 });
});

test('with firstMessage, an early message closes with 4401, no message with 4408, three wrong tokens with 4401', async () => {
  const { clock, server, handled, guard } = chat();
  const early = await openSocket(server);
  send(early, { type: 'say', text: 'hi' });
  expect(await closed(early)).toBe(4401);
  const late = await openSocket(server);
  const gone = closed(late);
  clock.advance(5_000);
  expect(await gone).toBe(4408);
  const guess = await openSocket(server);
  for (let i = 0; i < 3; i++) send(guess, { type: 'auth', token: `x.y.${i}` });
  expect(await closed(guess)).toBe(4401);
  expect(handled).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(guard.stats()).toMatchObject({ connections: 0, pending: 0 });
});

test("with early: 'queue', messages sent before and after the auth message arrive in order", async () => {
  const { server, token } = chat({ firstMessage: { early: 'queue' } });
  const socket = await openSocket(server);
  const got: unknown[] = [];
  const done = new Promise<void>((resolve) =>
    socket.on('message', (data) => got.push(JSON.parse(String(data))) === 4 && resolve()),
  );
  send(socket, { type: 'say', text: '1' });
  send(socket, { type: 'auth', token: await token() });
  send(socket, { type: 'say', text: '2' });
  send(socket, { type: 'say', text: '3' });
  await done;
  expect(got).toEqual([
    { type: 'welcome', user: 'alice' },
    ...['1', '2', '3'].map((text) => ({ type: 'said', text })),
  ]);
  socket.terminate();
});

test('an open connection is renewed with a token of its subject only, told before it expires, and closed with 4401 then', async () => {
  const { clock, server, token } = chat();
  const socket = await openSocket(server, { headers: { authorization: `Bearer ${await token()}` } });
  expect(await next(socket)).toEqual({ type: 'welcome', user: 'alice' });
  clock.stall(120_000);
  send(socket, { type: 'pay' });
  expect(await next(socket)).toMatchObject({ type: 'error', code: 'step_up_required' });
  send(socket, { type: 'auth', token: await token('mallory') });
  expect(await next(socket)).toMatchObject({ type: 'error', code: 'credential_invalid' });
  send(socket, { type: 'auth', token: await token() });
  expect(await next(socket)).toMatchObject({ type: 'auth_ok' });
  clock.stall(271_000);
  expect(await next(socket)).toMatchObject({ type: 'auth_expiring' });
  const gone = closed(socket);
  clock.advance(30_000);
  expect(await gone).toBe(4401);
});

test('a ticket opens one connection, from its origin, at its route; from another route it is refused and spent', async () => {
  const { guard, server } = chat({ origins: ['https://app.test'] });
  const ticket = await guard.tickets.issue({ subject: 'bob', origin: 'https://app.test', route: '/chat' });
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, () =>
      openSocket(server, { path: `/chat?ticket=${ticket}`, origin: 'https://app.test' }),
    ),
  );
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const other = await guard.tickets.issue({ subject: 'bob', origin: 'https://app.test', route: '/chat' });
  await expect(
    openSocket(server, { path: `/admin?ticket=${other}`, origin: 'https://app.test' }),
  ).rejects.toMatchObject({ status: 401 });
  await expect(
    openSocket(server, { path: `/chat?ticket=${other}`, origin: 'https://app.test' }),
  ).rejects.toMatchObject({ status: 401 });
  const third = await guard.tickets.issue({ subject: 'bob', origin: 'any', route: 'any' });
  const socket = await openSocket(server, { path: '/x' });
  send(socket, { type: 'auth', ticket: third });
  expect(await next(socket)).toEqual({ type: 'welcome', user: 'bob' });
  for (const { value } of tries as PromiseFulfilledResult<WebSocket>[]) value?.terminate();
  socket.terminate();
});

test("onIdentityLimit: 'replace-oldest' closes the oldest connection with 4409 for a new one", async () => {
  const { server, token, guard } = chat({
    onIdentityLimit: 'replace-oldest',
    limits: { connectionsPerIdentity: 1 },
  });
  const headers = { authorization: `Bearer ${await token()}` };
  const first = await openSocket(server, { headers });
  const gone = closed(first);
  const second = await openSocket(server, { headers });
  expect(await gone).toBe(4409);
  second.terminate();
  await closed(second);
  await new Promise((resolve) => setImmediate(resolve));
  expect(guard.stats().connections).toBe(0);
});
