import { createServer } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { anonymous, createGuard, type GuardEvents, Type } from '@sallyport/core';
import express5 from 'express';
import expressWs from 'express-ws';
import express4 from 'express4';
import { servers } from '../../../test/support/served.ts';
import { refuseUnguarded, upgrade, websocket } from '../src/index.ts';

const APP = 'https://app.example.com';
const headers = { Origin: APP };
const openGuard = () =>
  createGuard({
    origins: [APP],
    hosts: ['localhost'],
    auth: [anonymous()],
    messages: { say: Type.Object({ text: Type.String() }) },
    logger: false,
  });

describe.each([
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
])('refuseUnguarded on %s', (_name, express) => {
  const { listen, open, refused } = servers();

  test('passes upgrades that came through the outer door, and ordinary requests', async () => {
    const guard = openGuard();
    const app = express();
    app.use(refuseUnguarded(guard));
    app.get('/', (_request, response) => void response.send('a page'));
    app.get(
      '/chat',
      websocket(guard.extend({}), () => {}),
    );
    const server = createServer(app);
    upgrade(server, app, guard);
    const port = await listen(server);
    await open(port, { headers });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('a page');
    expect(guard.stats().denied).toEqual({});
  });

  test('gives 500 internal and emits handshake.denied when upgrade() was forgotten', async () => {
    const guard = openGuard();
    const denied: GuardEvents['handshake.denied'][] = [];
    guard.on('handshake.denied', (event) => denied.push(event));
    const app = express();
    app.use(refuseUnguarded(guard));
    app.get('/chat', (_request, response) => void response.send('a page'));
    const answer = await refused(await listen(createServer(app)), { headers });
    expect(answer).toMatchObject({ status: 500, body: expect.stringContaining('"internal"') });
    expect(denied).toMatchObject([{ reason: 'internal', stage: 'route', path: '/chat' }]);
  });

  test('is not needed for a WebSocket route, which gives 500 itself when upgrade() was forgotten', async () => {
    const guard = openGuard();
    const app = express();
    app.get(
      '/chat',
      websocket(guard, () => {}),
    );
    expect(await refused(await listen(createServer(app)), { headers })).toMatchObject({ status: 500 });
    expect(guard.stats().denied).toEqual({ internal: 1 });
  });

  test('gives 500 when upgrade() was called with a guard of another family', async () => {
    const [outer, inner] = [openGuard(), openGuard()];
    const app = express();
    app.use(refuseUnguarded(inner));
    const server = createServer(app);
    upgrade(server, app, outer);
    expect(await refused(await listen(server), { headers })).toMatchObject({ status: 500 });
    expect(inner.stats().denied).toEqual({ internal: 1 });
  });

  test('closes the socket of an unguarded express-ws before its handler runs', async () => {
    const guard = openGuard();
    const app = express() as unknown as expressWs.Application;
    const server = createServer(app);
    expressWs(app, server);
    app.use(refuseUnguarded(guard) as express5.RequestHandler);
    let handled = 0;
    app.ws('/chat', () => {
      handled++;
    });
    const wire = await open(await listen(server), { headers });
    await wire.until(() => wire.frames().some(({ opcode }) => opcode === 0x8), 'a close frame');
    expect(handled).toBe(0);
    expect(guard.stats().denied).toEqual({ internal: 1 });
  });
});
