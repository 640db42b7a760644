// D10: the end of a node turns nobody into a flood on the next one: new handshakes are told when to come back, open
// connections go one after another, work in hand is finished, and who does not let go is cut off.
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { say } from '../support/auth-frames.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const CROWD = 40;

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test('closes are spread over the window, and a new handshake is told to come back', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, limits: { connectionsPerIdentity: CROWD } });
    const app = await start(host, { guard });
    const wires = await Promise.all(
      Array.from({ length: CROWD }, async () => open(app, { headers: await goodHeaders() })),
    );
    await eventually(() => guard.stats().connections === CROWD, 'the crowd');
    // A client answers the close frame, as browsers do.
    for (const wire of wires) void wire.closeCode().then(() => wire.destroy());
    const done = guard.close({ within: '10s' });
    const left = (count: number) => eventually(() => guard.stats().connections === count, `${count} left`);
    await left(CROWD - 10);
    const answer = await refused(app, { headers: await goodHeaders() });
    expect(verdict(answer)).toBe('503 shutting_down');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    for (let step = 2; step <= 4; step++) {
      clock.advance(100);
      await left(CROWD - 10 * step);
    }
    await done;
    expect(guard.stats().closed).toEqual({ shutting_down: CROWD });
    for (const wire of wires) expect(await wire.closeCode()).toBe(1001);
  });

  test('a handler at work finishes, and its answer comes before the end', async () => {
    let finish = (): void => {};
    const guard = chatGuard();
    const app = await start(host, {
      guard,
      chat: (chat) =>
        chat.on('say', async () => {
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          chat.send('said', { text: 'finished' });
        }),
    });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(say('work'));
    const idle = finish;
    await eventually(() => finish !== idle, 'the handler');
    const done = guard.close({ within: '5s' });
    expect(verdict(await refused(app, { headers: await goodHeaders() }))).toBe('503 shutting_down');
    expect(wire.frames()).toEqual([]);
    finish();
    expect(await wire.messages(1)).toEqual(['{"text":"finished","type":"said"}']);
    expect(await wire.closeCode()).toBe(1001);
    wire.destroy();
    await done;
  });

  test('a peer that does not let go is cut off when the window ends', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, limits: { closeTimeout: '1h' } });
    const app = await start(host, { guard });
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => guard.stats().connections === 1, 'the connection');
    const done = guard.close({ within: '3s' });
    expect(await wire.closeCode()).toBe(1001);
    clock.advance(2_999);
    expect(guard.stats().connections).toBe(1);
    clock.advance(1);
    await done;
    await wire.until(() => wire.ended, 'the end');
    expect(guard.stats()).toMatchObject({ connections: 0, closed: { shutting_down: 1 } });
  });
});
