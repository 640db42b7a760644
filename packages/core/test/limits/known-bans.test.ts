import { describe, expect, test } from '@jest/globals';
import { KnownBans } from '../../src/limits/known-bans.ts';
import type { Ban, BanTerms } from '../../src/vocabulary/store-contract.ts';
import { Held, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BAN_TERMS } from '../support/store-access.ts';

function bench() {
  const clock = new ManualClock();
  const stored: { key: string; terms: BanTerms }[] = [];
  let there: Ban[] = [];
  let broken = false;
  let listed = 0;
  const source = {
    async ban(key: string, terms: BanTerms): Promise<Ban> {
      if (broken) throw new Error('away');
      stored.push({ key, terms });
      const ban = { key, until: clock.now() + terms.duration, count: 1 };
      there.push(ban);
      return ban;
    },
    async bans(): Promise<readonly Ban[]> {
      listed++;
      if (broken) throw new Error('away');
      return there;
    },
  };
  const known = new KnownBans(clock, BAN_TERMS.memory, source);
  const until = (seconds: number) => clock.now() + seconds * 1_000;
  return {
    clock,
    known,
    source,
    stored,
    until,
    listed: () => listed,
    has: (...bans: Ban[]) => {
      there = bans;
    },
    breakStore: (isBroken = true) => {
      broken = isBroken;
    },
  };
}

test("at the start the store's bans are copied", async () => {
  const { known, has, until } = bench();
  has({ key: 'a', until: until(5), count: 2 }, { key: 'b', until: until(9), count: 1 });
  await known.agree();
  expect([known.left('a'), known.left('b'), known.left('c')]).toEqual([5_000, 9_000, 0]);
  expect(known.list(1)).toEqual([{ key: 'a', until: until(5), count: 2 }]);
  expect(known.leftUnstored(['a', 'b'])).toBe(0);
});

test('a store that does not answer at the start is asked until it does', async () => {
  const { known, has, until, clock, breakStore, listed } = bench();
  has({ key: 'a', until: until(60), count: 1 });
  breakStore();
  await known.agree();
  for (let i = 0; i < 3; i++) {
    clock.advance(1_000);
    await settle();
  }
  expect([listed(), known.left('a')]).toEqual([4, 0]);
  breakStore(false);
  clock.advance(1_000);
  await settle();
  expect([known.left('a'), clock.pending]).toEqual([56_000, 0]);
});

describe('a ban that was decided here while the store was away', () => {
  test('a ban imposed without the store is in force here, and stored later with the time that is left', async () => {
    const { known, clock, stored, breakStore } = bench();
    breakStore();
    expect(known.impose('a', BAN_TERMS)).toEqual({ key: 'a', until: clock.now() + 60_000, count: 1 });
    expect([known.left('a'), known.leftUnstored(['a', 'b']), known.leftUnstored(['b'])]).toEqual([
      60_000, 60_000, 0,
    ]);
    clock.advance(20_000);
    await settle();
    expect(stored).toEqual([]);
    breakStore(false);
    await known.agree();
    expect(stored).toMatchObject([{ key: 'a', terms: { duration: 40_000, longest: 40_000, growth: 1 } }]);
    expect([known.left('a'), known.leftUnstored(['a']), clock.pending]).toEqual([40_000, 0, 0]);
  });

  test('a ban imposed without the store is stored by a retry, even if nothing reports that the store works', async () => {
    const { known, clock, stored } = bench();
    known.impose('a', BAN_TERMS);
    clock.advance(1_000);
    await settle();
    expect(stored).toHaveLength(1);
  });

  test('later bans do not postpone the retry', async () => {
    const { known, clock, stored } = bench();
    for (let i = 0; i < 5; i++) {
      known.impose(`${i}`, BAN_TERMS);
      clock.advance(400);
      await settle();
    }
    expect(stored.map(({ key }) => key)).toEqual(['0', '1', '2']);
  });

  test('a ban that has ended before the store works again is not stored', async () => {
    const { known, clock, stored, breakStore } = bench();
    breakStore();
    known.impose('a', BAN_TERMS);
    clock.advance(60_000);
    breakStore(false);
    await known.agree();
    expect(stored).toEqual([]);
  });

  test('a ban that the store reports is no longer stored by this process', async () => {
    const { known, until, stored } = bench();
    known.impose('a', BAN_TERMS);
    known.imposed({ key: 'a', until: until(7), count: 3 });
    expect([known.left('a'), known.leftUnstored(['a'])]).toEqual([7_000, 0]);
    await known.agree();
    expect(stored).toEqual([]);
  });
});

describe('what the store says', () => {
  test('bans that the store no longer lists are lifted, except those that it was not told of', async () => {
    const { known, has, until } = bench();
    known.imposed({ key: 'lifted', until: until(60), count: 1 });
    known.imposed({ key: 'kept', until: until(60), count: 1 });
    known.impose('own', BAN_TERMS);
    has({ key: 'kept', until: until(60), count: 1 });
    await known.agree();
    expect([known.left('lifted'), known.left('kept'), known.left('own')]).toEqual([0, 60_000, 60_000]);
  });

  test('news from the store while it is being asked count more than its answer', async () => {
    const { known, source, until } = bench();
    const held = new Held<readonly Ban[]>();
    source.bans = held.ask;
    known.imposed({ key: 'lifted', until: until(60), count: 1 });
    const agreeing = known.agree();
    await settle();
    known.lifted('lifted');
    known.imposed({ key: 'new', until: until(60), count: 1 });
    await held.answer([{ key: 'lifted', until: until(60), count: 1 }]);
    await agreeing;
    expect([known.left('lifted'), known.left('new')]).toEqual([0, 60_000]);
  });
});

test('after close nothing is asked and no timer is left', async () => {
  const { known, clock, breakStore, listed } = bench();
  breakStore();
  known.impose('a', BAN_TERMS);
  const agreeing = known.agree();
  known.close();
  await agreeing;
  const before = listed();
  await known.agree();
  known.impose('b', BAN_TERMS);
  expect([listed(), clock.pending]).toEqual([before, 0]);
});
