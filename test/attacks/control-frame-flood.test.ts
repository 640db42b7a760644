// D2: pings that want answers, pongs that nobody asked for: a WebSocket library answers and tells of them all, and no limit
// on messages sees one of them.
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
    ['pongs that nobody asked for', PONG, 0],
  ])('a flood of %s closes with message_rate, and the neighbour is answered', async (_what, opcode, most) => {
    const { app, denied } = await chat();
    const [wire, neighbour] = [
      await open(app, { headers: await goodHeaders('mallory') }),
      await open(app, { headers: await goodHeaders('bob') }),
    ];
    wire.send(many(opcode, 5_000));
    neighbour.send(say);
    expect(await wire.closeCode()).toBe(4429);
    // What ws answers before it tells of the last one.
    expect(pongs(wire)).toBeLessThanOrEqual(most);
    expect(await neighbour.messages(1)).toHaveLength(1);
    expect(denied).toEqual(['message-rate message_rate']);
  });

  test('as many as are borne are answered, and go on being borne as time passes', async () => {
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

  test('a peer that floods on instead of answering the close frame is dropped at the next look', async () => {
    const { app, clock, guard } = await chat({
      limits: { bytes: { rate: '1KiB/s', burst: '1KiB' }, message: '1KiB' },
    });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(many(PING, 2_500));
    expect(await wire.closeCode()).toBe(4429);
    const { length } = many(PING, 2_500);
    await eventually(() => wire.socket.bytesWritten > length, 'the flood');
    // Whatever is still under way: the look comes once a second, the closing handshake would have five.
    await eventually(() => {
      clock.advance(10);
      return guard.stats().connections === 0;
    }, 'the end of the connection');
    expect(clock.monotonic()).toBeLessThan(1_000 + 5_000);
  });

  test('who has not said who it is may not flood either', async () => {
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
