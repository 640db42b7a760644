import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import Router from '@koa/router';
import {
  type AnyGuard,
  anonymous,
  createGuard,
  custom,
  type GuardEvents,
  query,
  Type,
} from '@sallyport/core';
import Koa, { type Context } from 'koa';
import { createSession } from 'koa-session';
import { generate } from 'selfsigned';
import { WebSocketServer } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';
import { servers } from '../../../test/support/served.ts';
import { frame } from '../../../test/support/wire.ts';
import { ManualClock } from '../../core/test/support/manual-clock.ts';
import { refuseUnguarded, upgrade, websocket } from '../src/index.ts';

const APP = 'https://app.example.com';
const Origin = APP;
const headers = { Origin };
const messages = { say: Type.Object({ text: Type.String() }) };
const base = { origins: [APP], hosts: ['localhost'], messages, logger: false } as const;
const openGuard = (clock?: ManualClock) =>
  createGuard({ ...base, auth: [anonymous()], ...(clock && { clock }) });
const page: Koa.Middleware = (ctx) => {
  ctx.body = 'a page';
};
const say = (text: string): string => JSON.stringify({ type: 'say', text });
const ROUTE_UNKNOWN = JSON.stringify({ error: 'route_unknown', message: 'There is no WebSocket here.' });

const { listen, dial, open, refused } = servers();
const start = (app: Koa, guard: AnyGuard = openGuard()): Promise<number> => {
  app.silent = true;
  const server = createServer(app.callback());
  upgrade(server, app, guard);
  return listen(server);
};
const slowly = () => {
  const state = { asked: 0, answer: (): void => {} };
  const authenticator = custom({
    scheme: 'slow',
    async authenticate() {
      if (state.asked++ === 0) await new Promise<void>((resolve) => (state.answer = resolve));
      return { subject: 'alice' };
    },
  });
  return { state, authenticator };
};

describe('a WebSocket route', () => {
  test('identifies the user by the session of the application, and sends cookies of middleware with the 101', async () => {
    const guard = createGuard({
      ...base,
      auth: [
        custom({
          scheme: 'session',
          authenticate({ request }) {
            const user: unknown = (request.native as Context).session?.user;
            return typeof user === 'string' ? { subject: user } : undefined;
          },
        }),
      ],
    });
    const app = new Koa();
    app.keys = ['of the tests'];
    app.use(createSession(app));
    app.use(refuseUnguarded(guard));
    const router = new Router();
    router.post('/login', (ctx) => {
      (ctx as unknown as Context).session = { user: 'alice' } as never;
      ctx.status = 204;
    });
    router.get(
      '/chat',
      (ctx, next) => {
        ctx.cookies.set('seen', 'yes');
        return next();
      },
      websocket(guard, (connection, ctx) => {
        const { user } = ctx.session as unknown as { user: string };
        connection.send('welcome', { subject: connection.identity.subject, user });
      }),
    );
    app.use(router.routes());
    const port = await start(app, guard);
    expect(await refused(port, { headers })).toMatchObject({
      status: 401,
      body: expect.stringContaining('credential_missing'),
    });
    const response = await fetch(`http://127.0.0.1:${port}/login`, { method: 'POST' });
    const Cookie = response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ');
    const wire = await dial(port);
    const answer = await wire.handshake({ headers: { Origin, Cookie } }).head();
    expect(answer).toMatchObject({
      status: 101,
      headers: { 'set-cookie': expect.stringContaining('seen=yes') },
    });
    expect((await wire.messages(1)).map((text) => JSON.parse(text))).toEqual([
      { type: 'welcome', subject: 'alice', user: 'alice' },
    ]);
  });

  test('gives its handler parameters, query and path as in an ordinary request', async () => {
    const guard = openGuard();
    const app = new Koa();
    const router = new Router({ prefix: '/rooms' });
    router.get(
      '/:room',
      websocket(guard, (connection, ctx) => {
        connection.send('seen', { params: ctx.params, query: { ...ctx.query }, path: ctx.path });
      }),
    );
    app.use(router.routes());
    const wire = await open(await start(app, guard), { target: '/rooms/blue?tone=dark', headers });
    const [seen = ''] = await wire.messages(1);
    expect(JSON.parse(seen)).toEqual({
      type: 'seen',
      params: { room: 'blue' },
      query: { tone: 'dark' },
      path: '/rooms/blue',
    });
  });

  test('gets frames sent with the handshake and during a slow authentication in order', async () => {
    const { state, authenticator } = slowly();
    const guard = createGuard({ ...base, auth: [authenticator] });
    const app = new Koa();
    app.use(
      websocket(guard, (connection) => connection.on('say', ({ text }) => connection.send('said', { text }))),
    );
    const wire = await dial(await start(app, guard));
    wire.handshake({ headers, after: Buffer.concat([frame(say('1')), frame(say('2'))]) });
    await eventually(() => state.asked === 1, 'the authenticator');
    wire.send(frame(say('3')));
    state.answer();
    expect((await wire.messages(3)).map((text) => JSON.parse(text).text)).toEqual(['1', '2', '3']);
  });

  test('runs no handler and frees the slot for a client that resets during authentication', async () => {
    const { state, authenticator } = slowly();
    const guard = createGuard({ ...base, limits: { connections: 1 }, auth: [authenticator] });
    const app = new Koa();
    let handled = 0;
    app.use(websocket(guard, () => void handled++));
    const server = createServer(app.callback());
    upgrade(server, app, guard);
    const port = await listen(server);
    const gone = await dial(port);
    gone.handshake({ headers });
    await eventually(() => state.asked === 1, 'the authenticator');
    gone.reset();
    await eventually(
      () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count === 0))),
      'the reset',
    );
    state.answer();
    await open(port, { headers });
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
  ])('closes with 1011 and emits a fault for a handler that %s', async (_how, handler) => {
    const guard = openGuard();
    const faults: GuardEvents['fault'][] = [];
    guard.on('fault', (fault) => faults.push(fault));
    const app = new Koa();
    app.use(websocket(guard, handler));
    const wire = await open(await start(app, guard), { headers });
    expect(await wire.closeCode()).toBe(1011);
    expect(faults).toMatchObject([{ stage: 'dispatch', error: new Error('no') }]);
  });

  test('answers an ordinary request with 426', async () => {
    const guard = openGuard();
    const app = new Koa();
    app.use(websocket(guard, () => {}));
    const response = await fetch(`http://127.0.0.1:${await start(app, guard)}/`);
    expect(response.status).toBe(426);
    expect(await response.json()).toMatchObject({ error: 'version_unsupported' });
  });
});

describe('an upgrade that the application answers with', () => {
  test.each<[string, Koa.Middleware]>([
    ['a page', page],
    ['a redirect', (ctx) => ctx.redirect('/elsewhere')],
    ['a 404 with a body', (ctx) => ctx.throw(404, 'no such page', { expose: true })],
    ['no route', (_ctx, next) => next()],
  ])('%s gets one response, 404 route_unknown', async (_what, middleware) => {
    const app = new Koa();
    app.use(middleware);
    const guard = openGuard();
    const answer = await refused(await start(app, guard), { headers });
    expect(answer).toMatchObject({ status: 404, body: ROUTE_UNKNOWN, headers: { connection: 'close' } });
    expect(answer.raw.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(guard.stats().denied).toEqual({ route_unknown: 1 });
  });

  test('a stream gets route_unknown, and the stream is closed', async () => {
    const app = new Koa();
    let closed = false;
    app.use((ctx) => {
      const feed = new Readable({ read: () => void feed.push('tick\n') });
      feed.on('close', () => {
        closed = true;
      });
      ctx.body = feed;
    });
    expect(await refused(await start(app), { headers })).toMatchObject({ body: ROUTE_UNKNOWN });
    await eventually(() => closed, 'the end of the feed');
  });
});

describe('an application that refuses an upgrade', () => {
  test('with a streamed 401: it reaches the client whole, with Connection: close', async () => {
    const app = new Koa();
    const body = 'no entry. '.repeat(100_000);
    app.use((ctx) => {
      ctx.status = 401;
      ctx.set('Connection', 'keep-alive');
      ctx.body = Readable.from([body]);
    });
    const answer = await refused(await start(app), { headers });
    expect(answer).toMatchObject({ status: 401, headers: { connection: 'close' } });
    expect(answer.body.length).toBeGreaterThan(body.length);
  });

  test('with ctx.throw(403): status and text reach the client', async () => {
    const app = new Koa();
    app.use((ctx) => ctx.throw(403, 'members only'));
    expect(await refused(await start(app), { headers })).toMatchObject({ status: 403, body: 'members only' });
  });

  test('by never answering: the client gets 408 after limits.handshakeTimeout', async () => {
    const clock = new ManualClock();
    const app = new Koa();
    let asked = false;
    app.use(() => {
      asked = true;
      return new Promise(() => {});
    });
    const wire = await dial(await start(app, openGuard(clock)));
    wire.handshake({ headers });
    await eventually(() => asked, 'the application');
    clock.advance(10_000);
    expect(await wire.answer()).toMatchObject({ status: 408 });
    await eventually(() => clock.pending === 0, 'the last of the timers');
  });
});

describe('upgrade()', () => {
  test('shows the application the URL without its token', async () => {
    const guard = createGuard({
      ...base,
      auth: [
        custom({
          scheme: 'key',
          from: [query('key')],
          authenticate: ({ credential }) => (credential === 'right' ? { subject: 'alice' } : undefined),
        }),
      ],
    });
    const app = new Koa();
    const logged: string[] = [];
    app.use((ctx, next) => {
      logged.push(ctx.originalUrl, ctx.url);
      return next();
    });
    app.use(websocket(guard, () => {}));
    await open(await start(app, guard), { target: '/chat?key=right&room=1', headers });
    expect(logged).toEqual(['/chat?room=1', '/chat?room=1']);
  });

  test('works on an https server that listens already', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
    const guard = openGuard();
    const app = new Koa();
    app.use(websocket(guard, (connection, ctx: Context) => connection.send('seen', { secure: ctx.secure })));
    const server = createTlsServer({ key, cert }, app.callback());
    const port = await listen(server);
    upgrade(server, app, guard);
    const wire = await open(port, { headers }, { tls: true });
    expect(await wire.messages(1)).toEqual([JSON.stringify({ secure: true, type: 'seen' })]);
  });

  test("throws for another upgrade listener, or with otherUpgrades: 'public' passes it paths unknown to the application", async () => {
    const guard = openGuard();
    const app = new Koa();
    const router = new Router();
    router.get(
      '/chat',
      websocket(guard, () => {}),
    );
    app.use(router.routes());
    const server = createServer(app.callback());
    const reload = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) =>
      reload.handleUpgrade(request, socket, head, (ws) => ws.send(`reload ${request.url}`)),
    );
    const port = await listen(server);
    expect(() => upgrade(server, app, guard)).toThrow(/upgrade listeners/);
    upgrade(server, app, guard, { otherUpgrades: 'public' });
    const wire = await open(port, { target: '/reload', headers });
    expect(await wire.messages(1)).toEqual(['reload /reload']);
    await open(port, { headers });
    expect(guard.stats().connections).toBe(1);
  });
});

describe('refuseUnguarded()', () => {
  test('passes ordinary requests, and gives 500 internal and emits handshake.denied when upgrade() was forgotten', async () => {
    const guard = openGuard();
    const denied: GuardEvents['handshake.denied'][] = [];
    guard.on('handshake.denied', (event) => denied.push(event));
    const app = new Koa();
    app.use(refuseUnguarded(guard));
    app.use(page);
    const port = await listen(createServer(app.callback()));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('a page');
    const answer = await refused(port, { headers });
    expect(answer).toMatchObject({ status: 500, body: expect.stringContaining('"internal"') });
    expect(denied).toMatchObject([{ reason: 'internal', stage: 'route', path: '/chat' }]);
  });

  test('gives 500 when upgrade() was called with a guard of another family', async () => {
    const [outer, inner] = [openGuard(), openGuard()];
    const app = new Koa();
    app.use(refuseUnguarded(inner));
    expect(await refused(await start(app, outer), { headers })).toMatchObject({ status: 500 });
    expect(inner.stats().denied).toEqual({ internal: 1 });
  });
});
