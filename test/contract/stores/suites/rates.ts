import { describe, expect, test } from '@jest/globals';
import type { HitRequest, PrecheckRequest } from '@sallyport/core/store';
import type { Subject } from '../store.ts';

/** So slow that no allowance comes back during a test. */
const SLOW = { interval: 600_000, burst: 3 };
/** So fast that allowance comes back while a test waits. */
const FAST = { interval: 100, burst: 1 };

const hit = (key: string, limit = SLOW, cost = 1): HitRequest => ({ keys: [key], limit, cost });
const request = (part: Partial<PrecheckRequest>): PrecheckRequest => ({
  bans: [],
  hits: [],
  leases: [],
  ...part,
});

export function ratesSuite(subject: () => Subject): void {
  describe('rates', () => {
    test('each key has its own rate, which all nodes share', async () => {
      const [here, there] = await Promise.all([subject().realm.node(), subject().realm.node()]);
      const left: number[] = [];
      for (const { store } of [here, there, here]) {
        const { hits } = await store.precheck(request({ hits: [hit('handshake a')] }));
        left.push(hits[0]?.remaining ?? -1);
      }
      expect(left).toEqual([2, 1, 0]);
      const refused = await there.store.precheck(request({ hits: [hit('handshake a')] }));
      expect(refused).toMatchObject({ bannedFor: 0, hits: [{ allowed: false, remaining: 0 }], full: -1 });
      expect(refused.hits[0]?.retryAfter).toBeGreaterThan(SLOW.interval / 2);
      expect(refused.hits[0]?.retryAfter).toBeLessThanOrEqual(SLOW.interval);
      const other = await here.store.precheck(request({ hits: [hit('handshake b')] }));
      expect(other.hits).toEqual([{ allowed: true, remaining: 2, retryAfter: 0 }]);
    });

    test('a hit after the returned retryAfter is allowed', async () => {
      const { realm } = subject();
      const { store } = await realm.node();
      await store.charge({ keys: ['handshake c'], limit: FAST, cost: 1 });
      for (let hits = 0; hits < 3; ) {
        const answer = await store.precheck(request({ hits: [hit('handshake c', FAST)] }));
        if (answer.hits[0]?.allowed) hits++;
        else await realm.pass(answer.hits[0]?.retryAfter ?? 0);
      }
    });

    test('a hit with cost 0 takes nothing and tells whether a hit of 1 would be allowed', async () => {
      const { store } = await subject().realm.node();
      const look = () => store.precheck(request({ hits: [hit('handshake d', SLOW, 0)] }));
      for (let i = 0; i < 5; i++)
        expect((await look()).hits).toEqual([{ allowed: true, remaining: 3, retryAfter: 0 }]);
      await store.precheck(request({ hits: [hit('handshake d', SLOW, 3)] }));
      expect((await look()).hits).toMatchObject([{ allowed: false, remaining: 0 }]);
    });

    test('of several hits, those before the first refused one are taken and those after it are not', async () => {
      const { store } = await subject().realm.node();
      await store.charge({ keys: ['second e'], limit: SLOW, cost: 3 });
      const asked = [hit('first e'), hit('second e'), hit('third f')];
      const { hits } = await store.precheck(request({ hits: asked }));
      expect(hits.map(({ allowed }) => allowed)).toEqual([true, false]);
      const looks = asked.map(({ keys, limit }) => ({ keys, limit, cost: 0 }));
      const [first] = (await store.precheck(request({ hits: looks.slice(0, 1) }))).hits;
      const [third] = (await store.precheck(request({ hits: looks.slice(2) }))).hits;
      expect([first?.remaining, third?.remaining]).toEqual([2, 3]);
    });

    test('a charge above the burst empties the rate and goes no deeper', async () => {
      const { store } = await subject().realm.node();
      await store.charge({ keys: ['failures g'], limit: SLOW, cost: 1_000 });
      const { hits } = await store.precheck(request({ hits: [hit('failures g')] }));
      expect(hits).toMatchObject([{ allowed: false }]);
      expect(hits[0]?.retryAfter).toBeLessThanOrEqual(SLOW.interval);
    });

    test('of 300 hits at once on three nodes with a burst of 50, exactly 50 are allowed', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([realm.node(), realm.node(), realm.node()]);
      const limit = { interval: 600_000, burst: 50 };
      const answers = await Promise.all(
        Array.from({ length: 300 }, (_, i) =>
          nodes[i % nodes.length]?.store.precheck(request({ hits: [hit('handshake h', limit)] })),
        ),
      );
      expect(answers.filter((answer) => answer?.hits[0]?.allowed)).toHaveLength(50);
    }, 60_000);
  });

  describe('precheck', () => {
    test('a precheck with a banned key spends no hits and returns the longest remaining ban', async () => {
      const { store } = await subject().realm.node();
      const terms = { duration: 60_000, growth: 1, longest: 60_000, memory: 60_000 };
      await store.ban('address 192.0.2.1', terms);
      await store.ban('identity mallory', { ...terms, duration: 30_000 });
      for (const bans of [['address 192.0.2.1'], ['address 192.0.2.9', 'identity mallory']]) {
        const answer = await store.precheck(
          request({ bans, hits: [hit('handshake 192.0.2.1'), hit('attempts 192.0.2.1')] }),
        );
        expect(answer).toMatchObject({ hits: [], full: -1 });
        expect(answer.bannedFor).toBeGreaterThan(20_000);
      }
      const both = await store.precheck(request({ bans: ['identity mallory', 'address 192.0.2.1'] }));
      expect(both.bannedFor).toBeGreaterThan(40_000);
      expect(both.bannedFor).toBeLessThanOrEqual(60_000);
      const { hits } = await store.precheck(request({ hits: [hit('handshake 192.0.2.1', SLOW, 0)] }));
      expect(hits[0]?.remaining).toBe(3);
    });

    test('a precheck of slots takes none and names the first one that is full', async () => {
      const { store } = await subject().realm.node();
      const leases = ['connections', 'address 192.0.2.2', 'pending 192.0.2.3'].map((key) => ({
        key,
        cap: 2,
      }));
      for (let i = 0; i < 3; i++)
        expect(await store.precheck(request({ leases }))).toMatchObject({ full: -1 });
      for (let i = 0; i < 2; i++) expect(await store.acquire(leases.slice(1))).toHaveProperty('lease');
      expect(await store.precheck(request({ leases }))).toMatchObject({ full: 1, hits: [], bannedFor: 0 });
      expect(await store.precheck(request({ leases: leases.slice(0, 1) }))).toMatchObject({ full: -1 });
    });

    test('an empty precheck is answered with no ban, no hits and no full slot', async () => {
      const { store } = await subject().realm.node();
      expect(await store.precheck(request({}))).toEqual({ bannedFor: 0, hits: [], full: -1 });
    });

    test('a precheck of bans, hits and slots together answers all of them', async () => {
      const { store } = await subject().realm.node();
      const answer = await store.precheck({
        bans: ['address 192.0.2.4', 'identity alice'],
        hits: [hit('handshake 192.0.2.4'), hit('attempts 192.0.2.4', SLOW, 0), hit('logins alice', SLOW, 2)],
        leases: [
          { key: 'connections', cap: 5 },
          { key: 'address 192.0.2.4', cap: 5 },
        ],
      });
      expect(answer).toEqual({
        bannedFor: 0,
        hits: [
          { allowed: true, remaining: 2, retryAfter: 0 },
          { allowed: true, remaining: 3, retryAfter: 0 },
          { allowed: true, remaining: 1, retryAfter: 0 },
        ],
        full: -1,
      });
    });
  });
}
