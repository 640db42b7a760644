import { expect, test } from '@jest/globals';
import { connectionOf } from '@sallyport/fastify';
import { frame } from '../../../test/support/wire.ts';
import { application, dial, guardFor, orders, shake } from './support/application.ts';

for (const order of orders) {
  test(`${order}: a silent client is told why, and does not hold up the end`, async () => {
    const app = await application({ guard: guardFor(), closeWithin: '500ms', order });
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

  test(`${order}: a handshake that comes while the application closes is refused`, async () => {
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

  test(`${order}: a handler at work ends first, with its answer`, async () => {
    let finish = (): void => {};
    const guard = guardFor();
    const app = await application({ guard, order, closeWithin: '9s' });
    app.get('/chat', { websocket: true }, (socket) => {
      const chat = connectionOf(socket, guard);
      chat.on('say', async () => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        chat.send('said', { text: 'finished' });
      });
    });
    const client = await shake(app);
    await client.head();
    const idle = finish;
    client.send(frame('{"type":"say","text":"work"}'));
    while (finish === idle) await new Promise((resolve) => setImmediate(resolve));
    const closed = app.close();
    const late = await dial(app);
    expect((await late.handshake().answer()).status).toBe(503);
    finish();
    expect(await client.messages(1)).toEqual([expect.stringContaining('finished')]);
    expect(await client.closeCode()).toBe(1001);
    client.destroy();
    await closed;
  });
}
