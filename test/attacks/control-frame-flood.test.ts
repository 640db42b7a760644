// D2: floods of pings, which the library answers, and of pongs. Limits on messages do not count control frames.
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { authenticate } from '../support/auth-frames.ts';
import { APP, chatGuard, goodHeaders, type PolicyOverrides, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { frame, type Wire } from '../support/wire.ts';

const PING = 0x9;
const PONG = 0xa;
const say = frame('{"type":"say","text":"hi"}');
const many = (opcode: number, count: number, payload = 'x'.repeat(125)): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => frame(payload, opcode)));
const pongs = (wire: Wire): number => wire.frames().filter(({ opcode }) => opcode === PONG).length;

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function chat(options: PolicyOverrides = {}) {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, ...options });
    const denied: string[] = [];
    guard.on('message.denied', ({ stage, reason }) => denied.push(`${stage} ${reason}`));
    return { clock, guard, denied, app: await start(host, { guard }) };
  }

  test.each([
    ['pings', PING, 51],
    ['unsolicited pongs', PONG, 0],
  ])(
    '5,000 %s at once close the connection with 4429, and another client still gets its answer',
    async (_what, opcode, most) => {
      const { app, denied } = await chat();
      const [wire, neighbour] = [
        await open(app, { headers: await goodHeaders('mallory') }),
        await open(app, { headers: await goodHeaders('bob') }),
      ];
      wire.send(many(opcode, 5_000));
      neighbour.send(say);
      expect(await wire.closeCode()).toBe(4429);
      // ws may answer the pings that it parsed before the guard closed the connection.
      expect(pongs(wire)).toBeLessThanOrEqual(most);
      expect(await neighbour.messages(1)).toHaveLength(1);
      expect(denied).toEqual(['message-rate message_rate']);
    },
  );

  test('50 pings at once and 20 in each later second, as limits.controls allows, are all answered', async () => {
    const { app, clock, denied } = await chat();
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(many(PING, 50, ''));
    await wire.until(() => pongs(wire) === 50, 'the pongs');
    for (let second = 1; second <= 3; second++) {
      clock.advance(1_000);
      wire.send(many(PING, 20, ''));
      await wire.until(() => pongs(wire) === 50 + 20 * second, 'the pongs');
    }
    wire.send(say);
    expect(await wire.messages(1)).toHaveLength(1);
    expect(denied).toEqual([]);
  });

  test('a peer that keeps sending pings instead of answering the close frame is dropped at the next tick', async () => {
    const { app, clock, guard } = await chat({
      limits: { bytes: { rate: '1KiB/s', burst: '1KiB' }, message: '1KiB' },
    });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(many(PING, 2_500));
    expect(await wire.closeCode()).toBe(4429);
    const { length } = many(PING, 2_500);
    await eventually(() => wire.socket.bytesWritten > length, 'the flood');
    // The tick comes once a second; the closing handshake alone would allow five seconds.
    await eventually(() => {
      clock.advance(10);
      return guard.stats().connections === 0;
    }, 'the end of the connection');
    expect(clock.monotonic()).toBeLessThan(1_000 + 5_000);
  });

  test('a pending socket may send 40 pings; 400 more close it with 4429', async () => {
    const { app, denied } = await chat({ firstMessage: true });
    const wire = await open(app, { headers: { Origin: APP } });
    wire.send(many(PING, 40, ''));
    await wire.until(() => pongs(wire) === 40, 'the pongs');
    wire.send(many(PING, 400, ''));
    expect(await wire.closeCode()).toBe(4429);
    expect(pongs(wire)).toBeLessThanOrEqual(51);
    expect(denied).toEqual(['authentication message_rate']);
    const other = await open(app, { headers: { Origin: APP } });
    other.send(Buffer.concat([authenticate({ token: await token() }), many(PING, 40, ''), say]));
    expect(await other.messages(1)).toHaveLength(1);
  });
});
