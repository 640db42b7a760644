import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
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
import express5 from 'express';
import session from 'express-session';
import expressWs from 'express-ws';
import express4 from 'express4';
import { generate } from 'selfsigned';
import { eventually } from '../../../test/support/eventually.ts';
import { servers } from '../../../test/support/served.ts';
import { frame } from '../../../test/support/wire.ts';
import { connectionOf, guardExpressWs } from '../src/index.ts';

const APP = 'https://app.example.com';
const Origin = APP;
const headers = { Origin };
const messages = { say: Type.Object({ text: Type.String() }) };
const base = { origins: [APP], hosts: ['localhost'], messages, logger: false } as const;
const openGuard = () => createGuard({ ...base, auth: [anonymous()] });
const say = (text: string): string => JSON.stringify({ type: 'say', text });

describe.each([
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
])('guardExpressWs on %s', (_name, express) => {
  const { listen, dial, open, refused } = servers();
  const guardedApplication = (guard: AnyGuard) => {
    const plain = express();
    const server = createServer(plain);
    const instance = expressWs(plain as never, server);
    guardExpressWs(instance, guard);
    return { app: instance.app, instance, server };
  };

  test('a bare handler of express-ws gets valid messages only', async () => {
    const guard = openGuard();
    const { app, instance, server } = guardedApplication(guard);
    app.ws('/chat', (ws, request) => {
      ws.send(`hello ${request.query.room}`);
      ws.on('message', (data) => ws.send(`heard ${JSON.parse(String(data)).text}`));
    });
    const wire = await open(await listen(server), { target: '/chat?room=1', headers });
    wire.send(frame('not json')).send(frame(say('hi')));
    const [hello, error, heard] = await wire.messages(3);
    expect([hello, heard]).toEqual(['hello 1', 'heard hi']);
    expect(JSON.parse(error ?? '')).toMatchObject({ type: 'error', code: 'message_malformed' });
    expect(instance.getWss().clients.size).toBe(1);
  });

  test('connectionOf gives the typed connection, which gets frames sent with the handshake, behind slow middleware', async () => {
    const guard = openGuard();
    const { app, server } = guardedApplication(guard);
    app.use((_request, _response, next) => void setImmediate(next));
    app.ws('/chat', (ws) => {
      const connection = connectionOf(ws, guard);
      connection.on('say', ({ text }) => connection.send('said', { text }));
    });
    const wire = await dial(await listen(server));
    wire.handshake({ headers, after: Buffer.concat([frame(say('1')), frame(say('2'))]) });
    expect((await wire.messages(2)).map((text) => JSON.parse(text).text)).toEqual(['1', '2']);
  });

  test('the policy sees the session of the application: 401 without one, admitted with one', async () => {
    const guard = createGuard({
      ...base,
      auth: [
        custom({
          scheme: 'session',
          authenticate({ request }) {
            const { user } = (request.native as express5.Request).session as { user?: string };
            return user === undefined ? undefined : { subject: user };
          },
        }),
      ],
    });
    const { app, server } = guardedApplication(guard);
    app.use(session({ secret: 'of the tests', resave: false, saveUninitialized: false }));
    app.post('/login', (request, response) => {
      (request.session as { user?: string }).user = 'alice';
      response.sendStatus(204);
    });
    app.ws('/chat', (ws, request) => ws.send(String((request.session as { user?: string }).user)));
    const port = await listen(server);
    expect(await refused(port, { headers })).toMatchObject({ status: 401 });
    const response = await fetch(`http://127.0.0.1:${port}/login`, { method: 'POST' });
    const Cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const wire = await open(port, { headers: { Origin, Cookie } });
    expect(await wire.messages(1)).toEqual(['alice']);
  });

  test('a connection listener of the ws server that rejects closes its connection with 1011', async () => {
    const { app, instance, server } = guardedApplication(openGuard());
    instance.getWss().on('connection', async () => {
      throw new Error('too late');
    });
    app.ws('/chat', () => {});
    const wire = await open(await listen(server), { target: '/chat', headers });
    expect(await wire.closeCode()).toBe(1011);
  });

  test('a foreign page gets 403, unknown and plain paths get 404, and no handler runs', async () => {
    const guard = openGuard();
    const { app, instance, server } = guardedApplication(guard);
    let handled = 0;
    const seen = () => void handled++;
    instance.getWss().on('connection', seen);
    app.ws('/chat', seen);
    app.get('/page', (_request, response) => void response.send('a page'));
    const port = await listen(server);
    const reason = async (target: string, origin = APP): Promise<string> => {
      const { status, body } = await refused(port, { target, headers: { Origin: origin } });
      return `${status} ${JSON.parse(body).error}`;
    };
    expect(await reason('/chat', 'https://evil.test')).toBe('403 origin_denied');
    expect(await reason('/nowhere')).toBe('404 route_unknown');
    expect(await reason('/page')).toBe('404 route_unknown');
    expect(await reason('/spa/deep')).toBe('404 route_unknown');
    expect(await reason('/chat/.websocket')).toBe('404 route_unknown');
    expect(handled).toBe(0);
    expect(instance.getWss().clients.size).toBe(0);
    expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0 });
    await open(port, { headers });
    expect(handled).toBe(2);
  });

  test('an ordinary request of a WebSocket route gets 404, and its handler does not run', async () => {
    const { app, server } = guardedApplication(openGuard());
    let handled = 0;
    app.ws('/chat', () => void handled++);
    const port = await listen(server);
    for (const path of ['/chat', '/chat/.websocket']) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(404);
    }
    expect(handled).toBe(0);
  });

  test('a 401 of the application reaches the client, with Connection: close', async () => {
    const { app, server } = guardedApplication(openGuard());
    app.use((_request, response) => void response.status(401).send('members only'));
    app.ws('/chat', () => {});
    expect(await refused(await listen(server), { headers })).toMatchObject({
      status: 401,
      headers: { connection: 'close' },
      body: 'members only',
    });
  });

  test('a router of applyTo() runs several handlers in turn, with its parameters', async () => {
    const { app, instance, server } = guardedApplication(openGuard());
    const router = express.Router() as unknown as expressWs.Router;
    instance.applyTo(router);
    router.ws(
      '/:room',
      (ws, _request, next) => {
        ws.send('first');
        next();
      },
      (ws, request) => ws.send(String(request.params.room)),
    );
    app.use('/rooms', router as never);
    const wire = await open(await listen(server), { target: '/rooms/blue', headers });
    expect(await wire.messages(2)).toEqual(['first', 'blue']);
  });

  test('a last handler that calls next() keeps its socket', async () => {
    const { app, server } = guardedApplication(openGuard());
    app.ws('/chat', (ws, _request, next) => {
      ws.on('message', () => ws.send('still here'));
      next();
    });
    app.use((_request, response) => void response.send('a page'));
    const wire = await open(await listen(server), { headers });
    wire.send(frame(say('hi')));
    expect(await wire.messages(1)).toEqual(['still here']);
  });

  test.each<[string, expressWs.WebsocketRequestHandler]>([
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
    ['calls next(error)', (_ws, _request, next) => next(new Error('no'))],
  ])(
    'a handler that %s closes with 1011 and emits a fault, despite an error handler',
    async (_how, handler) => {
      const guard = openGuard();
      const faults: GuardEvents['fault'][] = [];
      guard.on('fault', (fault) => faults.push(fault));
      const { app, server } = guardedApplication(guard);
      app.ws('/chat', handler);
      const onError: express5.ErrorRequestHandler = (_error, _request, response, _next) =>
        void response.status(500).send('oh');
      app.use(onError as never);
      const wire = await open(await listen(server), { headers });
      expect(await wire.closeCode()).toBe(1011);
      expect(faults).toMatchObject([{ stage: 'dispatch', error: new Error('no') }]);
    },
  );

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
    const { app, server } = guardedApplication(guard);
    let handled = 0;
    app.ws('/chat', () => void handled++);
    const port = await listen(server);
    const gone = await dial(port);
    gone.handshake({ headers });
    await eventually(() => asked === 1, 'the authenticator');
    gone.reset();
    await eventually(
      () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count === 0))),
      'the reset',
    );
    answer();
    await open(port, { headers });
    expect(handled).toBe(1);
  });

  test('the application sees the URL without its token', async () => {
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
    const { app, server } = guardedApplication(guard);
    const logged: string[] = [];
    app.use((request, _response, next) => {
      logged.push(request.originalUrl);
      next();
    });
    app.ws('/chat', () => {});
    await open(await listen(server), { target: '/chat?key=right&room=1', headers });
    expect(logged).toEqual(['/chat/.websocket?room=1']);
  });

  test('a route that was defined before guardExpressWs() gets 404, and its handler does not run', async () => {
    const plain = express();
    const server = createServer(plain);
    const instance = expressWs(plain as never, server);
    let handled = 0;
    instance.app.ws('/chat', () => void handled++);
    const guard = openGuard();
    guardExpressWs(instance, guard);
    expect(await refused(await listen(server), { headers })).toMatchObject({ status: 404 });
    expect(handled).toBe(0);
  });

  test('an unguarded instance of express-ws in the same process works as before', async () => {
    guardExpressWs(expressWs(express() as never), openGuard());
    const plain = express();
    const server = createServer(plain);
    const { app } = expressWs(plain as never, server);
    app.ws('/chat', (ws) => ws.send('app'));
    const port = await listen(server);
    expect(await (await open(port, { headers })).messages(1)).toEqual(['app']);
  });
});

describe('guardExpressWs', () => {
  const { listen, open } = servers();

  test('works over https, and on a server that express-ws creates itself', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
    const plain = express5();
    const server = createTlsServer({ key, cert }, plain);
    const instance = expressWs(plain as never, server);
    guardExpressWs(instance, openGuard());
    instance.app.ws('/chat', (ws) => ws.send('secure'));
    const wire = await open(await listen(server), { headers }, { tls: true });
    expect(await wire.messages(1)).toEqual(['secure']);

    const own = expressWs(express5() as never);
    guardExpressWs(own, openGuard());
    own.app.ws('/chat', (ws) => ws.send('own'));
    const made = own.app.listen(0, '127.0.0.1');
    await new Promise((resolve) => made.once('listening', resolve));
    expect(await (await open(await listen(made), { headers })).messages(1)).toEqual(['own']);
  });

  test('guards all routers of Express 4 where express-ws has extended Router, but not those of an unguarded instance', async () => {
    const plain = express4();
    const server = createServer(plain);
    const instance = expressWs(plain as never, server);
    const guard = openGuard();
    guardExpressWs(instance, guard);
    // express-ws does this itself if the Express that it imports is version 4.
    instance.applyTo(express4.Router as never);
    const router = express4.Router() as unknown as expressWs.Router;
    router.ws('/blue', async () => Promise.reject(new Error('no')));
    instance.app.use('/rooms', router as never);
    const port = await listen(server);
    const wire = await open(port, { target: '/rooms/blue', headers });
    expect(await wire.closeCode()).toBe(1011);

    const other = express4();
    const otherServer = createServer(other);
    expressWs(other as never, otherServer);
    const shared = express4.Router() as unknown as expressWs.Router;
    shared.ws('/blue', (ws) => ws.send('unguarded'));
    other.use('/rooms', shared as never);
    const otherWire = await open(await listen(otherServer), { target: '/rooms/blue', headers });
    expect(await otherWire.messages(1)).toEqual(['unguarded']);
  });

  test('throws when it is called twice for one instance', () => {
    const instance = expressWs(express5() as never);
    guardExpressWs(instance, openGuard());
    expect(() => guardExpressWs(instance, openGuard())).toThrow(/has a guard already/);
  });
});
