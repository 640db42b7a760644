import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { expect, test } from '@jest/globals';
import { anonymous, custom } from '@sallyport/core';
import Fastify, { type FastifyRequest } from 'fastify';
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
} from './support/application.ts';

declare module 'fastify' {
  interface Session {
    user?: string;
  }
}

for (const order of orders) {
  test(`${order}: a route is decided by its config.guard, or else by the guard of the plugin`, async () => {
    const guard = guardFor();
    const admin = guard.extend({ authorize: () => false });
    const app = await application({ guard, order });
    app.get('/chat', { websocket: true }, () => {});
    await app.register(
      async (inner) => {
        inner.get('/', { websocket: true, config: { guard: admin } }, () => {});
        inner.get('/room', { websocket: true }, () => {});
      },
      { prefix: '/admin' },
    );
    await app.ready();
    (await open(app, '/chat')).terminate();
    (await open(app, '/admin/room')).terminate();
    for (const path of ['/admin', '/admin/'])
      await expect(open(app, path)).rejects.toMatchObject({ reason: 'not_authorized' });
  });

  test(`${order}: a public route has the outer door only, and the limits of @fastify/websocket`, async () => {
    const guard = guardFor({ auth: [custom({ scheme: 'nobody', authenticate: () => undefined })] as never });
    const errors: string[] = [];
    const errorHandler = (error: Error): void => void errors.push(error.message);
    const websocket = { errorHandler, options: { maxPayload: 1_000 } };
    const app = await application({ guard, order, websocket });
    app.get('/news', { websocket: true, config: { guard: 'public' } }, (socket) => {
      expect(() => connectionOf(socket, guard)).toThrow('not admitted');
      socket.on('message', (data) => socket.send(String(data).length));
    });
    app.get('/chat', { websocket: true }, () => {});
    await app.ready();
    await expect(open(app, '/chat')).rejects.toMatchObject({ status: 401 });
    await expect(open(app, '/news', { address: '192.0.2.1' })).rejects.toMatchObject({
      reason: 'tls_required',
    });
    const socket = await open(app, '/news', { origin: 'http://anywhere.test', subprotocols: ['news'] });
    expect(socket.protocol).toBe('news');
    socket.send('x'.repeat(900));
    expect(await nextMessage(socket)).toBe('900');
    socket.send('x'.repeat(1_001));
    expect(await closing(socket)).toBe(1009);
    expect(errors).toEqual(['Max payload size exceeded']);
  });

  test(`${order}: the policy sees the session of the request: 401 without one, 403 from a foreign page, else admitted`, async () => {
    const guard = guardFor({
      auth: [
        custom({
          scheme: 'session',
          authenticate: ({ request }) => {
            const { user } = (request.native as FastifyRequest).session;
            return user === undefined ? undefined : { subject: user };
          },
        }),
      ] as never,
    });
    const app = await application({ guard, order });
    await app.register(fastifyCookie);
    await app.register(fastifySession, {
      secret: 'a secret of thirty-two bytes, yes',
      cookie: { secure: false },
    });
    app.post('/login', async (request) => {
      request.session.user = 'alice';
    });
    app.get('/chat', { websocket: true }, (socket) => {
      connectionOf(socket, guard).send('said', { text: connectionOf(socket, guard).identity.subject });
    });
    await app.ready();
    const { headers } = await request(app, '/login', { method: 'POST' });
    const cookie = String(headers.get('set-cookie')).split(';')[0] ?? '';
    const as = (headers: Record<string, string>) => shake(app, { headers });
    expect((await (await as({})).answer()).status).toBe(401);
    expect((await (await as({ Cookie: `${cookie}x` })).answer()).status).toBe(401);
    expect((await (await as({ Cookie: cookie, Origin: 'http://evil.test' })).answer()).status).toBe(403);
    expect(await (await as({ Cookie: cookie })).messages(1)).toEqual(['{"text":"alice","type":"said"}']);
  });

  test(`${order}: routes without a guard make ready() throw, with all their names`, async () => {
    const app = await application({ order });
    app.get('/one', { websocket: true }, () => {});
    app.route({ method: 'GET', url: '/two', wsHandler: () => {}, handler: async () => 'two' });
    app.get('/fine', { websocket: true, config: { guard: guardFor() } }, () => {});
    await expect(async () => app.ready()).rejects.toThrow('/one, /two: without a guard');
  });

  test(`${order}: without a guard of the plugin, a route with config.guard is guarded and others get route_unknown`, async () => {
    const guard = guardFor();
    const app = await application({ order });
    app.get('/chat', { websocket: true, config: { guard } }, () => {});
    app.get('/plain', async () => 'plain');
    await app.ready();
    (await open(app, '/chat')).terminate();
    await expect(open(app, '/plain')).rejects.toMatchObject({
      reason: 'route_unknown',
    });
  });
}

test('a route with a guard of another family makes ready() throw', async () => {
  const app = await application({ guard: guardFor() });
  app.get('/chat', { websocket: true, config: { guard: guardFor() } }, () => {});
  await expect(async () => app.ready()).rejects.toThrow('/chat: with a guard of another family');
});

test("config.guard: 'pubic' makes ready() throw", async () => {
  const app = await application({ guard: guardFor() });
  app.get('/chat', { websocket: true, config: { guard: 'pubic' as never } }, () => {});
  await expect(async () => app.ready()).rejects.toThrow('/chat: with a config.guard that is no guard');
});

test('public routes without any guard for the outer door make ready() throw', async () => {
  const app = await application({});
  app.get('/news', { websocket: true, config: { guard: 'public' } }, () => {});
  await expect(async () => app.ready()).rejects.toThrow('no guard for the outer door');
});

test('config.guard on a plain route throws', async () => {
  const guard = guardFor({ auth: [anonymous()] as never });
  const app = await application({ guard });
  expect(() => app.get('/plain', { config: { guard } }, async () => 'plain')).toThrow('Add websocket: true');
});

test('a WebSocket route defined before @fastify/websocket makes ready() throw', async () => {
  const app = Fastify();
  await app.register(sallyport, { guard: guardFor() });
  app.get('/chat', { websocket: true }, () => {});
  await app.register(import('@fastify/websocket'));
  await expect(async () => app.ready()).rejects.toThrow('/chat: defined before @fastify/websocket');
});
