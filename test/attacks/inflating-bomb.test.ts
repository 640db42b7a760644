// H10: permessage-deflate is off unless the policy turns it on, and then the inflated size counts (Bandit CVE-2026-39804).
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { frame } from '../support/wire.ts';

const RSV1 = 0x40;
const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };

/** RFC 7692 §7.2.1: deflated, flushed, without the last four bytes. */
function compressed(text: string): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: 2 });
  return frame(bytes.subarray(0, -4), 0x1, RSV1);
}

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  test('by default an offer of permessage-deflate is not accepted, and a compressed frame closes with 1002', async () => {
    const app = await start(host, { guard: chatGuard() });
    const wire = await open(app, { headers: { ...(await goodHeaders()), ...offer } });
    expect((await wire.head()).headers).not.toHaveProperty('sec-websocket-extensions');
    wire.send(compressed('{"type":"say","text":"hi"}'));
    expect(await wire.closeCode()).toBe(1002);
  });

  test('with compression: true, a frame of 2 KB that inflates to 1 MB exceeds limits.message and closes', async () => {
    const guard = chatGuard({ compression: true, limits: { message: '2KiB' } });
    const denied: string[] = [];
    guard.on('message.denied', ({ stage, reason }) => denied.push(`${stage} ${reason}`));
    const app = await start(host, { guard });
    const headers = { ...(await goodHeaders()), ...offer };
    const wire = await open(app, { headers });
    expect((await wire.head()).headers['sec-websocket-extensions']).toMatch(/^permessage-deflate/);
    wire.send(compressed('{"type":"say","text":"hi"}'));
    expect(await wire.messages(1)).toHaveLength(1);
    const bomb = compressed(`{"type":"say","text":"${'0'.repeat(1_000_000)}"}`);
    expect(bomb.length).toBeLessThan(2_000);
    wire.send(bomb);
    const { namesInflatedSize } = host.capabilities;
    expect(await wire.closeCode()).toBe(namesInflatedSize ? 1009 : 1007);
    expect(denied).toEqual(namesInflatedSize ? ['size message_too_big'] : []);
    expect(await wire.messages(1)).toHaveLength(1);
  });
});
