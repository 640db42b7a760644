import { expect, test } from '@jest/globals';
import type { RouteShorthandOptions } from 'fastify';
import { application, closing, guardFor, open, orders, request } from './support/application.ts';

const failures = [
  [
    'throws',
    () => {
      throw new Error('handler');
    },
  ],
  [
    'rejects',
    async () => {
      throw new Error('handler');
    },
  ],
] as const;

for (const order of orders) {
  test.each(failures)(
    `${order}: a handler that %s closes with 1011 and emits a fault, for every way to define it`,
    async (_name, handler) => {
      const guard = guardFor();
      const faults: unknown[] = [];
      guard.on('fault', ({ error }) => faults.push(error));
      const app = await application({ guard, order });
      app.get('/third', { websocket: true }, handler);
      app.get('/option', { websocket: true, handler });
      app.route({ method: 'GET', url: '/route', websocket: true, handler });
      app.get('/both', { wsHandler: handler } as RouteShorthandOptions, async () => 'plain');
      await app.register(async (inner) => void inner.get('/inner', { websocket: true }, handler));
      await app.ready();
      const paths = ['/third', '/option', '/route', '/both', '/inner'];
      for (const path of paths) expect(await closing(await open(app, path))).toBe(1011);
      expect(faults).toEqual(paths.map(() => new Error('handler')));
      expect(await (await request(app, '/both')).text()).toBe('plain');
    },
  );

  test(`${order}: a handler is called with the application as this, and with its request`, async () => {
    const guard = guardFor();
    const app = await application({ guard, order });
    const seen = new Promise((resolve) => {
      app.get('/chat/:room', { websocket: true }, function (_socket, request) {
        resolve([this === app, request.params]);
      });
    });
    await app.ready();
    (await open(app, '/chat/1')).terminate();
    expect(await seen).toEqual([true, { room: '1' }]);
  });
}

test('an error in a public handler is left to the errorHandler of @fastify/websocket', async () => {
  const errors: unknown[] = [];
  const errorHandler = (error: Error, socket: { close(code: number): void }): void => {
    errors.push(error.message);
    socket.close(4000);
  };
  const app = await application({ guard: guardFor(), websocket: { errorHandler } });
  app.get('/news', { websocket: true, config: { guard: 'public' } }, () => {
    throw new Error('news');
  });
  await app.ready();
  expect(await closing(await open(app, '/news'))).toBe(4000);
  expect(errors).toEqual(['news']);
});
