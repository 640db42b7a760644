// D1: many sockets of one identity at once. At the cap, the policy refuses the new one or closes the oldest. The cap always
// holds, and no other identity loses a slot.
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { SharedStore } from '../../packages/core/test/support/shared-store.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate } from '../support/auth-frames.ts';
import { APP, chatGuard, goodHeaders, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const CAP = 3;
const RACING = 12;

describe.each(hosts)('$name', (host) => {
  const { start, dial, open, refused } = applications();

  test('at connectionsPerIdentity a further handshake of the identity gets 429, and another identity is admitted', async () => {
    const guard = chatGuard({ limits: { connectionsPerIdentity: CAP } });
    const app = await start(host, { guard });
    const headers = await goodHeaders();
    for (let i = 0; i < CAP; i++) await open(app, { headers });
    expect(verdict(await refused(app, { headers }))).toBe('429 connection_limit');
    await open(app, { headers: await goodHeaders('bob') });
  });

  test('with replace-oldest, each connection beyond the cap closes the oldest one with 4409', async () => {
    const guard = chatGuard({ onIdentityLimit: 'replace-oldest', limits: { connectionsPerIdentity: CAP } });
    const app = await start(host, { guard });
    const headers = await goodHeaders();
    const bob = await open(app, { headers: await goodHeaders('bob') });
    const wires = [];
    for (let i = 0; i < CAP + 2; i++) {
      wires.push(await open(app, { headers }));
      await eventually(() => app.handled.length === i + 2, 'the handler');
    }
    expect(await Promise.all(wires.slice(0, 2).map((wire) => wire.closeCode()))).toEqual([4409, 4409]);
    for (const wire of wires.slice(0, 2)) wire.destroy();
    await eventually(() => guard.stats().connections === CAP + 1, 'the rest');
    expect([bob, ...wires.slice(2)].map((wire) => wire.frames().length)).toEqual([0, 0, 0, 0]);
  });

  test('with replace-oldest and a shared store, 30 at once and 3 more one by one leave the newest one open', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({
      clock,
      store: new SharedStore(clock),
      onIdentityLimit: 'replace-oldest',
      limits: { connectionsPerIdentity: 1 },
    });
    const app = await start(host, { guard });
    const headers = await goodHeaders();
    const wires = await Promise.all(Array.from({ length: 30 }, () => dial(app)));
    for (const wire of wires) wire.handshake({ headers });
    const answers = await Promise.all(wires.map((wire) => wire.head()));
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(101));
    const open = () => [...guard.connections()].filter(({ state }) => state === 'open').length;
    await eventually(() => app.handled.length > 0 && open() === 1, 'one of them');
    for (let i = 0; i < 3; i++) {
      const wire = (await dial(app)).handshake({ headers });
      expect((await wire.head()).status).toBe(101);
      wires.push(wire);
      await eventually(() => open() === 1, 'the newest');
    }
    const codes = await Promise.all(wires.slice(0, -1).map((wire) => wire.closeCode()));
    expect(codes).toEqual(Array(32).fill(4409));
    expect(wires.at(-1)?.frames()).toEqual([]);
  });

  test.each([
    ['in handshakes', false],
    ['in first messages', true],
  ])(
    'with replace-oldest, 12 at once %s leave exactly as many open as the cap allows',
    async (_what, late) => {
      const guard = chatGuard({
        firstMessage: true,
        onIdentityLimit: 'replace-oldest',
        limits: { connectionsPerIdentity: CAP, pendingPerAddress: RACING },
      });
      const app = await start(host, { guard });
      const headers = late ? { Origin: APP } : await goodHeaders();
      const wires = await Promise.all(Array.from({ length: RACING }, () => dial(app)));
      for (const wire of wires) wire.handshake({ headers });
      await Promise.all(wires.map((wire) => wire.head()));
      const credential = authenticate({ token: await token() });
      if (late) for (const wire of wires) wire.send(credential);
      const open = () => [...guard.connections()].filter(({ state }) => state === 'open').length;
      await eventually(() => guard.stats().pending === 0 && open() === CAP, 'the cap');
      for (const wire of wires) wire.destroy();
      await eventually(() => guard.stats().connections === 0, 'the slots');
      // All slots are free again: as many as the cap allows can connect.
      const again = await Promise.all(
        Array.from({ length: CAP }, async () =>
          (await dial(app)).handshake({ headers: await goodHeaders() }).head(),
        ),
      );
      expect(again.map(({ status }) => status)).toEqual(Array(CAP).fill(101));
    },
  );
});
