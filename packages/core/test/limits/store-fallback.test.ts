import { describe, expect, test } from '@jest/globals';
import { UNAVAILABLE } from '../../src/limits/precheck.ts';
import { type FailureMode, type FailureModes, StoreFallback } from '../../src/limits/store-fallback.ts';
import type { Acquired, HitRequest, Lease } from '../../src/vocabulary/store-contract.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ALL_LOCAL } from '../support/store-access.ts';

const LIMIT = { interval: 1_000, burst: 1 };
const of = (key: string, cost: number): HitRequest => ({ keys: [key], limit: LIMIT, cost });
const SLOTS = [{ key: 'connections', cap: 1 }];
const PRECHECK = { bans: ['address a'], handshake: of('h', 1), failures: of('f', 0), slots: SLOTS };

/** A fallback that has spent every limit and has no free slot. */
function exhausted(modes: FailureModes, bannedFor = 0) {
  const fallback = new StoreFallback(new ManualClock(), { ...ALL_LOCAL, ...modes }, () => bannedFor);
  fallback.hit(of('h', 1));
  void fallback.memory.charge(of('f', 1));
  fallback.mirrored({ lease: { release() {}, onLost() {} } }, SLOTS, () => {});
  return fallback;
}

describe('the precheck of a handshake', () => {
  test.each<[keyof FailureModes, FailureMode, unknown]>([
    ['bans', 'closed', UNAVAILABLE],
    ['bans', 'local', { bannedFor: 5_000 }],
    ['handshakes', 'closed', UNAVAILABLE],
    ['connections', 'closed', UNAVAILABLE],
  ])(
    'the fallback of a precheck with check %s set to %s denies or reports the ban',
    (check, mode, expected) => {
      const modes: FailureModes = { bans: 'open', handshakes: 'open', connections: 'open', [check]: mode };
      const answer = exhausted(modes, 5_000).precheck(PRECHECK);
      if (expected === UNAVAILABLE) expect(answer).toBe(UNAVAILABLE);
      else expect(answer).toMatchObject(expected as object);
    },
  );

  test('the fallback of a precheck with local checks counts in this process', () => {
    expect(exhausted(ALL_LOCAL).precheck(PRECHECK)).toMatchObject({
      bannedFor: 0,
      handshake: { allowed: false },
      failures: { allowed: true },
      full: 0,
    });
  });

  test('the fallback of a precheck with open checks denies nothing', () => {
    const modes = { bans: 'open', handshakes: 'open', connections: 'open', authFailures: 'open' } as const;
    expect(exhausted(modes, 5_000).precheck(PRECHECK)).toMatchObject({
      bannedFor: 0,
      handshake: { allowed: true },
      failures: { allowed: true },
      full: -1,
    });
  });
});

describe('failed authentications', () => {
  test('failures counted in this process deny, except without the store when the check is open', () => {
    for (const authFailures of ['local', 'closed', 'open'] as const) {
      const fallback = exhausted({ authFailures });
      expect(fallback.localFailures(of('f', 0), true)).toMatchObject({ allowed: false });
      expect(fallback.localFailures(of('f', 0), false)).toMatchObject({ allowed: authFailures === 'open' });
    }
  });

  test('failures of other nodes are unavailable if the check is closed, and otherwise none', () => {
    expect(exhausted({ authFailures: 'closed' }).failures()).toBe(UNAVAILABLE);
    expect(exhausted({}).failures()).toMatchObject({ allowed: true });
  });
});

describe('slots', () => {
  test('slots that the store granted count in the fallback as well', () => {
    expect(exhausted({ connections: 'closed' }).acquire(SLOTS)).toBe(UNAVAILABLE);
    expect(exhausted({}).acquire(SLOTS)).toEqual({ full: 0 });
    const open = exhausted({ connections: 'open' });
    const { lease } = open.acquire(SLOTS) as { lease: Lease };
    expect(() => lease.release()).not.toThrow();
  });

  test('slots that the store refused do not count in the fallback', () => {
    const fallback = new StoreFallback(new ManualClock(), ALL_LOCAL, () => 0);
    expect(fallback.mirrored({ full: 1 }, SLOTS, () => {})).toEqual({ full: 1 });
    expect(fallback.acquire(SLOTS) as Acquired).toHaveProperty('lease');
  });
});
