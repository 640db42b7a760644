import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describeWith } from '../../../test/support/needs.ts';
import { RedisServer } from '../../../test/support/redis.ts';
import { SLOTS, slotOf } from '../src/hash-slot.ts';
import { pingKeys } from '../src/ping-keys.ts';
import { Keys, type Kind } from '../src/redis-keys.ts';

const keys = new Keys('sallyport');
/** What somebody might call himself who wants another one's key. */
const name = fc
  .array(fc.constantFrom('a', 'b', ' ', '{', '}', ':', '%', '7D', 'é', '}:a'), { maxLength: 8 })
  .map((parts) => parts.join(''));
const kind = fc.constantFrom<Kind>('ban', 'rate', 'slots', 'value', 'share');

test('a key is readable and has its subject as the hash tag', () => {
  expect(keys.of('rate', 'handshake 203.0.113.7')).toBe('sallyport:rate:{203.0.113.7}:handshake');
  expect(keys.of('slots', 'address 2001:db8::/64')).toBe('sallyport:slots:{2001:db8::/64}:address');
  expect(keys.of('slots', 'connections')).toBe('sallyport:slots:{connections}');
});

test('property: two names never share a key', () => {
  fc.assert(
    fc.property(kind, name, kind, name, (kindA, a, kindB, b) => {
      if (kindA === kindB && a === b) return;
      expect(keys.of(kindA, a)).not.toBe(keys.of(kindB, b));
    }),
    { numRuns: 3_000 },
  );
});

test('all keys of one address or identity are in one hash slot', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (who) => {
      const tags = [
        keys.of('ban', `address ${who}`),
        keys.of('rate', `handshake ${who}`),
        keys.of('slots', `address ${who}`),
      ];
      expect(new Set(tags.map(slotOf)).size).toBe(1);
    }),
  );
});

test('pingKeys reach every third of the hash slots, or one slot with a hash tag in the prefix', () => {
  const slots = pingKeys(keys).map(slotOf);
  for (let third = 0; third < 3; third++)
    expect(slots.some((slot) => Math.floor((slot * 3) / SLOTS) === third)).toBe(true);
  expect(slots).toHaveLength(12);
  expect(pingKeys(new Keys('{one}'))).toHaveLength(1);
});

describeWith('redis', 'hash slots', (program) => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await RedisServer.start(program, ['--cluster-enabled', 'yes']);
    client = new Redis(server.port);
  });
  afterAll(async () => {
    client.disconnect();
    await server.close();
  });

  test('slotOf gives the hash slot that Redis gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(name, fc.string({ unit: 'binary' })), async (key) => {
        fc.pre(key !== '');
        expect(slotOf(key)).toBe(await client.cluster('KEYSLOT', key));
      }),
      { numRuns: 100 },
    );
  });
});
