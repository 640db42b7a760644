import { describe, expect, test } from '@jest/globals';
import { hitOf, map, precheckOf } from '../../src/limits/precheck.ts';
import type {
  Hit,
  HitRequest,
  PrecheckAnswer,
  PrecheckRequest,
  Store,
} from '../../src/vocabulary/store-contract.ts';
import { bareThenable } from '../support/thenable.ts';

const hit: Hit = { allowed: true, remaining: 3, retryAfter: 0 };
const of = (key: string): HitRequest => ({ keys: [key], limit: { interval: 1, burst: 1 }, cost: 1 });
const PRECHECK = {
  bans: ['address a'],
  handshake: of('handshake'),
  failures: of('failures'),
  slots: [{ key: 'connections', cap: 1 }],
};

function storeOf(answer: Partial<PrecheckAnswer>) {
  const asked: PrecheckRequest[] = [];
  const precheck: Store['precheck'] = (request) => {
    asked.push(request);
    return { bannedFor: 0, hits: [], full: -1, ...answer };
  };
  return { asked, store: { precheck } as Store };
}

describe('the precheck of a handshake', () => {
  test("a handshake's precheck asks the store once for bans, rates, failures and slots", () => {
    const { asked, store } = storeOf({ hits: [hit, { ...hit, remaining: 1 }], full: 0 });
    expect(precheckOf(store, PRECHECK)).toEqual({
      bannedFor: 0,
      handshake: hit,
      failures: { ...hit, remaining: 1 },
      full: 0,
    });
    expect(asked).toEqual([
      { bans: ['address a'], hits: [of('handshake'), of('failures')], leases: PRECHECK.slots },
    ]);
  });

  test('a refused handshake has no answer about failures', () => {
    const refused = { ...hit, allowed: false };
    expect(precheckOf(storeOf({ hits: [refused] }).store, PRECHECK)).toMatchObject({
      handshake: refused,
      failures: undefined,
    });
  });

  test('a banned address has no other answer', () => {
    expect(precheckOf(storeOf({ bannedFor: 7 }).store, PRECHECK)).toMatchObject({
      bannedFor: 7,
      handshake: { allowed: true },
    });
  });
});

test('an answer without the hits that were asked for throws a TypeError', () => {
  expect(() => precheckOf(storeOf({}).store, PRECHECK)).toThrow(TypeError);
  expect(() => hitOf(storeOf({}).store, of('a'))).toThrow(TypeError);
  expect(hitOf(storeOf({ hits: [hit] }).store, of('a'))).toBe(hit);
});

test('map changes a plain value synchronously and a thenable later', async () => {
  expect(map(1, (value) => value + 1)).toBe(2);
  expect(await map(bareThenable(1), (value) => value + 1)).toBe(2);
  await expect(map(Promise.reject(new Error('odd')), () => 1)).rejects.toThrow('odd');
});
