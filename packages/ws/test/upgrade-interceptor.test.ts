import { createServer } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { anonymous, createGuard, Type } from '@sallyport/core';
import { WebSocketServer } from 'ws';
import { dispatchUpgrades, interceptUpgrades } from '../src/host.ts';
import { guardServer } from '../src/index.ts';

const newGuard = () =>
  createGuard({ auth: [anonymous()], messages: { say: Type.Object({}) }, logger: false });
const newWss = () => new WebSocketServer({ noServer: true });

describe('a server that would never be asked stops the start', () => {
  test('behind a ws server without a path', () => {
    const [server, guard] = [createServer(), newGuard()];
    guardServer(server, newWss(), guard);
    expect(() => guardServer(server, newWss(), guard, { path: '/admin' })).toThrow(/never be asked/);
  });

  test('behind an application', () => {
    const [server, guard] = [createServer(), newGuard()];
    dispatchUpgrades(server, guard, (_request, response) => response.end());
    expect(() => guardServer(server, newWss(), guard, { path: '/admin' })).toThrow(/put this one first/);
  });

  test('and not in front of one', () => {
    const [server, guard] = [createServer(), newGuard()];
    guardServer(server, newWss(), guard, { path: '/admin' });
    expect(() => dispatchUpgrades(server, guard, (_request, response) => response.end())).not.toThrow();
  });
});

test('a start that was stopped leaves nothing behind', async () => {
  const [server, guard] = [createServer(), newGuard()];
  const stranger = (): void => {};
  server.on('upgrade', stranger);
  await new Promise<void>((done) => server.once('listening', done).listen(0));
  const interceptor = interceptUpgrades(server, guard);
  const handler = { matchesAll: true, matches: () => true, accept: () => {} };
  expect(() => interceptor.addHandler(handler)).toThrow(/listeners without a guard/);
  server.off('upgrade', stranger);
  expect(() => interceptor.addHandler(handler)).not.toThrow();
  await new Promise((done) => server.close(done));
});

test('a second family of guards on one server is refused', () => {
  const server = createServer();
  interceptUpgrades(server, newGuard());
  expect(() => interceptUpgrades(server, newGuard())).toThrow(/another family/);
});
