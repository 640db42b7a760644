import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { redisStore } from '../src/index.ts';
import { settingsOf } from '../src/redis-store-options.ts';

class Client extends EventEmitter {
  readonly status = 'ready';
  readonly isCluster = false;
  readonly options = {};
  connect = async () => {};
  disconnect = () => {};
  duplicate = () => this;
  evalsha = async () => 1;
  eval = async () => 1;
  subscribe = async () => 1;
}

test('the defaults of the store are those of its documentation', () => {
  expect(settingsOf({})).toEqual({
    prefix: 'sallyport',
    leaseTtl: 30_000,
    timeout: 500,
    retention: 2_592_000_000,
    revocations: 100_000,
    pending: 10_000,
  });
});

test('a duration has a unit or is in milliseconds', () => {
  expect(settingsOf({ leaseTtl: '1.5m', timeout: 250, revocationRetention: '7d' })).toMatchObject({
    leaseTtl: 90_000,
    timeout: 250,
    retention: 604_800_000,
  });
});

describe('what is refused at construction names the option and the fix:', () => {
  const refused: [options: object, message: string][] = [
    [{ ttl: 1 }, 'redisStore({ ttl }): unknown option. The options are prefix, leaseTtl,'],
    [{ prefix: '' }, "redisStore({ prefix }): '' cannot begin a key."],
    [{ prefix: 'a b' }, "redisStore({ prefix }): 'a b' cannot begin a key."],
    [{ prefix: 'a{b' }, "redisStore({ prefix }): 'a{b' cannot begin a key."],
    [{ prefix: '{}a' }, "redisStore({ prefix }): '{}a' cannot begin a key."],
    [{ leaseTtl: '50ms' }, 'redisStore({ leaseTtl }): it is too short'],
    [{ leaseTtl: 'soon' }, "redisStore({ leaseTtl }): 'soon' is not a duration."],
    [{ timeout: 0 }, 'redisStore({ timeout }): 0 is not a duration.'],
    [{ timeout: Number.POSITIVE_INFINITY }, 'redisStore({ timeout }): Infinity is not a duration.'],
    [{ revocations: 1.5 }, 'redisStore({ revocations }): 1.5 is not a whole number'],
    [{ pending: -1 }, 'redisStore({ pending }): -1 is not a whole number'],
  ];

  test.each(refused)(
    'redisStore with the options %j throws, naming the option and the fix',
    (options, message) => {
      const make = () => redisStore(new Client() as never, options);
      expect(make).toThrow(TypeError);
      expect(make).toThrow(message);
      expect(make).toThrow(expect.objectContaining({ name: 'PolicyError' }));
    },
  );
});

test('a prefix may have one hash tag', () => {
  expect(settingsOf({ prefix: 'app:{chat}:x' }).prefix).toBe('app:{chat}:x');
});

test.each([undefined, null, {}, 'redis://127.0.0.1', new EventEmitter()])(
  '%p is refused as a client',
  (client) => {
    expect(() => redisStore(client as never)).toThrow('neither a client of ioredis nor one of node-redis');
  },
);

test('a client with a key prefix is refused', () => {
  const client = Object.assign(new Client(), { options: { keyPrefix: 'app:' } });
  expect(() => redisStore(client as never)).toThrow('redisStore(client, { prefix })');
});
