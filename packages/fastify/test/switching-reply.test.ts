import { expect, test } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { ManualClock } from '../../core/test/support/manual-clock.ts';
import { connectionOf } from '../src/index.ts';
import { application, guardFor, orders, request, shake } from './support/application.ts';

for (const order of orders) {
  test(`${order}: onSend runs for the 101, and of its headers only the cookies are sent`, async () => {
    const guard = guardFor();
    const app = await application({ guard, order });
    const sent: [number, unknown][] = [];
    app.addHook('onSend', async (_request, reply, payload) => {
      sent.push([reply.statusCode, payload]);
      reply.header('set-cookie', ['a=1; Path=/', 'b=2']).header('x-powered-by', 'nobody');
    });
    app.get('/chat', { websocket: true }, (socket) => {
      connectionOf(socket, guard).on('say', ({ text }) => socket.send(text));
    });
    const wire = await shake(app, { after: Buffer.from([0x81, 0x80, 0, 0, 0, 0]) });
    const { status, raw } = await wire.head();
    expect(status).toBe(101);
    expect(raw).toContain('\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n');
    expect(raw).not.toMatch(/x-powered-by|content-length/i);
    expect(sent).toEqual([[101, undefined]]);
    // The answer to the empty frame that was sent with the handshake: the socket works.
    expect(JSON.parse((await wire.messages(1))[0] as string)).toMatchObject({ code: 'message_malformed' });
    expect(guard.stats()).toMatchObject({ connections: 1, admitted: 1 });
  });

  test(`${order}: a handshake that the policy refuses runs neither onSend nor onResponse`, async () => {
    const app = await application({ guard: guardFor({ authorize: () => false }), order });
    const ran: string[] = [];
    app.addHook('onSend', async () => void ran.push('send'));
    app.addHook('onResponse', async () => void ran.push('response'));
    app.get('/chat', { websocket: true }, () => {});
    expect((await (await shake(app)).answer()).status).toBe(403);
    expect(ran).toEqual([]);
  });

  test(`${order}: an onSend that throws gives 500 instead of the 101, and frees the slot`, async () => {
    const guard = guardFor({ limits: { connections: 1 } });
    const app = await application({ guard, order });
    let fail = true;
    let handled = 0;
    app.addHook('onSend', async () => {
      if (fail) throw new Error('the session could not be saved');
    });
    app.get('/chat', { websocket: true }, () => void handled++);
    const { status, raw } = await (await shake(app)).answer();
    expect([status, raw.includes(' 101 '), handled]).toEqual([500, false, 0]);
    fail = false;
    expect((await (await shake(app)).head()).status).toBe(101);
  });
}

test('an onSend that never ends gives 408 after limits.closeTimeout, and frees the slot', async () => {
  const clock = new ManualClock();
  const guard = guardFor({ clock, limits: { connections: 1, closeTimeout: '3s' } });
  const app = await application({ guard });
  const hanging: (() => void)[] = [];
  app.addHook('onSend', (_request, _reply, _payload, done) => void hanging.push(done));
  app.get('/chat', { websocket: true }, () => {});
  const wire = await shake(app);
  while (hanging.length === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(2_999);
  expect(wire.ended).toBe(false);
  clock.advance(1);
  expect((await wire.answer()).status).toBe(408);
  // Too late: the client has its refusal.
  hanging[0]?.();
  const next = await shake(app);
  while (hanging.length === 1) await new Promise((resolve) => setImmediate(resolve));
  hanging[1]?.();
  expect((await next.head()).status).toBe(101);
});

test('a client that resets while onSend runs frees its slot, and a preHandler may still hijack the reply', async () => {
  const guard = guardFor({ limits: { connections: 1 } });
  const app = await application({ guard });
  const hanging: (() => void)[] = [];
  app.addHook('preHandler', async (given: FastifyRequest, reply) => {
    if (!given.url.startsWith('/chat?own')) return;
    reply.hijack();
    reply.raw.writeHead(402, { 'content-length': 0 }).end();
  });
  app.addHook('onSend', (_request, _reply, _payload, done) => void hanging.push(done));
  app.get('/chat', { websocket: true }, () => {});
  app.get('/plain', async () => 'plain');
  const wire = await shake(app);
  while (hanging.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const gone = new Promise((resolve) => wire.socket.once('close', resolve));
  wire.reset();
  await gone;
  expect((await (await shake(app, { target: '/chat?own' })).answer()).status).toBe(402);
  const second = await shake(app);
  while (hanging.length === 1) await new Promise((resolve) => setImmediate(resolve));
  hanging[1]?.();
  expect((await second.head()).status).toBe(101);
  const plain = request(app, '/plain');
  while (hanging.length === 2) await new Promise((resolve) => setImmediate(resolve));
  hanging[2]?.();
  expect(await (await plain).text()).toBe('plain');
});
