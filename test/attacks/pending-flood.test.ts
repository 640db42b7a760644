// A4: sockets that never authenticate are capped, in total and per address, and clients that do authenticate still get in.
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate } from '../support/auth-frames.ts';
import { APP, chatGuard, goodHeaders, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const PAGE = { headers: { Origin: APP } };
const FLOOD = 12;
const CAP = 5;

describe.each(hosts)('$name', (host) => {
  const { start, dial, open, refused } = applications();

  test.each([
    ['in total', { pending: CAP, pendingPerAddress: 100 }],
    ['of one address', { pending: 100, pendingPerAddress: CAP }],
  ])(
    'of 12 pending sockets at once only 5 are let in %s, and a client with a token is admitted',
    async (_what, limits) => {
      const guard = chatGuard({ firstMessage: true, limits });
      const app = await start(host, { guard });
      const wires = await Promise.all(Array.from({ length: FLOOD }, () => dial(app)));
      const answers = await Promise.all(wires.map((wire) => wire.handshake(PAGE).head()));
      expect(answers.map(verdict).sort()).toEqual(
        [...Array(FLOOD - CAP).fill('503 pending_limit'), ...Array(CAP).fill('admitted')].sort(),
      );
      expect(guard.stats()).toMatchObject({ pending: CAP, connections: 0 });
      const withToken = await open(app, { headers: await goodHeaders() });

      // A socket that authenticates frees a pending slot, and so does one that ends.
      const [first, second] = wires.filter((_wire, i) => answers[i]?.status === 101);
      first?.send(authenticate({ token: await token() }));
      await eventually(() => guard.stats().pending === CAP - 1, 'the first room');
      await open(app, PAGE);
      expect(verdict(await refused(app, PAGE))).toBe('503 pending_limit');
      second?.destroy();
      await eventually(() => guard.stats().pending === CAP - 1, 'the second room');
      await open(app, PAGE);
      expect(verdict(await refused(app, PAGE))).toBe('503 pending_limit');
      withToken.destroy();
      expect(app.handled).toHaveLength(2);
    },
  );

  test('pending sockets take slots of limits.connections and release them when they end', async () => {
    const guard = chatGuard({ firstMessage: true, limits: { connections: 2 } });
    const app = await start(host, { guard });
    const wires = [await open(app, PAGE), await open(app, PAGE)];
    expect(verdict(await refused(app, { headers: await goodHeaders() }))).toBe('503 capacity');
    for (const wire of wires) wire.destroy();
    await eventually(() => guard.stats().pending === 0, 'the slots');
    await open(app, { headers: await goodHeaders() });
    await open(app, PAGE);
    expect(verdict(await refused(app, PAGE))).toBe('503 capacity');
  });
});
