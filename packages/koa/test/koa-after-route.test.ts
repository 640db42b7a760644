import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { anonymous, createGuard, type Limits, Type } from '@sallyport/core';
import Koa from 'koa';
import { eventually } from '../../../test/support/eventually.ts';
import { servers } from '../../../test/support/served.ts';
import { ManualClock } from '../../core/test/support/manual-clock.ts';
import { upgrade, websocket } from '../src/index.ts';

// Koa's middleware continues after its `await next()`, and the 101 waits for it.
const { listen, dial, refused } = servers();
const headers = { Origin: 'https://app.example.com' };

async function start(middleware: Koa.Middleware, limits: Limits = {}, clock = new ManualClock()) {
  const guard = createGuard({
    origins: [headers.Origin],
    auth: [anonymous()],
    messages: { say: Type.Object({}) },
    limits: { connections: 1, ...limits },
    logger: false,
    clock,
  });
  let handled = 0;
  const app = new Koa();
  app.silent = true;
  app.use(middleware);
  app.use(websocket(guard, () => void handled++));
  const server = createServer(app.callback());
  upgrade(server, app, guard);
  return { port: await listen(server), handled: () => handled, clock };
}

test('a cookie that middleware sets after the route is sent with the 101', async () => {
  const { port } = await start(async (ctx, next) => {
    await next();
    await new Promise((resolve) => setImmediate(resolve));
    ctx.cookies.set('late', 'yes');
  });
  const { status, raw } = await (await dial(port)).handshake({ headers }).head();
  expect([status, raw.includes('Set-Cookie: late=yes')]).toEqual([101, true]);
});

test('middleware that throws after the route gives 500 instead of the 101, and frees the slot', async () => {
  let fail = true;
  const { port, handled } = await start(async (_ctx, next) => {
    await next();
    if (fail) throw new Error('the session could not be saved');
  });
  const { status, raw } = await refused(port, { headers });
  expect([status, raw.includes(' 101 '), handled()]).toEqual([500, false, 0]);
  fail = false;
  expect((await (await dial(port)).handshake({ headers }).head()).status).toBe(101);
});

test('middleware that never ends after the route gives 408 after limits.closeTimeout, and frees the slot', async () => {
  const hanging: (() => void)[] = [];
  const { port, clock } = await start(
    async (_ctx, next) => {
      await next();
      await new Promise<void>((resolve) => hanging.push(resolve));
    },
    { closeTimeout: '3s' },
  );
  const wire = (await dial(port)).handshake({ headers });
  await eventually(() => hanging.length === 1, 'the middleware after the route');
  clock.advance(2_999);
  expect(wire.ended).toBe(false);
  clock.advance(1);
  expect((await wire.answer()).status).toBe(408);
  hanging[0]?.();
  const next = (await dial(port)).handshake({ headers });
  await eventually(() => hanging.length === 2, 'the middleware after the route');
  hanging[1]?.();
  expect((await next.head()).status).toBe(101);
});
