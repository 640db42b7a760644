import { describe, expect, test } from '@jest/globals';
import { UNAVAILABLE } from '../../src/limits/precheck.ts';
import { type FailureMode, type FailureModes, StoreFallback } from '../../src/limits/store-fallback.ts';
import type { Acquired, HitRequest, Lease } from '../../src/vocabulary/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ALL_LOCAL } from '../support/store-access.ts';

const LIMIT = { interval: 1_000, burst: 1 };
const of = (key: string, cost: number): HitRequest => ({ keys: [key], limit: LIMIT, cost });
const SLOTS = [{ key: 'connections', cap: 1 }];
const PRECHECK = { bans: ['address a'], handshake: of('h', 1), failures: of('f', 0), slots: SLOTS };

/** One who is banned, has used everything up, and finds no slot. */
function exhausted(modes: FailureModes, bannedFor = 0) {
  const alone = new StoreFallback(new ManualClock(), { ...ALL_LOCAL, ...modes }, () => bannedFor);
  alone.hit(of('h', 1));
  void alone.memory.charge(of('f', 1));
  alone.mirrored({ lease: { release() {}, onLost() {} } }, SLOTS, () => {});
  return alone;
}

describe('the precheck of a handshake', () => {
  test.each<[keyof FailureModes, FailureMode, unknown]>([
    ['bans', 'closed', UNAVAILABLE],
    ['bans', 'local', { bannedFor: 5_000 }],
    ['handshakes', 'closed', UNAVAILABLE],
    ['connections', 'closed', UNAVAILABLE],
  ])('with %s %s', (check, mode, expected) => {
    const modes: FailureModes = { bans: 'open', handshakes: 'open', connections: 'open', [check]: mode };
    const answer = exhausted(modes, 5_000).precheck(PRECHECK);
    if (expected === UNAVAILABLE) expect(answer).toBe(UNAVAILABLE);
    else expect(answer).toMatchObject(expected as object);
  });

  test('with everything local', () => {
    expect(exhausted(ALL_LOCAL).precheck(PRECHECK)).toMatchObject({
      bannedFor: 0,
      handshake: { allowed: false },
      failures: { allowed: true },
      full: 0,
    });
  });

  test('with everything open', () => {
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
  test('as this process has counted them, always; but where they are open, not without the store', () => {
    for (const authFailures of ['local', 'closed', 'open'] as const) {
      const alone = exhausted({ authFailures });
      expect(alone.localFailures(of('f', 0), true)).toMatchObject({ allowed: false });
      expect(alone.localFailures(of('f', 0), false)).toMatchObject({ allowed: authFailures === 'open' });
    }
  });

  test('of others, of whom nobody knows', () => {
    expect(exhausted({ authFailures: 'closed' }).failures()).toBe(UNAVAILABLE);
    expect(exhausted({}).failures()).toMatchObject({ allowed: true });
  });
});

describe('slots', () => {
  test('are counted whoever has granted them', () => {
    expect(exhausted({ connections: 'closed' }).acquire(SLOTS)).toBe(UNAVAILABLE);
    expect(exhausted({}).acquire(SLOTS)).toEqual({ full: 0 });
    const open = exhausted({ connections: 'open' });
    const { lease } = open.acquire(SLOTS) as { lease: Lease };
    expect(() => lease.release()).not.toThrow();
  });

  test('that the store has refused are not', () => {
    const alone = new StoreFallback(new ManualClock(), ALL_LOCAL, () => 0);
    expect(alone.mirrored({ full: 1 }, SLOTS, () => {})).toEqual({ full: 1 });
    expect(alone.acquire(SLOTS) as Acquired).toHaveProperty('lease');
  });
});
