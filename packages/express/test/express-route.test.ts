import { createServer } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { anonymous, createGuard, custom, type GuardEvents, Type } from '@sallyport/core';
import express5 from 'express';
import session from 'express-session';
import express4 from 'express4';
import { eventually } from '../../../test/support/eventually.ts';
import { servers } from '../../../test/support/served.ts';
import { frame } from '../../../test/support/wire.ts';
import { upgrade, websocket } from '../src/index.ts';

const APP = 'https://app.example.com';
const Origin = APP;
const messages = { say: Type.Object({ text: Type.String() }) };
const base = { origins: [APP], hosts: ['localhost'], messages, logger: false } as const;
const say = (text: string): string => JSON.stringify({ type: 'say', text });

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

/** A guard that identifies users by the session of express-session. */
const sessionGuard = () =>
  createGuard({
    ...base,
    auth: [
      custom({
        scheme: 'session',
        authenticate({ request }) {
          const { user, id } = (request.native as express5.Request).session as session.Session & {
            user?: string;
          };
          return user === undefined ? undefined : { subject: user, session: id };
        },
      }),
    ],
  });

const openGuard = () => createGuard({ ...base, auth: [anonymous()] });

describe.each([
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
])('%s', (_name, express) => {
  const { listen, dial, open, refused } = servers();

  const withSession = () => {
    const guard = sessionGuard();
    const app = express();
    app.use(session({ secret: 'of the tests', resave: false, saveUninitialized: false, rolling: true }));
    app.post('/login', (request, response) => {
      request.session.user = 'alice';
      response.sendStatus(204);
    });
    app.get(
      '/chat',
      websocket(guard, (connection, request) => {
        connection.send('welcome', { subject: connection.identity.subject, user: request.session.user });
      }),
    );
    const server = createServer(app);
    upgrade(server, app, guard);
    return { guard, server };
  };

  const login = async (port: number): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/login`, { method: 'POST' });
    return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  };

  test('the policy identifies the user by the session, whose renewed cookie is sent with the 101', async () => {
    const { server } = withSession();
    const port = await listen(server);
    const Cookie = await login(port);
    const wire = await dial(port);
    const { status, headers } = await wire.handshake({ headers: { Origin, Cookie } }).head();
    expect(status).toBe(101);
    expect(headers['set-cookie']).toContain(Cookie);
    expect(await wire.messages(1)).toEqual([
      JSON.stringify({ subject: 'alice', user: 'alice', type: 'welcome' }),
    ]);
  });

  test('without a session the handshake gets 401, and from a foreign page 403 even with the cookie', async () => {
    const { server, guard } = withSession();
    const port = await listen(server);
    const missing = await refused(port, { headers: { Origin } });
    expect(missing).toMatchObject({
      status: 401,
      headers: { connection: 'close', 'www-authenticate': 'Bearer' },
      body: JSON.stringify({ error: 'credential_missing', message: 'Authentication is required.' }),
    });
    const foreign = await refused(port, {
      headers: { Origin: 'https://evil.test', Cookie: await login(port) },
    });
    expect(foreign).toMatchObject({ status: 403, body: expect.stringContaining('origin_denied') });
    expect(guard.stats()).toMatchObject({ admitted: 0, connections: 0 });
  });

  test('a handler on a router sees parameters, query and paths as in an ordinary request', async () => {
    const guard = openGuard();
    const app = express();
    const router = express.Router();
    router.get(
      '/:room',
      websocket(guard, (connection, request: express5.Request) => {
        const { params, query, baseUrl, path, hostname } = request;
        connection.send('seen', { params, query, baseUrl, path, hostname });
      }),
    );
    app.use('/rooms', router);
    const server = createServer(app);
    upgrade(server, app, guard);
    const wire = await open(await listen(server), { target: '/rooms/blue?tone=dark', headers: { Origin } });
    const [seen = ''] = await wire.messages(1);
    expect(JSON.parse(seen)).toEqual({
      type: 'seen',
      params: { room: 'blue' },
      query: { tone: 'dark' },
      baseUrl: '/rooms',
      path: '/blue',
      hostname: 'localhost',
    });
  });

  test('a route with an extended guard is decided by that guard', async () => {
    const guard = openGuard();
    const closed = guard.extend({ authorize: () => false });
    const app = express();
    app.get(
      '/chat',
      websocket(guard, () => {}),
    );
    app.get(
      '/admin',
      websocket(closed, () => {}),
    );
    const server = createServer(app);
    upgrade(server, app, guard);
    const port = await listen(server);
    await open(port, { headers: { Origin } });
    expect(await refused(port, { target: '/admin', headers: { Origin } })).toMatchObject({ status: 403 });
  });

  test('frames sent with the handshake and during a slow authentication arrive in order', async () => {
    let answer: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let waiting = false;
    const guard = createGuard({
      ...base,
      auth: [
        custom({
          scheme: 'slow',
          async authenticate() {
            waiting = true;
            await asked;
            return { subject: 'alice' };
          },
        }),
      ],
    });
    const app = express();
    app.get(
      '/chat',
      websocket(guard, (connection) => connection.on('say', ({ text }) => connection.send('said', { text }))),
    );
    const server = createServer(app);
    upgrade(server, app, guard);
    const wire = await dial(await listen(server));
    wire.handshake({ headers: { Origin }, after: Buffer.concat([frame(say('1')), frame(say('2'))]) });
    await eventually(() => waiting, 'the authenticator');
    wire.send(frame(say('3')));
    answer();
    expect((await wire.messages(3)).map((text) => JSON.parse(text).text)).toEqual(['1', '2', '3']);
  });

  test('a client that resets during authentication runs no handler and frees its slot', async () => {
    let asked = 0;
    let answer: () => void = () => {};
    const guard = createGuard({
      ...base,
      limits: { connections: 1 },
      auth: [
        custom({
          scheme: 'slow',
          async authenticate() {
            if (asked++ === 0) await new Promise<void>((resolve) => (answer = resolve));
            return { subject: 'alice' };
          },
        }),
      ],
    });
    const app = express();
    let handled = 0;
    app.get(
      '/chat',
      websocket(guard, () => void handled++),
    );
    const server = createServer(app);
    upgrade(server, app, guard);
    const port = await listen(server);
    const gone = await dial(port);
    gone.handshake({ headers: { Origin } });
    await eventually(() => asked === 1, 'the authenticator');
    gone.reset();
    await eventually(
      () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count === 0))),
      'the reset',
    );
    answer();
    await open(port, { headers: { Origin } });
    expect(handled).toBe(1);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('a handler that %s closes with 1011 and emits a fault', async (_how, handler) => {
    const guard = openGuard();
    const faults: GuardEvents['fault'][] = [];
    guard.on('fault', (fault) => faults.push(fault));
    const app = express();
    app.get('/chat', websocket(guard, handler));
    const server = createServer(app);
    upgrade(server, app, guard);
    const wire = await open(await listen(server), { headers: { Origin } });
    expect(await wire.closeCode()).toBe(1011);
    expect(faults).toMatchObject([{ stage: 'dispatch', error: new Error('no') }]);
  });

  test('an ordinary request of a WebSocket route gets 426', async () => {
    const guard = openGuard();
    const app = express();
    app.get(
      '/chat',
      websocket(guard, () => {}),
    );
    const server = createServer(app);
    upgrade(server, app, guard);
    const response = await fetch(`http://127.0.0.1:${await listen(server)}/chat`);
    expect(response.status).toBe(426);
    expect(response.headers.get('upgrade')).toBe('websocket');
    expect(await response.json()).toMatchObject({ error: 'version_unsupported' });
    expect(guard.stats().denied).toEqual({});
  });
});
