// Slots are reserved before the 101: of N + 1 that come at once exactly N get in (ws itself counts afterwards, if at all).
import { describe, expect, test } from '@jest/globals';
import { bearer, custom } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const N = 5;
const caps: readonly (readonly [string, PolicyOverrides['limits'], string, (i: number) => string])[] = [
  ['in total', { connections: N }, '503 capacity', (i) => `user${i}`],
  ['of one address', { connectionsPerAddress: N }, '429 connection_limit', (i) => `user${i}`],
  ['of one identity', { connectionsPerIdentity: N }, '429 connection_limit', () => 'alice'],
];

describe.each(hosts)('$name', (host) => {
  const { start, dial } = applications();

  test.each(caps)('a cap on connections %s', async (_what, limits, expected, subjectOf) => {
    let waiting = 0;
    let release = (): void => {};
    const together = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Holds all of them back until every one has come this far, so that they truly race for the slots.
    const auth = custom({
      scheme: 'key',
      from: [bearer()],
      authenticate: async ({ credential = '' }) => {
        if (++waiting === N + 1) release();
        await together;
        return { subject: credential };
      },
    });
    const guard = chatGuard({ auth: [auth], limits });
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

    // One leaves, and exactly one more gets in.
    all.find(({ answer }) => answer.status === 101)?.wire.destroy();
    await eventually(() => guard.stats().connections === N - 1, 'the free slot');
    expect(verdict((await attempt(0)).answer)).toBe('admitted');
    expect(verdict((await attempt(0)).answer)).toBe(expected);
  });
});
