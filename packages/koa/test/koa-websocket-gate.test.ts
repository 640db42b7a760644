import { describe, expect, test } from '@jest/globals';
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
import websockify from 'koa-websocket';
import { eventually } from '../../../test/support/eventually.ts';
import { servers } from '../../../test/support/served.ts';
import { frame } from '../../../test/support/wire.ts';
import { connectionOf, guardKoaWebsocket, type KoaWebsocketOptions } from '../src/index.ts';

const APP = 'https://app.example.com';
const Origin = APP;
const headers = { Origin };
const messages = { say: Type.Object({ text: Type.String() }) };
const base = { origins: [APP], hosts: ['localhost'], messages, logger: false } as const;
const openGuard = () => createGuard({ ...base, auth: [anonymous()] });
const say = (text: string): string => JSON.stringify({ type: 'say', text });

describe('guardKoaWebsocket', () => {
  const { listen, dial, open, refused } = servers();
  const guardedApplication = (guard: AnyGuard, options?: KoaWebsocketOptions) => {
    const app = websockify(new Koa());
    app.silent = true;
    guardKoaWebsocket(app, guard, options);
    const start = async (): Promise<number> => {
      const server = app.listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      return listen(server);
    };
    return { app, start };
  };

  test('a bare handler of koa-websocket gets valid messages only', async () => {
    const { app, start } = guardedApplication(openGuard());
    app.ws.use((ctx) => {
      ctx.websocket.send(`hello ${ctx.query.room} ${ctx.path}`);
      ctx.websocket.on('message', (data) => ctx.websocket.send(`heard ${JSON.parse(String(data)).text}`));
    });
    const wire = await open(await start(), { target: '/chat?room=1', headers });
    wire.send(frame('not json')).send(frame(say('hi')));
    const [hello, error, heard] = await wire.messages(3);
    expect([hello, heard]).toEqual(['hello 1 /chat', 'heard hi']);
    expect(JSON.parse(error ?? '')).toMatchObject({ type: 'error', code: 'message_malformed' });
    expect(app.ws.server?.clients.size).toBe(1);
  });

  test('frames sent with the handshake wait for a handler behind slow middleware, and reach its typed connection', async () => {
    const guard = openGuard();
    const { app, start } = guardedApplication(guard);
    app.ws.use(async (_ctx, next) => {
      await new Promise((resolve) => setImmediate(resolve));
      await next();
    });
    app.ws.use((ctx) => {
      const connection = connectionOf(ctx.websocket, guard);
      connection.on('say', ({ text }) => connection.send('said', { text }));
    });
    const wire = await dial(await start());
    wire.handshake({ headers, after: Buffer.concat([frame(say('1')), frame(say('2'))]) });
    expect((await wire.messages(2)).map((text) => JSON.parse(text).text)).toEqual(['1', '2']);
  });

  test('the policy and the handler share the context of the middleware option, with its session: 401 without one', async () => {
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
    const app = websockify(new Koa());
    app.keys = ['of the tests'];
    const session = createSession(app);
    app.use(session);
    app.use((ctx) => {
      (ctx as unknown as Context).session = { user: 'alice' } as never;
      ctx.status = 204;
    });
    guardKoaWebsocket(app, guard, { middleware: [session] });
    app.ws.use((ctx) => {
      const { user } = (ctx as unknown as Context).session as unknown as { user: string };
      ctx.websocket.send(`${user} ${ctx.app === app}`);
    });
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const port = await listen(server);
    expect(await refused(port, { headers })).toMatchObject({
      status: 401,
      body: expect.stringContaining('credential_missing'),
    });
    const response = await fetch(`http://127.0.0.1:${port}/login`);
    const Cookie = response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ');
    expect(await (await open(port, { headers: { Origin, Cookie } })).messages(1)).toEqual(['alice true']);
  });

  test.each<[string, number, (ctx: Context, next: () => Promise<unknown>) => unknown]>([
    ['throws an HTTP error', 403, (ctx) => ctx.throw(403, 'members only')],
    [
      'sets a status',
      401,
      (ctx) => {
        ctx.status = 401;
      },
    ],
    ['rejects', 500, () => Promise.reject(new Error('broken'))],
    [
      'sets a body',
      404,
      (ctx) => {
        ctx.body = 'a page';
      },
    ],
  ])('middleware that %s gives %i, and no handler runs', async (_how, status, middleware) => {
    const guard = openGuard();
    const { app, start } = guardedApplication(guard, { middleware: [middleware] });
    let handled = 0;
    app.ws.use(() => void handled++);
    expect(await refused(await start(), { headers })).toMatchObject({
      status,
      headers: { connection: 'close' },
    });
    expect(handled).toBe(0);
    expect(guard.stats().admitted).toBe(0);
  });

  test('a foreign page gets 403, and no handler runs', async () => {
    const guard = openGuard();
    const { app, start } = guardedApplication(guard);
    let handled = 0;
    app.ws.use(() => void handled++);
    const answer = await refused(await start(), { headers: { Origin: 'https://evil.test' } });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('origin_denied') });
    expect(handled).toBe(0);
    expect(app.ws.server?.clients.size).toBe(0);
  });

  test('a connection closes with 4404 if no handler reads ctx.websocket', async () => {
    const guard = openGuard();
    const { app, start } = guardedApplication(guard);
    app.ws.use((ctx, next) => (ctx.path === '/chat' ? ctx.websocket.send('hello') : next()));
    const port = await start();
    expect(await (await open(port, { target: '/nowhere', headers })).closeCode()).toBe(4404);
    expect(await (await open(port, { headers })).messages(1)).toEqual(['hello']);
  });

  test.each<[string, (ctx: Context) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('no');
      },
    ],
    ['throws an HTTP error', (ctx) => ctx.throw(401, 'no')],
  ])('a handler that %s closes with 1011 and emits a fault', async (_how, handler) => {
    const guard = openGuard();
    const faults: GuardEvents['fault'][] = [];
    guard.on('fault', (fault) => faults.push(fault));
    const { app, start } = guardedApplication(guard);
    app.ws.use((ctx) => {
      ctx.websocket.on('message', () => {});
      return handler(ctx as unknown as Context) as never;
    });
    const wire = await open(await start(), { headers });
    expect(await wire.closeCode()).toBe(1011);
    expect(faults).toMatchObject([{ stage: 'dispatch', error: { message: 'no' } }]);
  });

  test('a client that resets during authentication runs no handler and frees its slot', async () => {
    let asked = 0;
    let answer: () => void = () => {};
    const slow = custom({
      scheme: 'slow',
      async authenticate() {
        if (asked++ === 0) await new Promise<void>((resolve) => (answer = resolve));
        return { subject: 'alice' };
      },
    });
    const { app, start } = guardedApplication(
      createGuard({ ...base, limits: { connections: 1 }, auth: [slow] }),
    );
    let handled = 0;
    app.ws.use((ctx) => {
      handled++;
      ctx.websocket.on('message', () => {});
    });
    const port = await start();
    const gone = await dial(port);
    gone.handshake({ headers });
    await eventually(() => asked === 1, 'the authenticator');
    gone.reset();
    const { server } = app as unknown as { server: import('node:http').Server };
    await eventually(
      () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count === 0))),
      'the reset',
    );
    answer();
    const wire = await open(port, { headers });
    wire.send(frame(say('hi')));
    await eventually(() => handled === 1, 'the handler');
  });

  test('a handler sees the URL without its token', async () => {
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
    const { app, start } = guardedApplication(guard);
    app.ws.use((ctx) => ctx.websocket.send(ctx.url));
    const wire = await open(await start(), { target: '/chat?key=right&room=1', headers });
    expect(await wire.messages(1)).toEqual(['/chat?room=1']);
  });

  test('a socket that its handler paused stays paused', async () => {
    const { app, start } = guardedApplication(openGuard());
    let resume: () => void = () => {};
    const heard: string[] = [];
    app.ws.use((ctx) => {
      ctx.websocket.on('message', (data) => heard.push(String(data)));
      ctx.websocket.pause();
      resume = () => ctx.websocket.resume();
      ctx.websocket.send('paused');
    });
    const wire = await open(await start(), { headers, after: frame(say('1')) });
    await wire.messages(1);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([]);
    resume();
    await eventually(() => heard.length === 1, 'the message');
  });

  test('throws after listen, and for a misspelt option', async () => {
    const { app, start } = guardedApplication(openGuard());
    await start();
    expect(() => guardKoaWebsocket(app, openGuard())).toThrow(/listens already/);
    expect(() => guardKoaWebsocket(websockify(new Koa()), openGuard(), { midleware: [] } as never)).toThrow(
      /^guardKoaWebsocket\(…, \{ midleware \}\): unknown option\. Did you mean 'middleware'\?/,
    );
  });
});
