// Slots are reserved before the 101: of N + 1 handshakes at once, exactly N get in. An application on ws alone can count only
// after the 101.
import { describe, expect, test } from '@jest/globals';
import { bearer, custom } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { SharedStore } from '../../packages/core/test/support/shared-store.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const N = 5;
const caps: readonly (readonly [string, PolicyOverrides['limits'], string, (i: number) => string])[] = [
  ['in total', { connections: N }, '503 capacity', (i) => `user${i}`],
  ['of one address', { connectionsPerAddress: N }, '429 connection_limit', (i) => `user${i}`],
  ['of one identity', { connectionsPerIdentity: N }, '429 connection_limit', () => 'alice'],
];

describe.each(hosts)('$name', (host) => {
  const { start, dial } = applications();

  const races = caps.flatMap((cap) => [[...cap, false] as const, [...cap, true] as const]);
  test.each(races)(
    'of N + 1 handshakes at once under a cap of N connections %s, exactly N are admitted',
    async (_what, limits, expected, subjectOf, shares) => {
      let waiting = 0;
      let release = (): void => {};
      const together = new Promise<void>((resolve) => {
        release = resolve;
      });
      // Holds every handshake until all have come this far, so that they really race for the slots.
      const auth = custom({
        scheme: 'key',
        from: [bearer()],
        authenticate: async ({ credential = '' }) => {
          if (++waiting === N + 1) release();
          await together;
          return { subject: credential };
        },
      });
      // A shared store answers later, so time passes between each question and its answer.
      const store = shares ? new SharedStore(new ManualClock()) : undefined;
      const guard = chatGuard({ auth: [auth], limits, ...(store && { store }) });
      const app = await start(host, { guard });
      const attempt = async (i: number) => {
        const wire = (await dial(app)).handshake({ headers: { Authorization: `Bearer ${subjectOf(i)}` } });
        return { wire, answer: await wire.head() };
      };
      const all = await Promise.all(Array.from({ length: N + 1 }, (_, i) => attempt(i)));
      expect(all.map(({ answer }) => verdict(answer)).sort()).toEqual(
        [expected, ...Array(N).fill('admitted')].sort(),
      );
      expect(guard.stats()).toMatchObject({ connections: N, admitted: N });
      expect(store?.held ?? N).toBe(N);

      // One connection ends, and exactly one more gets in.
      all.find(({ answer }) => answer.status === 101)?.wire.destroy();
      await eventually(() => guard.stats().connections === N - 1, 'the free slot');
      expect(verdict((await attempt(0)).answer)).toBe('admitted');
      expect(verdict((await attempt(0)).answer)).toBe(expected);
    },
  );

  test('20 handshakes at once on two nodes with one store under a cap of 5: exactly 5 are admitted', async () => {
    const store = new SharedStore(new ManualClock());
    const nodes = await Promise.all(
      [1, 2].map(async () => {
        const guard = chatGuard({ store, limits: { connections: N } });
        return { guard, app: await start(host, { guard }) };
      }),
    );
    const headers = await goodHeaders();
    const answers = await Promise.all(
      Array.from({ length: 4 * N }, async (_, i) =>
        (await dial((nodes[i % 2] as (typeof nodes)[0]).app)).handshake({ headers }).head(),
      ),
    );
    expect(answers.filter(({ status }) => status === 101)).toHaveLength(N);
    const admitted = nodes.map(({ guard }) => guard.stats().admitted).reduce((sum, count) => sum + count);
    expect([admitted, store.held]).toEqual([N, N]);
  });
});
