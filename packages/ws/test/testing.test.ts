import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { anonymous, createGuard, passthrough } from '@sallyport/core';
import { WebSocketServer } from 'ws';
import { guardServer } from '../src/index.ts';
import { openSocket } from '../src/testing.ts';

test('a closed socket leaves no timer behind that would keep the process of a test alive', async () => {
  const guard = createGuard({ auth: [anonymous()], messages: passthrough({ text: true }), logger: false });
  const server = createServer();
  guardServer(server, new WebSocketServer({ noServer: true }), guard);
  const before = timers();
  const socket = await openSocket(server, { origin: 'http://localhost' });
  const closed = new Promise((done) => socket.once('close', done));
  await guard.close();
  expect(await closed).toBe(1001);
  expect(timers()).toBe(before);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}
