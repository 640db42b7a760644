import { createServer } from 'node:http';
import websocket from '@fastify/websocket';
import { expect, test } from '@jest/globals';
import { PolicyError } from '@sallyport/core';
import { openSocket } from '@sallyport/ws/testing';
import Fastify from 'fastify';
import type { WebSocket } from 'ws';
import { frame } from '../../../test/support/wire.ts';
import sallyport, { connectionOf } from '../src/index.ts';
import {
  application,
  closing,
  guardFor,
  nextMessage,
  open,
  orders,
  request,
  shake,
  token,
} from './support/application.ts';

const notFound = { error: 'route_unknown', message: 'There is no WebSocket here.' };

for (const order of orders) {
  test(`${order}: a typed handler and a bare message listener get valid messages only`, async () => {
    const guard = guardFor();
    const app = await application({ guard, order });
    app.get('/chat', { websocket: true }, (socket) => {
      connectionOf(socket, guard).on('say', ({ text }, connection) => void connection.send('said', { text }));
    });
    app.get('/bare', { websocket: true }, (socket) => {
      socket.on('message', (data, isBinary) => socket.send(`${String(data)} ${isBinary}`));
    });
    await app.ready();
    const chat = await open(app, '/chat');
    chat.send('{"type":"say","text":"hi"}');
    expect(await nextMessage(chat)).toBe('{"text":"hi","type":"said"}');
    const bare = await open(app, '/bare');
    bare.send('{"type":"say","text":"this is more than twenty characters"}');
    expect(await nextMessage(bare)).toMatch('message_invalid');
    bare.send('{"type":"say","text":"hi"}');
    expect(await nextMessage(bare)).toBe('{"type":"say","text":"hi"} false');
    chat.terminate();
    bare.terminate();
  });

  test(`${order}: a refused handshake runs no handler and emits no connection event`, async () => {
    const guard = guardFor();
    const seen: string[] = [];
    const app = await application({ guard, order });
    app.get('/chat', { websocket: true }, () => void seen.push('handler'));
    app.websocketServer.on('connection', () => seen.push('connection'));
    await app.ready();
    await expect(open(app, '/chat', { origin: 'http://evil.test' })).rejects.toMatchObject({
      status: 403,
      reason: 'origin_denied',
    });
    expect(seen).toEqual([]);
    (await open(app, '/chat')).terminate();
    expect(seen).toEqual(['connection', 'handler']);
  });

  test(`${order}: an upgrade of a plain or unknown route gets 404 route_unknown before hooks and handlers run`, async () => {
    const seen: string[] = [];
    const app = await application({ guard: guardFor(), order });
    app.addHook('preValidation', async () => void seen.push('preValidation'));
    app.setNotFoundHandler((_request, reply) => {
      seen.push('404');
      return reply.code(404).send('not here');
    });
    app.get('/plain', async () => void seen.push('plain'));
    app.head('/head', async () => void seen.push('head'));
    for (const target of ['/plain', '/head', '/nowhere']) {
      const answer = await (await shake(app, { target })).answer();
      expect([answer.status, JSON.parse(answer.body), answer.headers.connection]).toEqual([
        404,
        notFound,
        'close',
      ]);
    }
    expect(seen).toEqual([]);
    expect(await (await request(app, '/nowhere')).text()).toBe('not here');
  });
}

test('a route with handler and wsHandler answers HTTP requests and WebSockets', async () => {
  const guard = guardFor();
  const app = await application({ guard });
  app.route({
    method: 'GET',
    url: '/both',
    handler: async () => 'over HTTP',
    wsHandler: (socket) => void connectionOf(socket, guard).send('said', { text: 'over WebSocket' }),
  });
  await app.ready();
  expect(await (await request(app, '/both')).text()).toBe('over HTTP');
  const wire = await shake(app, { target: '/both' });
  expect(await wire.messages(1)).toEqual(['{"text":"over WebSocket","type":"said"}']);
});

test('an upgrade of a plain route outside the scope of the plugin gets 404 route_unknown', async () => {
  const guard = guardFor();
  const app = Fastify();
  app.get('/outside', async () => 'hello');
  await app.register(async (inner) => {
    await inner.register(sallyport, { guard });
    await inner.register(websocket);
    inner.get('/chat', { websocket: true }, () => {});
  });
  const answer = await (await shake(app, { target: '/outside' })).answer();
  expect([answer.status, answer.body]).toEqual([404, JSON.stringify(notFound)]);
  expect((await (await shake(app, { target: '/chat' })).head()).status).toBe(101);
  await app.close();
});

test('a 401 of a preHandler reaches the client, with Connection: close', async () => {
  const guard = guardFor();
  const app = await application({ guard });
  app.get(
    '/chat',
    { websocket: true, preHandler: async (_request, reply) => reply.code(401).send({ error: 'log in' }) },
    () => {},
  );
  const wire = await shake(app);
  const { status, headers, body } = await wire.answer();
  expect([status, headers.connection, body]).toEqual([401, 'close', '{"error":"log in"}']);
  expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0 });
});

test('an upgrade of a path that Fastify cannot decode gets 400, with Connection: close', async () => {
  const app = await application({ guard: guardFor() });
  const { status, headers } = await (await shake(app, { target: '/%zz' })).answer();
  expect([status, headers.connection]).toEqual([400, 'close']);
});

test('a message above limits.message closes with 1009, and the errorHandler of @fastify/websocket is called after that', async () => {
  const errors: string[] = [];
  const errorHandler = (error: Error, socket: WebSocket): void => {
    errors.push(error.message);
    socket.terminate();
  };
  const guard = guardFor({ limits: { message: 100 } });
  const app = await application({ guard, websocket: { errorHandler } });
  app.get('/chat', { websocket: true }, () => {});
  await app.ready();
  const closed = new Promise((resolve) => guard.on('connection.closed', resolve));
  const socket = await open(app, '/chat');
  socket.send('x'.repeat(101));
  expect(await closing(socket)).toBe(1009);
  expect(await closed).toMatchObject({ reason: 'message_too_big' });
  expect(errors).toEqual(['Max payload size exceeded']);
});

test('the request log shows the URL without its token', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const app = await application({ guard: guardFor(), fastify: { logger: { stream } } });
  app.get('/chat', { websocket: true }, (_socket, request) => request.log.info(request.headers, 'handler'));
  await app.ready();
  (await open(app, `/chat?room=1&token=${token}`)).terminate();
  expect(lines.find((line) => line.includes('incoming request'))).toContain('"url":"/chat?room=1"');
  expect(lines.filter((line) => line.includes(token))).toEqual([]);
});

test('a guard without a logger writes denials to the log of the application', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const guard = guardFor({ logger: undefined as never });
  const app = await application({ guard, fastify: { logger: { stream } } });
  await app.ready();
  await expect(open(app, '/nowhere')).rejects.toThrow();
  expect(lines.find((line) => line.includes('handshake denied'))).toContain('"reason":"route_unknown"');
});

test('frames sent with the handshake reach a handler behind slow hooks, in order', async () => {
  const guard = guardFor({ authorize: () => new Promise((resolve) => setImmediate(resolve, true)) });
  const app = await application({ guard });
  app.addHook('preHandler', () => new Promise((resolve) => setImmediate(resolve)));
  app.get('/chat', { websocket: true }, (socket) => {
    connectionOf(socket, guard).on('say', ({ text }, connection) => void connection.send('said', { text }));
  });
  const say = (text: string): Buffer => frame(JSON.stringify({ type: 'say', text }));
  const wire = await shake(app, { after: Buffer.concat([say('one'), say('two')]) });
  expect((await wire.messages(2)).map((text) => JSON.parse(text).text)).toEqual(['one', 'two']);
});

test('a client that resets while the policy decides runs no handler and takes no slot', async () => {
  let allow: () => void = () => {};
  let asked: () => void = () => {};
  const deciding = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const authorize = (): Promise<boolean> =>
    new Promise((resolve) => {
      allow = () => resolve(true);
      asked();
    });
  const guard = guardFor({ authorize });
  let handled = 0;
  const app = await application({ guard });
  app.get('/chat', { websocket: true }, () => void handled++);
  const gone = new Promise((resolve) => {
    app.server.once('connection', (socket) => socket.once('close', resolve));
  });
  const wire = await shake(app);
  await deciding;
  wire.reset();
  await gone;
  allow();
  await new Promise((resolve) => setImmediate(resolve));
  expect([handled, guard.stats()]).toMatchObject([0, { connections: 0, admitted: 0, denied: {} }]);
});

test('app.injectWS is refused, because its request has no address', async () => {
  const guard = guardFor();
  const app = await application({ guard });
  app.get('/chat', { websocket: true }, () => {});
  await app.ready();
  await expect(app.injectWS('/chat')).rejects.toThrow('Unexpected server response: 4');
  expect(guard.stats().admitted).toBe(0);
});

test('with options.server, the upgrades of that server are guarded', async () => {
  const guard = guardFor();
  const server = createServer();
  const app = await application({ guard, server, websocket: { options: { server } } });
  app.get('/chat', { websocket: true }, () => {});
  await app.ready();
  await expect(openSocket(server, { path: '/chat', origin: 'http://evil.test' })).rejects.toMatchObject({
    reason: 'origin_denied',
  });
  (await openSocket(server, { path: '/chat', origin: 'http://localhost' })).terminate();
  expect(guard.stats().admitted).toBe(1);
});

test('an upgrade before app.ready() gets route_unknown, and after it is admitted', async () => {
  let handled = 0;
  const app = await application({ guard: guardFor() });
  app.get('/chat', { websocket: true }, () => void handled++);
  await expect(open(app, '/chat')).rejects.toMatchObject({ reason: 'route_unknown' });
  await app.ready();
  (await open(app, '/chat')).terminate();
  expect(handled).toBe(1);
});

test('an upgrade listener that is added after listen is never called', async () => {
  const app = await application({ guard: guardFor() });
  app.get('/chat', { websocket: true }, () => {});
  await app.listen({ port: 0, host: '127.0.0.1' });
  let called = 0;
  app.server.on('upgrade', () => called++);
  expect((await (await shake(app, { target: '/else' })).answer()).status).toBe(404);
  expect((await (await shake(app)).head()).status).toBe(101);
  expect(called).toBe(0);
});

const wrongs: readonly [string, string, () => Promise<unknown>][] = [
  [
    '@fastify/websocket is missing',
    'was not registered',
    async () => Fastify().register(sallyport, { guard: guardFor() }).ready(),
  ],
  [
    '@fastify/websocket is registered twice',
    'more than once|already been added',
    async () => {
      const app = Fastify();
      await app.register(sallyport, { guard: guardFor() });
      for (const path of ['/one', '/two'])
        await app.register(async (inner) => {
          await inner.register(websocket);
          inner.get(path, { websocket: true }, () => {});
        });
      return app.ready();
    },
  ],
  [
    'sallyport is in a narrower scope than @fastify/websocket',
    'narrower scope',
    async () => {
      const app = Fastify();
      await app.register(websocket);
      return app
        .register(async (inner) => void (await inner.register(sallyport, { guard: guardFor() })))
        .ready();
    },
  ],
  [
    'sallyport comes after a WebSocket route',
    '/early',
    async () => {
      const app = Fastify();
      await app.register(websocket);
      app.get('/early', { websocket: true }, () => {});
      return app.register(sallyport, { guard: guardFor() });
    },
  ],
  [
    'sallyport comes after a scope with a WebSocket route',
    '/early',
    async () => {
      const app = Fastify();
      await app.register(websocket);
      await app.register(async (inner) => void inner.get('/early', { websocket: true }, () => {}));
      return app.register(sallyport, { guard: guardFor() });
    },
  ],
  [
    'the server has an upgrade listener without a guard',
    'upgrade listeners',
    async () => {
      const app = await application({ guard: guardFor() });
      app.server.on('upgrade', () => {});
      return app.ready();
    },
  ],
  [
    '@fastify/websocket listens on another server',
    'another server',
    async () =>
      (await application({ guard: guardFor(), websocket: { options: { server: createServer() } } })).ready(),
  ],
  [
    'an option is misspelt',
    "^register\\(sallyport, { closeWitin }\\): unknown option\\. Did you mean 'closeWithin'\\?",
    async () => Fastify().register(sallyport, { guard: guardFor(), closeWitin: '1s' } as never),
  ],
  [
    'the server speaks HTTP/2',
    'HTTP/2',
    async () => Fastify({ http2: true }).register(sallyport as never, { guard: guardFor() }),
  ],
];

test.each(wrongs)('start-up throws a PolicyError if %s', async (_name, message, start) => {
  const error = await start().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PolicyError);
  expect((error as Error).message).toMatch(new RegExp(message));
});
