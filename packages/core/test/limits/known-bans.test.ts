import { describe, expect, test } from '@jest/globals';
import { KnownBans } from '../../src/limits/known-bans.ts';
import type { Ban, BanTerms } from '../../src/vocabulary/store.ts';
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

test('at the start it takes over what the store has', async () => {
  const { known, has, until } = bench();
  has({ key: 'a', until: until(5), count: 2 }, { key: 'b', until: until(9), count: 1 });
  await known.agree();
  expect([known.left('a'), known.left('b'), known.left('c')]).toEqual([5_000, 9_000, 0]);
  expect(known.list(1)).toEqual([{ key: 'a', until: until(5), count: 2 }]);
  expect(known.leftUnstored(['a', 'b'])).toBe(0);
});

test('a store that is away at the start is asked again until it is not', async () => {
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
  test('holds here, and is told as what is left of it when the store is back', async () => {
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

  test('is told by and by, also where nobody says that the store is back', async () => {
    const { known, clock, stored } = bench();
    known.impose('a', BAN_TERMS);
    clock.advance(1_000);
    await settle();
    expect(stored).toHaveLength(1);
  });

  test('is told although others follow it all the time', async () => {
    const { known, clock, stored } = bench();
    for (let i = 0; i < 5; i++) {
      known.impose(`${i}`, BAN_TERMS);
      clock.advance(400);
      await settle();
    }
    expect(stored.map(({ key }) => key)).toEqual(['0', '1', '2']);
  });

  test('that has ended meanwhile is not told', async () => {
    const { known, clock, stored, breakStore } = bench();
    breakStore();
    known.impose('a', BAN_TERMS);
    clock.advance(60_000);
    breakStore(false);
    await known.agree();
    expect(stored).toEqual([]);
  });

  test('is the store’s from the moment that it tells of it', async () => {
    const { known, until, stored } = bench();
    known.impose('a', BAN_TERMS);
    known.imposed({ key: 'a', until: until(7), count: 3 });
    expect([known.left('a'), known.leftUnstored(['a'])]).toEqual([7_000, 0]);
    await known.agree();
    expect(stored).toEqual([]);
  });
});

describe('what the store says', () => {
  test('ends what was lifted while nobody was told, and nothing that it cannot know', async () => {
    const { known, has, until } = bench();
    known.imposed({ key: 'lifted', until: until(60), count: 1 });
    known.imposed({ key: 'kept', until: until(60), count: 1 });
    known.impose('own', BAN_TERMS);
    has({ key: 'kept', until: until(60), count: 1 });
    await known.agree();
    expect([known.left('lifted'), known.left('kept'), known.left('own')]).toEqual([0, 60_000, 60_000]);
  });

  test('is older than what it tells while it is being asked', async () => {
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

test('once closed it asks nothing, and leaves no timer', async () => {
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
