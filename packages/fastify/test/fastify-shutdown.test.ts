import { expect, test } from '@jest/globals';
import { connectionOf } from '@sallyport/ws';
import { eventually } from '../../../test/support/eventually.ts';
import { frame } from '../../../test/support/wire.ts';
import { application, dial, guardFor, orders, request, shake } from './support/application.ts';

for (const order of orders) {
  test(`${order}: app.close() closes a client that does not answer with 1001, and ends a public socket`, async () => {
    const app = await application({ guard: guardFor({ limits: { closeTimeout: '100ms' } }), order });
    app.get('/chat', { websocket: true }, () => {});
    app.get('/news', { websocket: true, config: { guard: 'public' } }, () => {});
    const chat = await shake(app);
    const news = await shake(app, { target: '/news' });
    await chat.head();
    await news.head();
    const started = performance.now();
    await app.close();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await chat.closeCode()).toBe(1001);
    await news.until(() => news.ended, 'the end of the public connection');
  });

  test(`${order}: a handshake during app.close() is refused with 503`, async () => {
    const app = await application({ guard: guardFor(), order });
    app.get('/chat', { websocket: true }, () => {});
    const open = await shake(app);
    const late = await dial(app);
    await open.head();
    const closed = app.close();
    await open.closeCode();
    const { status, body } = await late.handshake().answer();
    expect([status, JSON.parse(body).error]).toEqual([503, 'shutting_down']);
    open.destroy();
    await closed;
  });

  test(`${order}: app.close() waits for a running handler, and requests are answered meanwhile`, async () => {
    const guard = guardFor();
    const app = await application({ guard, order, closeWithin: '20s' });
    let finish: (() => void) | undefined;
    app.get('/plain', async () => 'plain');
    app.get('/chat', { websocket: true }, (socket) => {
      connectionOf(socket, guard).on('say', async () => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        connectionOf(socket, guard).send('said', { text: 'done' });
      });
    });
    const wire = await shake(app);
    await wire.head();
    wire.send(frame('{"type":"say","text":"hi"}'));
    await eventually(() => finish !== undefined, 'the message');
    const closed = app.close();
    expect(await (await request(app, '/plain')).text()).toBe('plain');
    expect(wire.frames()).toEqual([]);
    finish?.();
    expect((await wire.messages(1)).map((text) => JSON.parse(text))).toEqual([
      { type: 'said', text: 'done' },
    ]);
    expect(await wire.closeCode()).toBe(1001);
    wire.send(frame(Buffer.from([0x03, 0xe9]), 0x8));
    await closed;
  });

  test(`${order}: app.close() destroys the sockets that are open at the end of closeWithin`, async () => {
    const guard = guardFor({ limits: { closeTimeout: '1h' } });
    const app = await application({ guard, order, closeWithin: '100ms' });
    app.get('/chat', { websocket: true }, () => {});
    const wire = await shake(app);
    await wire.head();
    await app.close();
    expect(await wire.closeCode()).toBe(1001);
    await wire.until(() => wire.ended, 'the end');
    expect(guard.stats().connections).toBe(0);
  });

  test(`${order}: app.close() resolves with clientTracking: false`, async () => {
    const websocket = { options: { clientTracking: false } };
    const app = await application({
      guard: guardFor({ limits: { closeTimeout: '100ms' } }),
      order,
      websocket,
    });
    app.get('/chat', { websocket: true }, () => {});
    const wire = await shake(app);
    await wire.head();
    await app.close();
    expect(await wire.closeCode()).toBe(1001);
  });
}
