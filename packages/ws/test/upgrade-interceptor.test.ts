import { createServer } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { anonymous, createGuard, Type } from '@sallyport/core';
import { WebSocketServer } from 'ws';
import { dispatchUpgrades, interceptUpgrades } from '../src/host.ts';
import { guardServer } from '../src/index.ts';

const newGuard = () =>
  createGuard({ auth: [anonymous()], messages: { say: Type.Object({}) }, logger: false });
const newWss = () => new WebSocketServer({ noServer: true });

describe('guardServer for a ws server that would get no upgrades', () => {
  test('throws after a ws server without a path', () => {
    const [server, guard] = [createServer(), newGuard()];
    guardServer(server, newWss(), guard);
    expect(() => guardServer(server, newWss(), guard, { path: '/admin' })).toThrow(/never be asked/);
  });

  test('throws after dispatchUpgrades', () => {
    const [server, guard] = [createServer(), newGuard()];
    dispatchUpgrades(server, guard, (_request, response) => response.end());
    expect(() => guardServer(server, newWss(), guard, { path: '/admin' })).toThrow(/put this one first/);
  });

  test('does not throw for a path before dispatchUpgrades', () => {
    const [server, guard] = [createServer(), newGuard()];
    guardServer(server, newWss(), guard, { path: '/admin' });
    expect(() => dispatchUpgrades(server, guard, (_request, response) => response.end())).not.toThrow();
  });
});

test('guardServer and dispatchUpgrades name the option that was meant by a misspelt one', () => {
  const [server, guard] = [createServer(), newGuard()];
  expect(() => guardServer(server, newWss(), guard, { pathh: '/admin' } as never)).toThrow(
    /^guardServer\(…, \{ pathh \}\): unknown option\. Did you mean 'path'\?/,
  );
  expect(() => dispatchUpgrades(server, guard, () => {}, { otherUpgrade: 'public' } as never)).toThrow(
    /^upgrade\(…, \{ otherUpgrade \}\): unknown option\. Did you mean 'otherUpgrades'\?/,
  );
});

test('a handler that was refused for another upgrade listener can be added once that is removed', async () => {
  const [server, guard] = [createServer(), newGuard()];
  const other = (): void => {};
  server.on('upgrade', other);
  await new Promise<void>((done) => server.once('listening', done).listen(0));
  const interceptor = interceptUpgrades(server, guard);
  const handler = { matchesAll: true, matches: () => true, accept: () => {} };
  expect(() => interceptor.addHandler(handler)).toThrow(/listeners without a guard/);
  server.off('upgrade', other);
  expect(() => interceptor.addHandler(handler)).not.toThrow();
  await new Promise((done) => server.close(done));
});

test('interceptUpgrades with a guard of another family throws', () => {
  const server = createServer();
  interceptUpgrades(server, newGuard());
  expect(() => interceptUpgrades(server, newGuard())).toThrow(/another family/);
});
