import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../../support/eventually.ts';
import { Ear, type Subject } from '../store.ts';

const TERMS = { duration: 60_000, growth: 3, longest: 400_000, memory: 60_000 };

export function bansSuite(subject: () => Subject): void {
  describe('bans', () => {
    test('a repeated ban becomes longer each time, up to the longest, and holds on every node', async () => {
      const { realm } = subject();
      const [here, there] = await Promise.all([realm.node(), realm.node()]);
      const lengths: number[] = [];
      for (let i = 1; i <= 4; i++) {
        const { count, key } = await here.store.ban('address a', TERMS);
        expect([key, count]).toEqual(['address a', i]);
        lengths.push((await there.store.precheck({ bans: ['address a'], hits: [], leases: [] })).bannedFor);
      }
      for (const [i, longest] of [60_000, 180_000, 400_000, 400_000].entries()) {
        expect(lengths[i]).toBeGreaterThan(longest - 30_000);
        expect(lengths[i]).toBeLessThanOrEqual(longest);
      }
    });

    test('a ban ends after its duration, and counts for the next one until its memory ends', async () => {
      const { realm } = subject();
      const { store } = await realm.node();
      const terms = { duration: 100, growth: 1, longest: 100, memory: 60_000 };
      await store.ban('address b', terms);
      await realm.pass(110);
      expect(await store.precheck({ bans: ['address b'], hits: [], leases: [] })).toMatchObject({
        bannedFor: 0,
      });
      expect(await store.bans(10)).toEqual([]);
      expect(await store.ban('address b', { ...terms, memory: 50 })).toMatchObject({ count: 2 });
      await realm.pass(160);
      expect(await store.ban('address b', terms)).toMatchObject({ count: 1 });
    });

    test('bans() lists bans up to a limit, and unban() removes one with its history', async () => {
      const { realm } = subject();
      const [here, there] = await Promise.all([realm.node(), realm.node()]);
      for (const key of ['address c', 'identity d', 'address 2001:db8::/64'])
        await here.store.ban(key, TERMS);
      await here.store.ban('identity d', TERMS);
      const listed = await there.store.bans(10);
      expect(new Map(listed.map(({ key, count }) => [key, count]))).toEqual(
        new Map([
          ['address c', 1],
          ['identity d', 2],
          ['address 2001:db8::/64', 1],
        ]),
      );
      expect(await there.store.bans(2)).toHaveLength(2);
      expect(await there.store.unban('identity d')).toBe(true);
      expect(await here.store.unban('identity d')).toBe(false);
      expect(await here.store.unban('address nobody')).toBe(false);
      expect(await here.store.precheck({ bans: ['identity d'], hits: [], leases: [] })).toMatchObject({
        bannedFor: 0,
      });
      expect((await here.store.bans(10)).map(({ key }) => key)).not.toContain('identity d');
      expect(await here.store.ban('identity d', TERMS)).toMatchObject({ count: 1 });
    });

    test('a ban reaches the listeners of every node when it begins and when it is lifted', async () => {
      const { realm } = subject();
      const [here, there] = await Promise.all([realm.node(), realm.node()]);
      const [own, other] = [new Ear(), new Ear()];
      here.listen(own);
      there.listen(other);
      const expected = ['banned identity é d 1', 'unbanned identity é d'];
      // A listener may still be subscribing, so the ban is repeated until it is heard.
      await eventually(async () => {
        await here.store.ban('identity é d', { ...TERMS, growth: 1 });
        await here.store.unban('identity é d');
        return other.heard.includes(expected[0] as string);
      }, 'the ban');
      await eventually(() => other.heard.at(-1) === expected[1], 'the end of the ban');
      expect(own.heard.slice(0, 2)).toEqual(expected);
    });
  });
}
