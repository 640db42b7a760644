// M3, for messages that are no JSON: values that a codec decodes from hostile bytes are held to the same bounds as JSON. What
// the codec throws or wrongly returns ends in an error reply or a close, never in a handler.
import { describe, expect, test } from '@jest/globals';
import { type Codec, Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { messagePack, unpack } from '../support/message-pack.ts';
import { watch } from '../support/watched.ts';
import { frame } from '../support/wire.ts';

const messages = {
  any: Type.Object({ body: Type.Any() }, { additionalProperties: true }),
  next: Type.Object({}),
} as never;
const limits: PolicyOverrides['limits'] = {
  violations: 1_000,
  messages: { rate: '1000/s', burst: 1_000 },
  bytes: { rate: '1MiB/s', burst: '4MiB' },
  json: { text: 1_000 },
};

const pack = (value: unknown): Buffer => Buffer.from(messagePack.encode(value) as Uint8Array);
/** A message whose body is these bytes. */
const body = (...bytes: readonly (Buffer | readonly number[])[]): Buffer =>
  Buffer.concat([
    Buffer.of(0x82),
    ...['type', 'any', 'body'].map(pack),
    ...bytes.map((some) => Buffer.from(some)),
  ]);
const text = (key: string): Buffer => pack(key);
const repeated = (head: readonly number[], times: number): Buffer =>
  Buffer.concat(Array(times).fill(Buffer.from(head)));

const hostile: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.of(),
  'a byte that MessagePack does not use': Buffer.of(0xc1),
  nil: Buffer.of(0xc0),
  'a number': Buffer.of(1),
  'a list': pack([{ type: 'any', body: 1 }]),
  'two messages': Buffer.concat([pack({ type: 'any', body: 1 }), pack({ type: 'any', body: 2 })]),
  'an extension': body([0xd4, 0x05, 0x01]),
  'a time': body([0xd6, 0xff, 0, 0, 0, 1]),
  'a list header without its items': body([0xdd, 0xff, 0xff, 0xff, 0xff]),
  'nested list headers without items': body(repeated([0xdd, 0x01, 0xff, 0xff, 0xff], 8)),
  '20,000 nested headers of lists without items': body(repeated([0xdc, 0x03, 0xe8], 20_000)),
  'a map header without its entries': body([0xdf, 0xff, 0xff, 0xff, 0xff]),
  'a text header without its text': body([0xdb, 0xff, 0xff, 0xff, 0xff]),
  'a header of bytes without the bytes': body([0xc6, 0xff, 0xff, 0xff, 0xff]),
  'nesting that would overflow the stack': body(repeated([0x91], 60_000), [1]),
  '20,000 nested maps': body(repeated([0x81, 0xa1, 0x61], 20_000), [1]),
  'nesting over limits.json.depth': body(repeated([0x91], 32), [1]),
  'more keys than limits.json.keys': body(
    pack(Object.fromEntries(Array.from({ length: 999 }, (_, i) => [i, 1]))),
  ),
  'more items than limits.json.items': body(pack(Array(1_001).fill(0))),
  'a text over limits.json.text': body(pack('x'.repeat(1_001))),
  'bytes over limits.json.text': body(pack(new Uint8Array(1_001))),
  'a __proto__': body([0x81], text('__proto__'), pack({ polluted: true })),
  'constructor.prototype': body(pack({ constructor: { prototype: { polluted: true } } })),
  infinity: body([0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]),
  NaN: body([0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]),
  'a whole number that is not exact': body([0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0]),
  'a negative whole number that is not exact': body([0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 0]),
  'a key that is a list': body([0x81, 0x90, 0x01]),
};

class Surprise {
  readonly type = 'any';
  readonly body = 1;
}
const cycle: { type: string; body?: unknown } = { type: 'any' };
cycle.body = cycle;

/** Values that a codec may return and that are no plain data. */
const values: Readonly<Record<string, unknown>> = {
  undefined,
  'a function': () => undefined,
  'a symbol': Symbol('any'),
  'a bigint': 1n,
  'an instance': new Surprise(),
  'a map': new Map([['type', 'any']]),
  'an instance inside': { type: 'any', body: new Surprise() },
  'a date inside': { type: 'any', body: new Date(0) },
  'an error inside': { type: 'any', body: [new Error('any')] },
  'a function inside': { type: 'any', body: () => undefined },
  'a bigint inside': { type: 'any', body: 1n },
  'nothing inside': { type: 'any', body: undefined },
  'NaN inside': { type: 'any', body: Number.NaN },
  'itself inside': cycle,
  'an own __proto__': { type: 'any', body: JSON.parse('{"__proto__":{"polluted":true}}') },
  'another prototype': { type: 'any', body: Object.create({ polluted: true }) },
};

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function attack(codec: Codec, sent: readonly Buffer[], policy: PolicyOverrides = {}) {
    const app = await watch(start, host, { messages, codec, limits, ...policy });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(Buffer.concat(sent.map((bytes) => frame(bytes, 0x2))));
    return { ...app, wire };
  }

  test('each kind of hostile MessagePack gets message_malformed, within a bounded amount of memory', async () => {
    const before = process.resourceUsage().maxRSS;
    const app = await attack(messagePack, [...Object.values(hostile), pack({ type: 'next' })]);
    await app.settled();
    expect([app.typed.length, app.raw.length, app.faults]).toEqual([1, 1, []]);
    await eventually(() => app.wire.frames().length >= Object.keys(hostile).length, 'all answers');
    const answers = app.wire.frames().map(({ data }) => unpack(data) as { code: string });
    const codes = Object.keys(hostile).map((what, i) => [what, answers[i]?.code]);
    expect(codes).toEqual(Object.keys(hostile).map((what) => [what, 'message_malformed']));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    // In kilobytes. Without the codec's own bounds these messages take gigabytes.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(400_000);
  });

  test('every message cut short gets message_malformed, and the whole one is handled', async () => {
    const whole = pack({ type: 'any', body: { a: [1, 'two', null, 3.5], b: new Uint8Array(3) } });
    const parts = Array.from({ length: whole.length }, (_, i) => whole.subarray(0, i));
    const app = await attack(messagePack, [...parts, whole, pack({ type: 'next' })]);
    await app.settled();
    expect(app.denied).toEqual(parts.map(() => 'parse message_malformed'));
    expect(app.typed.map(([type]) => type)).toEqual(['any', 'next']);
  });

  test('a repeated key, at the top or deep inside, gets message_malformed, and the next message is handled', async () => {
    const map = (...parts: readonly (Buffer | readonly number[])[]) =>
      Buffer.concat(parts.map((part) => Buffer.from(part)));
    const one = pack(1);
    const twice = [
      map([0x83], ...['type', 'any', 'body', 1, 'body', 2].map(pack)),
      map([0x83], ...['type', 'any', 'type', 'next', 'body', 1].map(pack)),
      body(map([0x82], text('a'), one, text('a'), one)),
      body(map([0x91, 0x82], text(''), one, text(''), one)),
      // Two spellings of one key: a shorter and a longer head, a number and its text.
      body(map([0x82], text('a'), one, [0xd9, 1, 0x61], one)),
      body(map([0x82], one, one, text('1'), one)),
    ];
    const app = await attack(messagePack, [...twice, pack({ type: 'next' })]);
    await app.settled();
    expect(app.denied).toEqual(twice.map(() => 'parse message_malformed'));
    expect(app.typed.map(([type]) => type)).toEqual(['next']);
  });

  test('a text frame for a binary codec closes the connection with 1003', async () => {
    const app = await attack(messagePack, []);
    app.wire.send(frame(pack({ type: 'next' }).toString('latin1')));
    expect(await app.wire.closeCode()).toBe(1003);
    expect([app.typed, app.raw]).toEqual([[], []]);
  });

  test('a codec that throws, or returns what is no plain data, gets message_malformed for each message', async () => {
    const thrown = [new Error('a bug, with a secret'), 'text', undefined, null];
    const queue = [...Object.values(values), { type: 'next' }];
    const codec: Codec = {
      contentType: 'application/x-odd',
      uniqueKeys: true,
      frames: 'binary',
      decode(data) {
        if ((data as Uint8Array)[0] === 0) throw thrown.pop();
        return queue.shift();
      },
      encode: (value) => JSON.stringify(value),
    };
    const sent = [...thrown.map(() => Buffer.of(0)), ...queue.map(() => Buffer.of(1))];
    const count = sent.length - 1;
    const app = await attack(codec, sent);
    await app.settled();
    const answers = (await app.wire.messages(count)).map((answer) => JSON.parse(answer).code);
    const names = [...thrown.map(String), ...Object.keys(values)];
    expect(names.map((what, i) => [what, answers[i]])).toEqual(
      names.map((what) => [what, 'message_malformed']),
    );
    expect([app.typed.length, app.faults]).toEqual([1, []]);
  });

  test.each<[string, unknown]>([
    [
      'a codec that returns an object with a throwing getter',
      Object.defineProperty({}, 'type', {
        get: () => {
          throw new Error('no');
        },
      }),
    ],
    [
      'a codec that returns a throwing proxy',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('%s closes the connection with 1011, with one fault and no handler', async (_what, value) => {
    const codec: Codec = { ...messagePack, uniqueKeys: true, decode: () => value };
    const app = await attack(codec, [Buffer.of(1)]);
    expect(await app.wire.closeCode()).toBe(1011);
    expect([app.typed, app.raw, app.faults.length]).toEqual([[], [], 1]);
  });
});
