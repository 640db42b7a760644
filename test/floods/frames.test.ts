// D2, D7: floods of 20,000 messages, large messages, pings, fragments and endless fragments against a server in a process of its
// own. Each flood ends as the policy says and leaves no memory behind, and another client is served in time.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { goodHeaders } from '../support/chat-policy.ts';
import { fragments } from '../support/fragments.ts';
import { frame } from '../support/wire.ts';
import { floodedHosts } from './flooded-hosts.ts';
import { FloodedServer } from './flooded-server.ts';
import { FLOOD, type Flooded, Flooder } from './flooder.ts';

/** How many frames a connection sends, in how many writes, and how many connections flood at once. */
const EACH = 1_000;
const WRITES = 20;
const LANES = 4;
const MESSAGES = { rate: 300, burst: 300 };
const BYTES = { rate: 262_144, burst: 1_048_576 };
const CONTROLS = { rate: 20, burst: 50 };
const limits = {
  messages: { rate: '300/s', burst: 300 },
  bytes: { rate: '256KiB/s', burst: '1MiB' },
  controls: { rate: '20/s', burst: 50 },
  closeTimeout: '200ms',
} as const;

const often = (bytes: Buffer): Buffer => Buffer.concat(Array<Buffer>(EACH).fill(bytes));
const note = (length: number): string => JSON.stringify({ type: 'note', text: 'x'.repeat(length) });
const inParts = (parts: readonly string[]): Buffer => Buffer.concat(fragments(parts));
const endless = (count: number, part: string): Buffer =>
  Buffer.concat(fragments(Array<string>(count + 1).fill(part)).slice(0, count));

/** How many answers a rate allows a connection from its first frame to its end, the error included. */
const within = ({ rate, burst }: { rate: number; burst: number }, size = 1) => ({
  least: Math.floor(burst / size),
  most: ({ seconds }: Flooded) => Math.ceil((burst + rate * seconds) / size) + 1,
});

let flooded: FloodedServer;
let strangers = 0;
beforeAll(async () => {
  flooded = await FloodedServer.start();
}, 60_000);
afterAll(async () => expect(await flooded?.end()).toBe(''));

/** This many connections, each with another identity, send these bytes. */
async function flood(connections: number, bytes: Buffer): Promise<Flooded[]> {
  const rounds = await flooded.withstands(async () => {
    const flooders: Flooder[] = [];
    let left = connections;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const flooder = await Flooder.enter(flooded.port, await goodHeaders(`mallory ${strangers++}`));
        flooders.push(flooder);
        await flooder.send(bytes, WRITES);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return () => Promise.all(flooders.map((flooder) => flooder.outcome()));
  });
  const all = rounds.flat();
  expect(all.length).toBeGreaterThanOrEqual(connections);
  return all;
}

describe.each(floodedHosts)('$name', ({ name }) => {
  beforeAll(() => flooded.serve(name, { limits }));
  afterAll(() => flooded.stop());

  test('a flood of messages closes with 4429 and gets no more answers than its rate allows', async () => {
    const { least, most } = within(MESSAGES);
    const say = frame('{"type":"say","text":"flood"}');
    for (const one of await flood(FLOOD / EACH, often(say))) {
      expect(one.code).toBe(4429);
      expect(one.texts).toBeGreaterThanOrEqual(least);
      expect(one.texts).toBeLessThanOrEqual(most(one));
    }
  }, 40_000);

  test('a flood of 4 KiB messages closes with 4429 and gets no more answers than its rate in bytes allows', async () => {
    const message = note(4_096);
    const { least, most } = within(BYTES, message.length);
    for (const one of await flood(FLOOD / EACH, often(frame(message)))) {
      expect(one.code).toBe(4429);
      expect(one.texts).toBeGreaterThanOrEqual(least);
      expect(one.texts).toBeLessThanOrEqual(most(one));
    }
  }, 40_000);

  test('a flood of pings closes with 4429 and gets no more pongs than its rate allows', async () => {
    const { least, most } = within(CONTROLS);
    const ping = frame('x'.repeat(125), 0x9);
    for (const one of await flood(FLOOD / EACH, often(ping))) {
      expect([one.code, one.texts]).toEqual([4429, 0]);
      expect(one.pongs).toBeGreaterThanOrEqual(least);
      expect(one.pongs).toBeLessThanOrEqual(most(one));
    }
  }, 40_000);

  test('a message in nearly as many fragments as allowed is answered, and one in more closes with 1008', async () => {
    const some = inParts(note(EACH - 50).match(/./g) ?? []);
    const tooMany = inParts(Array<string>(2 * EACH).fill('x'));
    const each = Buffer.concat([some, tooMany]);
    for (const one of await flood(Math.ceil(FLOOD / (3 * EACH)), each))
      expect([one.code, one.texts]).toEqual([1008, 1]);
  }, 40_000);

  test('fragments of a message that never ends close with 1009 at limits.message', async () => {
    // 100 KB; limits.message is 64 KiB.
    for (const one of await flood(FLOOD / EACH, endless(EACH, 'x'.repeat(100))))
      expect([one.code, one.texts]).toEqual([1009, 0]);
  }, 40_000);
});
