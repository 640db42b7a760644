// M5: the size of a message counts after reassembly, and the limit holds although ws itself allows 100 MiB by default.
// Daphne CVE-2026-44545 (finite size after reassembly); ws CVE-2026-48779 and CVE-2026-45736 set the floor for its version.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { passthrough, Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, messages, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { fragments } from '../support/fragments.ts';
import { messagePack } from '../support/message-pack.ts';
import { watch } from '../support/watched.ts';
import { frame } from '../support/wire.ts';

const note = (length: number): string => JSON.stringify({ type: 'note', text: 'x'.repeat(length) });
/** A message that begins and never ends. */
const endless = (parts: readonly string[]): Buffer[] => fragments([...parts, '']).slice(0, -1);

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function chat(policy: PolicyOverrides = {}) {
    const app = await watch(start, host, { messages: messages as never, ...policy });
    return { ...app, wire: await open(app, { headers: await goodHeaders() }) };
  }

  const opaque = { messages: passthrough({ binary: true }) };
  const ping = frame('', 0x9);
  const thousands: string[] = Array(70).fill('x'.repeat(1_000));
  test.each<[string, PolicyOverrides, () => readonly Buffer[]]>([
    ['one frame over 64 KiB', {}, () => [frame(note(65_536))]],
    [
      'small fragments over 64 KiB together',
      {},
      () => fragments(['{"type":"note","text":"', ...thousands, '"}']),
    ],
    ['fragments of a message that never ends', {}, () => endless(thousands)],
    // ws itself drops a client that sends more than 60 pings at once.
    [
      'fragments of a message that never ends, with pings between them',
      {},
      () => endless(thousands).flatMap((part, i) => (i % 2 ? part : [ping, part])),
    ],
    // Refused by its header alone, before a byte of it arrives.
    ['the header of a frame of 4 GiB', {}, () => [Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0])]],
    ['a message of 65,537 bytes with passthrough()', opaque, () => [frame('x'.repeat(65_537), 0x2)]],
    ['fragments for a codec', { codec: messagePack }, () => fragments(thousands, 0x2)],
  ])('%s: closes with 1009 and reaches no handler', async (_what, policy, sent) => {
    const { wire, denied, typed, raw } = await chat(policy);
    wire.send(Buffer.concat(sent()));
    expect(await wire.closeCode()).toBe(1009);
    expect(denied).toEqual(['size message_too_big']);
    expect([typed, raw]).toEqual([[], []]);
  });

  test('20,000 fragments of no byte or of one byte close with 1008', async () => {
    for (const part of ['', 'x']) {
      const { wire, denied, typed } = await chat();
      wire.send(Buffer.concat(endless(Array(20_000).fill(part))));
      // ws itself counts fragments, and closes with its own code.
      expect(await wire.closeCode()).toBe(1008);
      expect([denied, typed]).toEqual([['size message_too_big'], []]);
    }
  });

  test('a ping of 126 bytes closes with 1002', async () => {
    const { wire } = await chat();
    wire.send(frame('x'.repeat(126), 0x9));
    expect(await wire.closeCode()).toBe(1002);
  });

  test('a message of exactly 64 KiB is handled, whole and in fragments', async () => {
    const { wire, typed } = await chat();
    const text = note(65_536 - note(0).length);
    wire.send(frame(text)).send(Buffer.concat(fragments([text.slice(0, 1), text.slice(1)])));
    await eventually(() => typed.length === 2, 'both messages');
  });

  test('a message above the size of its type, in bytes of UTF-8, gets an error reply, and smaller ones are handled', async () => {
    const say = { schema: messages.say, size: '100B' };
    const { wire, denied, typed, raw } = await chat({ messages: { ...messages, say } as never });
    const said = (text: string): string => JSON.stringify({ type: 'say', text });
    const [fits, over] = [said('x'.repeat(100 - said('').length)), said('\u20ac'.repeat(33))];
    expect([fits.length, over.length < 100, Buffer.byteLength(over) > 100]).toEqual([100, true, true]);
    wire.send(
      Buffer.concat([frame(`${fits} `), frame(over), ...fragments([over.slice(0, 9), over.slice(9)])]),
    );
    wire.send(Buffer.concat([frame(note(1_000)), frame(fits)]));
    await eventually(() => typed.length === 2, 'what is small enough');
    expect(denied).toEqual(Array(3).fill('size message_too_big'));
    expect(raw).toEqual([note(1_000), fits]);
    const answers = (await wire.messages(3)).map((answer) => JSON.parse(answer));
    expect(answers).toEqual(
      Array(3).fill(expect.objectContaining({ type: 'error', code: 'message_too_big' })),
    );
  });

  test('a message above the size of its type is refused with a codec as well', async () => {
    const say = { schema: Type.Object({ data: Type.Unsafe<Uint8Array>(Type.Any()) }), size: '100B' };
    const { wire, denied, typed } = await chat({ messages: { say } as never, codec: messagePack });
    const pack = (bytes: number): Buffer =>
      frame(Buffer.from(messagePack.encode({ type: 'say', data: new Uint8Array(bytes) }) as Uint8Array), 0x2);
    wire.send(Buffer.concat([pack(100), pack(50)]));
    await eventually(() => typed.length === 1, 'what is small enough');
    expect(denied).toEqual(['size message_too_big']);
  });
});

test('the peer dependency of ws begins at the version that fixes its known CVEs', () => {
  const manifest = new URL('../../packages/ws/package.json', import.meta.url);
  const { peerDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    peerDependencies: { ws: string };
  };
  // CVE-2026-48779 and CVE-2026-45736 are fixed in 8.21.0, CVE-2024-37890 in 8.17.1.
  expect(peerDependencies.ws).toBe('^8.21.0');
});
