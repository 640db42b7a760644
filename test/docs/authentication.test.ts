import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { AnyGuard, Guard } from '@sallyport/core';
import { upgrade, websocket } from '@sallyport/express';
import express, { type Express } from 'express';
import { SignJWT } from 'jose';
import { servers } from '../support/served.ts';
import { frame, type HandshakeOptions, type Wire } from '../support/wire.ts';
import { readPages, snippetsOf } from './markdown.ts';
import { layOut, type Workbench } from './workbench.ts';

// Runs the snippets of docs/authentication.md as they are.
const PAGE = 'docs/authentication.md';
const Origin = 'https://app.example.com';
const ENVIRONMENT = {
  TOKEN_SECRET: 'a shared secret of the tests, at least 32 bytes',
  SESSION_SECRET: 'of the session cookies',
  CSRF_KEY: 'of the anti-forgery tokens',
};

const { listen, dial, refused } = servers();
const before = { ...process.env };
let workbench: Workbench;

beforeAll(() => {
  Object.assign(process.env, ENVIRONMENT);
  workbench = layOut(
    readPages()
      .flatMap(snippetsOf)
      .filter(({ language }) => language === 'ts'),
  );
});

afterEach(() => void jest.restoreAllMocks());

afterAll(() => {
  for (const name of Object.keys(ENVIRONMENT)) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  workbench.remove();
});

async function load<T>(file: string): Promise<T> {
  // MemoryStore warns that it is not for production.
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  return (await import(workbench.file(PAGE, file))) as T;
}

/** An application of the page, with the login that the page leaves to the reader. */
async function serveApplication(app: Express, guard: AnyGuard) {
  app.post('/login', (request, response) => {
    request.session.user = 'alice';
    request.session.since = Math.floor(Date.now() / 1_000);
    response.sendStatus(204);
  });
  const server = createServer(app);
  upgrade(server, app, guard);
  const port = await listen(server as Server);
  const post = (path: string, Cookie = ''): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { Cookie } });
  const login = async (): Promise<string> =>
    (await post('/login')).headers.getSetCookie()[0]?.split(';')[0] as string;
  return { port, post, login };
}

/** Serves a guard of the page on a route that answers `say`. */
async function serveGuard(guard: AnyGuard): Promise<number> {
  const app = express();
  app.get(
    '/chat',
    websocket(guard as Guard, (chat) =>
      chat.on('say', (message) => void chat.send('said', message as object)),
    ),
  );
  const server = createServer(app);
  upgrade(server, app, guard);
  return listen(server);
}

async function shake(port: number, options: HandshakeOptions): Promise<Wire> {
  const wire = (await dial(port)).handshake({ ...options, headers: { Origin, ...options.headers } });
  expect((await wire.head()).status).toBe(101);
  return wire;
}

const reasonOf = async (port: number, options: HandshakeOptions): Promise<string> => {
  const { body } = await refused(port, { ...options, headers: { Origin, ...options.headers } });
  return (JSON.parse(body) as { error: string }).error;
};

const send = (wire: Wire, message: object): Wire => wire.send(frame(JSON.stringify(message)));

async function replies(wire: Wire, count: number): Promise<Record<string, unknown>[]> {
  return (await wire.messages(count)).map((text) => JSON.parse(text));
}

const token = (claims: { readonly sub?: string; readonly iat?: number } = {}): Promise<string> =>
  new SignJWT({ sid: 'the only one' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(claims.sub ?? 'alice')
    .setIssuer('https://id.example.com')
    .setAudience('chat')
    .setIssuedAt(claims.iat)
    .setExpirationTime('10m')
    .sign(new TextEncoder().encode(ENVIRONMENT.TOKEN_SECRET));

test('a session cookie opens sockets, and its logout closes all of them', async () => {
  const { app, guard } = await load<{ app: Express; guard: AnyGuard }>('session.ts');
  const { port, post, login } = await serveApplication(app, guard);
  const Cookie = await login();
  const tabs = [await shake(port, { headers: { Cookie } }), await shake(port, { headers: { Cookie } })];
  for (const tab of tabs) {
    send(tab, { type: 'say', text: 'hello' });
    send(tab, { type: 'remove', id: '1' });
    expect(await replies(tab, 2)).toEqual([
      { type: 'said', text: 'hello' },
      { type: 'removed', id: '1' },
    ]);
  }
  await post('/logout', Cookie);
  expect([await tabs[0]?.closeCode(), await tabs[1]?.closeCode()]).toEqual([4401, 4401]);
  expect(await reasonOf(port, { headers: { Cookie } })).toBe('credential_missing');
  expect(await reasonOf(port, { headers: { Cookie: await login(), Origin: 'https://evil.example' } })).toBe(
    'origin_denied',
  );
});

test('where csrf is set, a cookie without the anti-forgery token is refused', async () => {
  const { guarded, tokenOf } = await load<{ guarded: Guard; tokenOf(session: string): Buffer }>('csrf.ts');
  const { sessions } = await load<{ sessions: express.RequestHandler }>('sessions.ts');
  const app = express();
  app.use(sessions);
  app.get('/id', (request, response) => void response.send(request.sessionID));
  app.get(
    '/chat',
    websocket(guarded, () => {}),
  );
  const { port, login } = await serveApplication(app, guarded);
  const Cookie = await login();
  const id = await (await fetch(`http://127.0.0.1:${port}/id`, { headers: { Cookie } })).text();
  expect(await reasonOf(port, { headers: { Cookie } })).toBe('csrf_denied');
  await shake(port, { target: `/chat?csrf=${tokenOf(id).toString('base64url')}`, headers: { Cookie } });
});

test('a token in a header and in a subprotocol opens a socket, and another token renews it', async () => {
  const { guard } = await load<{ guard: AnyGuard }>('token.ts');
  const port = await serveGuard(guard);
  const old = await token({ iat: Math.floor(Date.now() / 1_000) - 360 });
  const wire = await shake(port, { headers: { Authorization: `Bearer ${old}`, Origin: null } });
  send(wire, { type: 'transfer', amount: 1 });
  send(wire, { type: 'auth', token: await token({ sub: 'mallory' }) });
  send(wire, { type: 'auth', token: await token() });
  const [stepUp, wrong, renewed] = await replies(wire, 3);
  expect([stepUp?.code, wrong?.code, renewed?.type]).toEqual([
    'step_up_required',
    'credential_invalid',
    'auth_ok',
  ]);
  const page = (await dial(port)).handshake({
    headers: { Origin, 'Sec-WebSocket-Protocol': `bearer, ${await token()}` },
  });
  expect((await page.head()).headers['sec-websocket-protocol']).toBe('bearer');
  expect(await reasonOf(port, {})).toBe('credential_missing');
});

test('guard.revoke() closes open sockets, and their tokens are refused', async () => {
  const { guard } = await load<{ guard: AnyGuard }>('token.ts');
  const port = await serveGuard(guard);
  const headers = { Authorization: `Bearer ${await token()}` };
  const wire = await shake(port, { headers });
  await load('revoke.ts');
  expect(await wire.closeCode()).toBe(4401);
  expect(await reasonOf(port, { headers })).toBe('revoked');
});

test('a ticket opens one socket, for the page that it was issued for', async () => {
  const { app, guard } = await load<{ app: Express; guard: AnyGuard }>('tickets.ts');
  const { port, post, login } = await serveApplication(app, guard);
  expect((await post('/ticket')).status).toBe(401);
  const Cookie = await login();
  const issue = async (): Promise<string> =>
    ((await (await post('/ticket', Cookie)).json()) as { ticket: string }).ticket;
  const target = `/chat?ticket=${await issue()}`;
  const wire = await shake(port, { target });
  send(wire, { type: 'say', text: 'hello' });
  expect(await replies(wire, 1)).toEqual([{ type: 'said', text: 'hello' }]);
  expect(await reasonOf(port, { target })).toBe('credential_invalid');
  expect(await reasonOf(port, { headers: { Cookie } })).toBe('credential_missing');
});

test('a first message opens a pending socket, and another message before it closes', async () => {
  const { guard } = await load<{ guard: AnyGuard }>('first-message.ts');
  const port = await serveGuard(guard);
  const wire = await shake(port, {});
  send(wire, { type: 'auth', token: 'wrong' });
  send(wire, { type: 'auth', token: await token() });
  send(wire, { type: 'say', text: 'hello' });
  expect(await replies(wire, 2)).toMatchObject([
    { type: 'error', code: 'credential_invalid' },
    { type: 'said', text: 'hello' },
  ]);
  const early = await shake(port, {});
  expect(await send(early, { type: 'say', text: 'hello' }).closeCode()).toBe(4401);
});

test('createGuard() accepts every authenticator of the page', async () => {
  expect(await load('fastify-session.ts')).toMatchObject({ fastifySessions: { scheme: 'session' } });
  expect(await load('koa-session.ts')).toMatchObject({ koaSessions: { scheme: 'session' } });
  expect(await load('api-key.ts')).toMatchObject({ apiKey: { scheme: 'api-key', messageField: 'key' } });
  expect(await load('issuers.ts')).toMatchObject({ auth: [{ scheme: 'staff' }, { scheme: 'customer' }] });
});
