// D11: one person has more addresses than one. An IPv6 /56 or /48 counts as a whole, too; and handshakes that are not decided yet are
// bounded in all, whoever makes them.
import { describe, expect, test } from '@jest/globals';
import { bearer, custom } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { SharedStore } from '../../packages/core/test/support/shared-store.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

/** The i-th /64 of a /48, counted on from a /56 of it. */
const ofNetwork = (network: string, i: number): string => `${network}:${i.toString(16)}::1`;

describe.each(hosts)('$name', (host) => {
  const { start, dial, open, refused } = applications();

  const serve = async (shared: boolean, limits: object, more: object = {}) => {
    const clock = new ManualClock();
    const store = shared ? new SharedStore(clock) : undefined;
    const guard = chatGuard({
      clock,
      trustedProxies: ['127.0.0.1'],
      ...(store && { store }),
      limits,
      ...more,
    });
    return { guard, app: await start(host, { guard }) };
  };
  const from = async (address: string, headers: object) => ({
    headers: { ...headers, 'X-Forwarded-For': address, 'X-Forwarded-Proto': 'https' } as Record<
      string,
      string
    >,
  });

  describe.each([false, true])('with a shared store: %s', (shared) => {
    test('a /56 gets the connections of one address, and a /48 four times as many', async () => {
      const { app } = await serve(shared, { connectionsPerAddress: 2 });
      const good = await goodHeaders();
      const via = (i: number) => from(ofNetwork('2001:db8:1', i), good);
      for (const i of [0x00, 0x01]) await open(app, await via(i));
      expect(verdict(await refused(app, await via(0x02)))).toBe('429 connection_limit');
      expect(verdict(await refused(app, await via(0xff)))).toBe('429 connection_limit');
      for (const i of [0x100, 0x101, 0x200, 0x201, 0x300, 0x301]) await open(app, await via(i));
      expect(verdict(await refused(app, await via(0x400)))).toBe('429 connection_limit');
      await open(app, await from(ofNetwork('2001:db8:2', 0), good));
    });

    test('a /56 gets the pending slots of one address, and they are free again after its sockets have closed', async () => {
      const { app, guard } = await serve(shared, { pendingPerAddress: 2 }, { firstMessage: true });
      const via = (i: number) => from(ofNetwork('2001:db8:1', i), { Origin: APP });
      const wires = [await open(app, await via(0)), await open(app, await via(1))];
      expect(verdict(await refused(app, await via(2)))).toMatch(/pending_limit/);
      await open(app, await from(ofNetwork('2001:db8:2', 0), { Origin: APP }));
      for (const wire of wires) wire.destroy();
      await eventually(() => guard.stats().pending === 1, 'the end');
      for (const i of [2, 3]) await open(app, await via(i));
    });

    test('IPv4 addresses that are neighbours share nothing', async () => {
      const { app } = await serve(shared, { connectionsPerAddress: 1 });
      for (const last of [1, 2, 3]) await open(app, await from(`203.0.113.${last}`, await goodHeaders()));
    });
  });

  test('beyond limits.handshakesUnderWay a handshake gets 503 at once, until others are decided', async () => {
    const waiting: (() => void)[] = [];
    const slow = custom({
      scheme: 'key',
      from: [bearer()],
      authenticate: () =>
        new Promise<{ subject: string }>((resolve) => waiting.push(() => resolve({ subject: 'alice' }))),
    });
    const { app } = await serve(false, { handshakesUnderWay: 3 }, { auth: [slow] as never });
    const wires = [];
    for (let i = 0; i < 3; i++) {
      wires.push((await dial(app)).handshake(await from(`203.0.113.${i}`, await goodHeaders())));
      await eventually(() => waiting.length === i + 1, 'the authenticator');
    }
    const answer = await refused(app, await from('198.51.100.1', await goodHeaders()));
    expect(verdict(answer)).toBe('503 capacity');
    expect(answer.headers).toHaveProperty('retry-after');
    expect(waiting).toHaveLength(3);
    for (const decide of waiting.splice(0)) decide();
    expect((await Promise.all(wires.map((wire) => wire.head()))).map(({ status }) => status)).toEqual([
      101, 101, 101,
    ]);
    const next = (await dial(app)).handshake(await from('198.51.100.1', await goodHeaders()));
    await eventually(() => waiting.length === 1, 'the authenticator');
    waiting[0]?.();
    expect((await next.head()).status).toBe(101);
  });
});
