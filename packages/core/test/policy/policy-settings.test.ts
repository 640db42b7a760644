import { describe, expect, test } from '@jest/globals';
import { anonymous, bearer, custom, passthrough, systemClock } from '@sallyport/core';
import { readExtension, readPolicy } from '../../src/policy/policy-settings.ts';
import { SAY } from '../support/guards.ts';

const key = custom({ scheme: 'key', from: [bearer()], authenticate: () => undefined });
const BASE = { auth: [key], messages: { say: SAY } };

describe('a policy of nothing but what is required', () => {
  const { server, route } = readPolicy(BASE);

  test('has the defaults of a route: times in milliseconds, sizes in bytes', () => {
    expect(route).toMatchObject({
      name: 'default',
      checkReplies: true,
      envelope: 'flat',
      unknownProperties: 'refuse',
      firstMessage: false,
      renewal: false,
      onDenied: 'reply',
      onFault: 'close',
      onSlowConsumer: 'close',
      onRate: 'close',
      rejectAs: 'http',
      subprotocols: [],
      report: new Set(),
    });
    expect(route.limits).toEqual({
      message: 65_536,
      messages: { interval: 20, burst: 100 },
      bytes: { interval: 1_000 / 262_144, burst: 1_048_576 },
      throttle: 10_000,
      controls: { interval: 50, burst: 50 },
      fragments: 1_000,
      heartbeat: 25_000,
      violations: { interval: 60_000, burst: 10 },
      lifetime: 86_400_000,
      pendingTimeout: 5_000,
      authAttempts: 3,
      authMessage: 8_192,
      pendingBytes: 16_384,
      queuedMessages: 64,
      buffered: 1_048_576,
      json: { depth: 32, keys: 1_000, items: 1_000, text: 65_536, number: Number.MAX_SAFE_INTEGER },
    });
  });

  test('has the defaults of a server', () => {
    expect(server).toMatchObject({
      name: 'default',
      plaintextAllowed: false,
      compression: false,
      onIdentityLimit: 'reject',
      onStoreFailure: { handshakes: 'local', authFailures: 'local', bans: 'local', connections: 'local' },
      bans: {
        after: { interval: 600, burst: 100 },
        terms: { duration: 600_000, growth: 2, longest: 86_400_000, memory: 86_400_000 },
        closes: 'identity',
      },
      clock: systemClock,
    });
    expect(server.limits).toEqual({
      handshakeTimeout: 10_000,
      handshakesUnderWay: 1_000,
      handshakes: { interval: 500, burst: 60 },
      connections: 10_000,
      connectionsPerAddress: 100,
      connectionsPerIdentity: 20,
      authFailures: { interval: 3_000, burst: 20 },
      pending: 1_000,
      pendingPerAddress: 20,
      storeTimeout: 500,
      revocationStaleness: 30_000,
      revocations: 100_000,
      revocationRetention: 2_592_000_000,
      headerCount: 100,
      headerBytes: 16_384,
      offeredSubprotocols: 16,
      earlyBytes: 131_072,
      rejectedSockets: 100,
      closeTimeout: 5_000,
    });
  });

  test('has types without further options', () => {
    expect(route.messages).toEqual(new Map([['say', { schema: SAY, recheck: false, cost: 1, once: false }]]));
  });
});

test('what is written is read, for the server and for the route', () => {
  const { server, route } = readPolicy({
    ...BASE,
    name: 'chat',
    messages: passthrough({ text: true }),
    report: ['rate', 'schema'],
    trustedProxies: ['10.0.0.0/8', 'unix'],
    bans: false,
    limits: { message: '1KiB', heartbeat: false, connections: 5, json: { depth: 4 } },
  });
  expect(route).toMatchObject({ name: 'chat', messages: passthrough({ text: true }) });
  expect(route.limits).toMatchObject({ message: 1_024, heartbeat: false, json: { depth: 4, text: 1_024 } });
  expect(server).toMatchObject({ name: 'chat', report: new Set(['rate', 'schema']) });
  expect(server.limits.connections).toBe(5);
  expect(server.proxies).toMatchObject({ unix: true });
  // Operators still ban, and for as long as by default.
  expect(server.bans).toMatchObject({ after: undefined, terms: { duration: 600_000 } });
});

test('switches are read to their options', () => {
  const { route } = readPolicy({
    auth: [custom({ scheme: 'key', from: [bearer()], messageField: 'key', authenticate: () => undefined })],
    messages: { say: SAY },
    firstMessage: true,
    renewal: { notice: '30s' },
  });
  expect(route).toMatchObject({ firstMessage: { early: 'refuse' }, renewal: { notice: 30_000 } });
});

describe('an extension', () => {
  const base = readPolicy({
    ...BASE,
    name: 'chat',
    onDenied: 'close',
    report: ['schema'],
    limits: { message: '1KiB', idle: '5m', json: { depth: 4, keys: 9 } },
  }).route;

  test('inherits what it leaves out, limit by limit', () => {
    const route = readExtension(base.policy, {
      limits: { idle: undefined, message: '2KiB', json: { depth: 5 } },
      onDenied: undefined,
      report: ['sanitize'],
    });
    expect(route).toMatchObject({ name: 'chat', onDenied: 'close', report: new Set(['schema', 'sanitize']) });
    expect(route.limits).toMatchObject({
      message: 2_048,
      idle: 300_000,
      json: { depth: 5, keys: 9, text: 2_048 },
    });
  });

  test('can be extended again', () => {
    const first = readExtension(base.policy, { limits: { idle: '1m' } });
    const second = readExtension(first.policy, { auth: [anonymous()] });
    expect(second.limits.idle).toBe(60_000);
    expect(second.auth).toMatchObject([{ scheme: 'anonymous' }]);
  });

  test.each<[object, RegExp]>([
    [{ limits: 5 }, /^extend\(\{ limits \}\): it is not an object/],
    [{ limits: { json: 5 } }, /^policy\.limits\.json: it is not an object/],
    [{ limits: { json: null } }, /^policy\.limits\.json: it is not an object/],
    [{ limits: { json: [] } }, /^policy\.limits\.json: it is not an object/],
    [{ limits: null }, /^extend\(\{ limits \}\): it is not an object/],
    [{ onDenied: null }, /^policy\.onDenied: null is not an option/],
    [{ report: null }, /^policy\.report: it is not a list/],
    [{ report: 'schema' }, /^policy\.report: it is not a list/],
  ])('%j is refused', (extension, message) => {
    expect(() => readExtension(base.policy, extension)).toThrow(message);
  });
});
