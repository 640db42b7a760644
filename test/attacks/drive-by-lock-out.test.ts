// A13: a page of another site that makes its visitor's browser open sockets. What it uses up is counted apart, so that the visitor's
// own pages and programs, at the same address, are let in all the same.
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { SharedStore } from '../../packages/core/test/support/shared-store.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate } from '../support/auth-frames.ts';
import { APP, chatGuard, goodHeaders, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import type { HandshakeOptions } from '../support/wire.ts';

/** From a sandboxed frame, which has the origin `null`, with a token that its page made up. */
const junk: HandshakeOptions = { headers: { Origin: 'null', 'Sec-WebSocket-Protocol': 'bearer, junk' } };
const foreign = async (): Promise<HandshakeOptions> => ({
  headers: { ...(await goodHeaders()), Origin: 'https://evil.example' },
});

/** The visitor's own: its page with its cookie, its page with a token, and a program without an origin. */
async function own(): Promise<HandshakeOptions[]> {
  const text = await token();
  return [
    { headers: { Origin: APP, Cookie: `token=${text}` } },
    { headers: { Origin: APP, 'Sec-WebSocket-Protocol': `bearer, ${text}` } },
    { headers: { Authorization: `Bearer ${text}` } },
  ];
}

const stores = ['memory', 'shared'] as const;

describe.each(hosts)('$name', (host) => {
  const { start, dial, open, refused } = applications();

  const serve = async (kind: (typeof stores)[number], limits: object, more: object = {}) => {
    const clock = new ManualClock();
    const store = kind === 'shared' ? new SharedStore(clock) : undefined;
    const guard = chatGuard({ clock, ...(store && { store }), limits, ...more });
    return { clock, guard, app: await start(host, { guard }) };
  };

  test.each(stores)('junk tokens of a sandboxed frame lock out that frame alone, %s store', async (kind) => {
    const { app, clock } = await serve(kind, { authFailures: { rate: '3/m', burst: 3 } });
    const verdicts = [];
    for (let i = 0; i < 6; i++) {
      verdicts.push(verdict(await refused(app, junk)));
      // What is counted in the background has been by then.
      clock.advance(1);
    }
    expect(verdicts).toEqual([
      ...Array(3).fill('401 credential_invalid'),
      ...Array(3).fill('429 auth_attempts'),
    ]);
    for (const handshake of await own()) await open(app, handshake);
  });

  test.each(stores)('handshakes of foreign pages use up no rate but their own, %s store', async (kind) => {
    const { app } = await serve(kind, { handshakes: { rate: '5/m', burst: 5 } });
    const verdicts = [];
    for (const handshake of [
      await foreign(),
      junk,
      await foreign(),
      junk,
      await foreign(),
      junk,
      await foreign(),
    ])
      verdicts.push(verdict(await refused(app, handshake)).slice(0, 3));
    expect(verdicts).toEqual(['403', '401', '403', '401', '403', '429', '429']);
    for (const handshake of await own()) await open(app, handshake);
  });

  test('a rate counts the visitor’s own handshakes as before', async () => {
    const { app } = await serve('memory', { handshakes: { rate: '3/m', burst: 3 } });
    for (const handshake of await own()) await open(app, handshake);
    for (const handshake of await own())
      expect(verdict(await refused(app, handshake))).toBe('429 handshake_rate');
  });

  test.each(stores)(
    'sockets of a frame that never authenticate take no pending slot but their own, %s store',
    async (kind) => {
      const { app, guard } = await serve(kind, { pendingPerAddress: 2 }, { firstMessage: true });
      const silent = { headers: { Origin: 'null' } };
      await open(app, silent);
      await open(app, silent);
      expect(verdict(await refused(app, silent))).toMatch(/pending_limit/);
      const wire = await open(app, { headers: { Origin: APP } });
      wire.send(authenticate({ token: await token() }));
      await eventually(() => guard.stats().connections === 1, 'the own page');
    },
  );

  test.each(stores)(
    'junk in first messages of a frame locks out that frame alone, %s store',
    async (kind) => {
      const limits = { authFailures: { rate: '2/m', burst: 2 }, authAttempts: 1, pendingPerAddress: 10 };
      const { app, guard } = await serve(kind, limits, { firstMessage: true });
      const codes = [];
      for (let i = 0; i < 3; i++) {
        const wire = (await dial(app)).handshake({ headers: { Origin: 'null' } });
        wire.send(authenticate({ token: 'junk' }));
        codes.push(await wire.closeCode());
        wire.destroy();
        await eventually(() => guard.stats().pending === 0, 'its end');
      }
      expect(codes.every((code) => code >= 4400)).toBe(true);
      for (const handshake of await own()) await open(app, handshake);
      const wire = await open(app, { headers: { Origin: APP } });
      wire.send(authenticate({ token: await token() }));
      await eventually(() => guard.stats().connections === 4, 'the own page');
    },
  );
});
