import { expect, test } from '@jest/globals';
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
}
