// A4: the deadline for the first message is absolute. Fragments, pings and failed attempts do not extend it, and a client
// that sends nothing keeps no slot.
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { authenticate, fragment } from '../support/auth-frames.ts';
import { APP, chatGuard, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { frame, type Wire } from '../support/wire.ts';

const PAGE = { headers: { Origin: APP } };

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  const serve = async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, firstMessage: true, limits: { authAttempts: 1_000 } });
    return { clock, guard, app: await start(host, { guard }) };
  };

  /** Waits until the server has read everything sent so far: the pong for a ping behind it has come. */
  const read = async (wire: Wire): Promise<void> => {
    const pongs = (): number => wire.frames().filter(({ opcode }) => opcode === 0xa).length;
    const before = pongs();
    wire.send(frame('', 0x9));
    await wire.until(() => pongs() > before, 'a pong');
  };

  test.each<[string, (i: number) => Promise<Buffer>]>([
    [
      'a message in fragments of one byte',
      async (i) => fragment(authenticate({ token: 'x' }).subarray(6 + i, 7 + i), i === 0),
    ],
    ['pings', async () => frame('', 0x9)],
    ['wrong credentials', async (i) => authenticate({ token: `x.y.${i}` })],
    ['nothing', async () => Buffer.alloc(0)],
  ])('a pending client that sends %s is closed with 4408 at the deadline', async (_what, drip) => {
    const { app, guard, clock } = await serve();
    const wire = await open(app, PAGE);
    for (let i = 0; i < 9; i++) {
      wire.send(await drip(i));
      await read(wire);
      clock.advance(500);
    }
    clock.advance(499);
    expect(guard.stats().pending).toBe(1);
    clock.advance(1);
    expect(await wire.closeCode()).toBe(4408);
    expect([guard.stats().pending, guard.stats().connections]).toEqual([0, 0]);
    wire.send(frame('', 0x0)).send(authenticate({ token: await token() }));
    // A client that ignores the close is dropped.
    clock.advance(5_000);
    await wire.until(() => wire.ended, 'the end');
    expect(app.handled).toEqual([]);
  });

  test.each<[string, (i: number) => Buffer]>([
    ['one message that never ends', (i) => fragment('x'.repeat(1_000), i === 0)],
    ['600 pings of 125 bytes', () => frame('x'.repeat(125), 0x9)],
  ])(
    'a pending client that sends %s is ended after a bounded number of bytes, although limits.message is 16 MiB',
    async (_what, part) => {
      const guard = chatGuard({ firstMessage: true, limits: { message: '16MiB' } });
      const app = await start(host, { guard });
      const wire = await open(app, PAGE);
      const flood = Buffer.concat(Array.from({ length: 600 }, (_, i) => part(i)));
      for (let at = 0; at < flood.length && !wire.ended; at += 8_192)
        wire.send(flood.subarray(at, at + 8_192));
      await eventually(() => guard.stats().pending === 0, 'the end of its patience');
      await wire.until(() => wire.ended, 'the end');
      expect(app.handled).toEqual([]);
    },
  );

  test('a first message in two fragments that ends 1 ms before the deadline opens the connection', async () => {
    const { app, guard, clock } = await serve();
    const wire = await open(app, PAGE);
    const text = JSON.stringify({ type: 'auth', token: await token() });
    wire.send(fragment(text.slice(0, 10), true));
    await read(wire);
    clock.advance(4_999);
    wire.send(frame(text.slice(10), 0x0));
    await eventually(() => app.handled.length === 1, 'the handler');
    clock.advance(60_000);
    expect(guard.stats()).toMatchObject({ connections: 1, pending: 0 });
  });
});
