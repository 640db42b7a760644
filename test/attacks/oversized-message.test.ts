// The size counts after reassembly, and is bounded whatever the ws server was made with: ws allows 100 MiB by itself.
// Daphne CVE-2026-44545 (finite size after reassembly); ws CVE-2026-48779 and CVE-2026-45736 set the floor for its version.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { frame } from '../support/wire.ts';

const CONTINUATION = 0x0;
const FIN = 0x80;

/** A message in several frames (RFC 6455 §5.4): only the last one has the FIN bit. */
function fragments(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.map((part, i) => {
      const one = frame(part, i === 0 ? 0x1 : CONTINUATION);
      if (i < parts.length - 1) one[0] = (one[0] as number) & ~FIN;
      return one;
    }),
  );
}

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function chat() {
    const guard = chatGuard();
    const denied: string[] = [];
    guard.on('message.denied', ({ stage, reason }) => denied.push(`${stage} ${reason}`));
    const app = await start(host, { guard });
    return { wire: await open(app, { headers: await goodHeaders() }), denied };
  }

  test('one frame over 64 KiB closes with message_too_big', async () => {
    const { wire, denied } = await chat();
    wire.send(frame(`{"type":"note","text":"${'x'.repeat(65_536)}"}`));
    expect(await wire.closeCode()).toBe(1009);
    expect(denied).toEqual(['size message_too_big']);
  });

  test('and so do fragments that are small each', async () => {
    const { wire, denied } = await chat();
    wire.send(fragments(['{"type":"say","text":"', 'hi', '"}']));
    expect(await wire.messages(1)).toHaveLength(1);
    wire.send(
      fragments(['{"type":"note","text":"', ...Array.from({ length: 70 }, () => 'x'.repeat(1_000)), '"}']),
    );
    expect(await wire.closeCode()).toBe(1009);
    expect(denied).toEqual(['size message_too_big']);
  });
});

test('the versions of ws that are accepted begin where its known failures end', () => {
  const manifest = new URL('../../packages/ws/package.json', import.meta.url);
  const { peerDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    peerDependencies: { ws: string };
  };
  // CVE-2026-48779 and CVE-2026-45736 are fixed in 8.21.0, CVE-2024-37890 in 8.17.1.
  expect(peerDependencies.ws).toBe('^8.21.0');
});
