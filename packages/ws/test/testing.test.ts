import { createServer } from 'node:http';
import { expect, jest, test } from '@jest/globals';
import { anonymous, createGuard, passthrough } from '@sallyport/core';
import { WebSocketServer } from 'ws';
import { guardServer } from '../src/index.ts';
import { openSocket } from '../src/testing.ts';

test('openSocket: a closed socket leaves no timer behind, which would keep the process alive', async () => {
  const guard = createGuard({ auth: [anonymous()], messages: passthrough({ text: true }), logger: false });
  const server = createServer();
  guardServer(server, new WebSocketServer({ noServer: true }), guard);
  const set = jest.spyOn(globalThis, 'setTimeout');
  const clear = jest.spyOn(globalThis, 'clearTimeout');
  const socket = await openSocket(server, { origin: 'http://localhost' });
  const closed = new Promise((done) => socket.once('close', done));
  await guard.close();
  expect(await closed).toBe(1001);
  const cleared = new Set(clear.mock.calls.map(([timer]) => timer));
  expect(set.mock.results.length).toBeGreaterThan(0);
  expect(set.mock.calls.filter((_, i) => !cleared.has(set.mock.results[i]?.value as NodeJS.Timeout))).toEqual(
    [],
  );
  jest.restoreAllMocks();
});
