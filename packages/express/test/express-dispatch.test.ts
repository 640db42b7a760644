import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import {
  type AnyGuard,
  anonymous,
  bearer,
  createGuard,
  custom,
  type GuardEvents,
  query,
  Type,
} from '@sallyport/core';
import express5 from 'express';
import express4 from 'express4';
import { generate } from 'selfsigned';
import { WebSocketServer } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';
import { servers } from '../../../test/support/served.ts';
import { ManualClock } from '../../core/test/support/manual-clock.ts';
import { type ExpressApplication, upgrade, websocket } from '../src/index.ts';

const APP = 'https://app.example.com';
const headers = { Origin: APP };
const messages = { say: Type.Object({ text: Type.String() }) };
const base = { origins: [APP], hosts: ['localhost'], messages, logger: false } as const;
const openGuard = (clock?: ManualClock) =>
  createGuard({ ...base, auth: [anonymous()], ...(clock && { clock }) });
const ROUTE_UNKNOWN = JSON.stringify({ error: 'route_unknown', message: 'There is no WebSocket here.' });

describe.each([
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
])('%s', (_name, express) => {
  const { listen, dial, open, refused } = servers();
  const start = (app: ExpressApplication, guard: AnyGuard = openGuard()): Promise<number> => {
    const server = createServer(app as never);
    upgrade(server, app, guard);
    return listen(server);
  };

  test.each<[string, express5.RequestHandler]>([
    ['answers 200', (_request, response) => void response.send('a page')],
    ['redirects', (_request, response) => response.redirect('/elsewhere')],
    ['serves a file', express.static(import.meta.dirname) as express5.RequestHandler],
    ['answers 404 with a body', (_request, response) => void response.status(404).send('no such page')],
    ['has no route', (_request, _response, next) => next()],
    [
      'sends 100 and 102 first',
      (_request, response) => {
        response.writeContinue();
        response.writeProcessing();
        response.end('a');
      },
    ],
  ])(
    'an upgrade that the application %s for gets one response, 404 route_unknown',
    async (_what, handler) => {
      const app = express();
      const guard = openGuard();
      app.use(handler);
      const answer = await refused(await start(app, guard), { target: '/express-dispatch.test.ts', headers });
      expect(answer).toMatchObject({ status: 404, body: ROUTE_UNKNOWN, headers: { connection: 'close' } });
      expect(answer.raw.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(guard.stats().denied).toEqual({ route_unknown: 1 });
    },
  );

  test('a stream piped into a response that is replaced by route_unknown is closed', async () => {
    const app = express();
    let closed = false;
    app.get('/feed', (_request, response) => {
      const feed = new Readable({ read: () => void feed.push('tick\n') });
      response.on('close', () => feed.destroy());
      feed.on('close', () => {
        closed = true;
      });
      feed.pipe(response);
    });
    expect(await refused(await start(app), { target: '/feed', headers })).toMatchObject({
      body: ROUTE_UNKNOWN,
    });
    await eventually(() => closed, 'the end of the feed');
  });

  test('a streamed 401 of the application reaches the client whole, with Connection: close', async () => {
    const app = express();
    const body = 'no entry. '.repeat(100_000);
    app.use((_request, response) => {
      response.set('Connection', 'keep-alive').set('X-Reason', 'members').status(401);
      Readable.from([body]).pipe(response);
    });
    const answer = await refused(await start(app), { headers });
    expect(answer).toMatchObject({ status: 401, headers: { connection: 'close', 'x-reason': 'members' } });
    expect(answer.body).toContain('no entry. no entry. ');
    expect(answer.body.length).toBeGreaterThan(body.length);
  });

  test('a route that throws gives the 500 of Express', async () => {
    const app = express();
    app.set('env', 'test');
    app.get('/chat', () => {
      throw new Error('broken');
    });
    expect(await refused(await start(app), { headers })).toMatchObject({ status: 500 });
  });

  test('a 403 that the application never ends is ended after limits.closeTimeout', async () => {
    const clock = new ManualClock();
    const app = express();
    app.use((_request, response) => void response.status(403).write('because'));
    const wire = await dial(await start(app, openGuard(clock)));
    wire.handshake({ headers });
    await wire.until((received) => received.includes('because'), 'the beginning of it');
    clock.advance(5_000);
    expect(await wire.answer()).toMatchObject({ status: 403 });
  });

  test('an application that never answers gives 408 after limits.handshakeTimeout, and its late answer is not sent', async () => {
    const clock = new ManualClock();
    const app = express();
    let late: express5.Response | undefined;
    app.use((_request, response) => {
      late = response;
    });
    const wire = await dial(await start(app, openGuard(clock)));
    wire.handshake({ headers });
    await eventually(() => late !== undefined, 'the application');
    clock.advance(10_000);
    late?.status(403).send('late');
    const answer = await wire.answer();
    expect(answer).toMatchObject({ status: 408, body: expect.stringContaining('auth_timeout') });
    expect(answer.raw).not.toContain('late');
    await eventually(() => clock.pending === 0, 'the last of the timers');
  });

  test('a logger of the application sees the URL without its token, and status 101', async () => {
    const guard = createGuard({
      ...base,
      auth: [
        custom({
          scheme: 'key',
          from: [query('key'), bearer()],
          authenticate: ({ credential }) => (credential === 'right' ? { subject: 'alice' } : undefined),
        }),
      ],
    });
    const app = express();
    const logged: string[] = [];
    app.use((request, response, next) => {
      response.on('finish', () => logged.push(`${request.originalUrl} ${response.statusCode}`));
      next();
    });
    app.get(
      '/chat',
      websocket(guard, () => {}),
    );
    await open(await start(app, guard), { target: '/chat?key=right&room=1', headers });
    await eventually(() => logged.length === 1, 'the line in the log');
    expect(logged).toEqual(['/chat?room=1 101']);
  });

  test('upgrade() works on an https server that listens already', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
    const guard = openGuard();
    const app = express();
    app.get(
      '/chat',
      websocket(guard, (connection, request: express5.Request) => {
        connection.send('seen', { secure: request.secure });
      }),
    );
    const server = createTlsServer({ key, cert }, app);
    const port = await listen(server);
    upgrade(server, app, guard);
    const wire = await open(port, { headers }, { tls: true });
    expect(await wire.messages(1)).toEqual([JSON.stringify({ secure: true, type: 'seen' })]);
  });

  test("another upgrade listener makes upgrade() throw, or with otherUpgrades: 'public' gets paths unknown to the application", async () => {
    const guard = openGuard();
    const app = express();
    app.get(
      '/chat',
      websocket(guard, () => {}),
    );
    app.get('/page', (_request, response) => void response.send('a page'));
    const server = createServer(app);
    const reload = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) =>
      reload.handleUpgrade(request, socket, head, (ws) => ws.send(`reload ${request.url}`)),
    );
    const port = await listen(server);
    expect(() => upgrade(server, app, guard)).toThrow(/upgrade listeners/);
    upgrade(server, app, guard, { otherUpgrades: 'public' });
    const wire = await open(port, { target: '/reload', headers });
    expect(await wire.messages(1)).toEqual(['reload /reload']);
    expect(await refused(port, { target: '/page', headers })).toMatchObject({ body: ROUTE_UNKNOWN });
    expect(await refused(port, { target: '/reload', headers: { Host: 'evil.test' } })).toMatchObject({
      status: 403,
    });
    await open(port, { headers });
    expect(guard.stats().connections).toBe(1);
  });

  test('the outer door refuses before the application runs, and emits handshake.denied', async () => {
    const guard = openGuard();
    const denied: GuardEvents['handshake.denied'][] = [];
    guard.on('handshake.denied', (event) => denied.push(event));
    const app = express();
    let asked = 0;
    app.use((_request, _response, next) => {
      asked++;
      next();
    });
    const port = await start(app, guard);
    expect(await refused(port, { headers: { ...headers, 'X-Forwarded-For': '192.0.2.1' } })).toMatchObject({
      status: 403,
    });
    expect(asked).toBe(0);
    expect(denied).toMatchObject([{ reason: 'tls_required' }]);
  });
});

test('upgrade() throws for a misspelt option', () => {
  const app = express5();
  expect(() => upgrade(createServer(app), app, openGuard(), { otherUpgrade: 'public' } as never)).toThrow(
    /^upgrade\(…, \{ otherUpgrade \}\): unknown option\. Did you mean 'otherUpgrades'\?/,
  );
});
