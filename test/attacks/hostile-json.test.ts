// M3: __proto__ and constructor.prototype, deep nesting, too many keys or items, repeated keys, numbers that are not exact,
// bad UTF-8, null, arrays and binary frames get an error reply or a close. Nothing is thrown, and no handler runs (Storybook
// CVE-2026-27148; RFC 8259 §4; RFC 7493 §2).
import { afterEach, describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { envelopes } from '../support/envelopes.ts';
import { fragments } from '../support/fragments.ts';
import { watch } from '../support/watched.ts';
import { frame } from '../support/wire.ts';

const policy: PolicyOverrides = {
  messages: {
    // The schema allows anything, so that only the parser can refuse.
    any: Type.Object({ body: Type.Any() }, { additionalProperties: true }),
    // The schema fixes the number of keys, so that the parser takes its fast path.
    say: Type.Object({ text: Type.String() }),
    next: Type.Object({}),
  } as never,
  limits: {
    violations: 1_000,
    messages: { rate: '1000/s', burst: 1_000 },
    bytes: { rate: '1MiB/s', burst: '4MiB' },
    json: { text: 1_000 },
  },
};

const lists = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const keys = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1])));
const items = (count: number): string => `[${Array(count).fill(0).join()}]`;
const evil = '{"polluted":true}';

/** Bodies as JSON. */
const hostile: Readonly<Record<string, string>> = {
  'a __proto__': `{"__proto__":${evil}}`,
  'a nested __proto__': `[{"a":{"__proto__":${evil}}}]`,
  'an escaped __proto__': `{"\\u005f_proto__":${evil}}`,
  'a __proto__ that is null': '{"__proto__":null}',
  'constructor.prototype': `{"constructor":{"prototype":${evil}}}`,
  'nesting over limits.json.depth': lists(32),
  'objects nested over limits.json.depth': objects(32),
  'nesting that would overflow the stack': lists(20_000),
  'nesting that would overflow the stack, never closed': '['.repeat(60_000),
  'more keys than limits.json.keys': keys(1_000),
  'more keys than limits.json.keys in two objects together': `[${keys(600)},${keys(600)}]`,
  'more items than limits.json.items': items(1_001),
  'a text over limits.json.text': `"${'x'.repeat(1_001)}"`,
  'a repeated key': '{"a":1,"a":2}',
  'a repeated key, escaped once': '{"a":1,"\\u0061":2}',
  'a repeated key with blanks behind it': '{"a" :1,"a"\t:2}',
  'a repeated key in a nested object': '[{"b":{"a":1,"a":1}}]',
  'a repeated key behind texts that look like keys': '{"b":"\\":","a":":","a":1}',
  infinity: '1e999',
  'minus infinity': '[-1e999]',
  'a whole number that is not exact': '9007199254740992',
  'a negative whole number that is not exact': '{"a":-9007199254740992}',
  'a number of 309 digits': '1e308',
  NaN: 'NaN',
  'half a message': '{"a":',
  'a comment': '1 /* one */',
  'a text with a line break': '"a\nb"',
};

/** Whole texts that are no message in any envelope. */
const broken: Readonly<Record<string, string>> = {
  null: 'null',
  'an array': '[{"type":"any","body":1}]',
  'a string': '"any"',
  'a number': '1',
  nothing: '',
  blanks: ' \n ',
  'two messages': '{"type":"any","body":1}{"type":"any","body":2}',
  'a byte order mark': '\ufeff{"type":"any","body":1}',
  'a message with a NUL behind it': '{"type":"any","body":1}\u0000',
};

const harmless: Readonly<Record<string, string>> = {
  'nesting of limits.json.depth': lists(29),
  'nearly limits.json.keys keys': keys(900),
  'limits.json.items items': items(1_000),
  'a text of limits.json.text': `"${'x'.repeat(1_000)}"`,
  'the largest exact numbers': '[9007199254740991,-9007199254740991]',
  'small numbers': '[0.1,-1e-300,5e-324]',
  'keys named like built-ins': '{"constructor":"Ford","prototype":1,"proto":2,"toString":3}',
  'a lone surrogate': '"\\ud800"',
  'the same key in two objects': '[{"a":1},{"a":{"a":1}}]',
  'texts that look like keys': '{"a":"\\"a\\":1","b":"a\\\\"}',
};

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();
  afterEach(() => expect(({} as { polluted?: unknown }).polluted).toBeUndefined());

  async function chat(envelope: (typeof envelopes)[number] = envelopes[0] as never) {
    const app = await watch(start, host, { ...policy, envelope: envelope.name });
    const next = frame(JSON.stringify(envelope.write('next', {})));
    return { ...app, next, wire: await open(app, { headers: await goodHeaders() }) };
  }

  describe.each(envelopes)('$name', (envelope) => {
    /** A message as text around this body, which need not be JSON. */
    const around = (body: string, type = 'any'): string =>
      JSON.stringify(envelope.write(type, { body: 0, more: '?' })).replace('0,"more":"?"', () => body);

    test('each kind of hostile JSON gets message_malformed and reaches no handler', async () => {
      const { wire, next, settled, typed, raw, faults } = await chat(envelope);
      const sent = {
        ...Object.fromEntries(Object.entries(hostile).map(([what, b]) => [what, around(b)])),
        ...broken,
      };
      wire.send(Buffer.concat([...Object.values(sent).map((text) => frame(text)), next]));
      await settled();
      const answers = (await wire.messages(Object.keys(sent).length)).map(envelope.errorOf);
      expect(Object.keys(sent).map((what, i) => [what, answers[i]?.code])).toEqual(
        Object.keys(sent).map((what) => [what, 'message_malformed']),
      );
      expect([typed.length, raw.length, faults]).toEqual([1, 1, []]);
    });

    test('bodies right at the limits reach the handler unchanged', async () => {
      const { wire, next, settled, typed, denied } = await chat(envelope);
      const bodies = Object.values(harmless);
      wire.send(Buffer.concat([...bodies.map((body) => frame(around(body))), next]));
      await settled();
      expect(denied).toEqual([]);
      expect(typed.slice(0, -1).map(([, body]) => (body as { body: unknown }).body)).toEqual(
        bodies.map((body) => JSON.parse(body)),
      );
    });

    test('repeated keys, __proto__ and long texts are refused also where the schema fixes the number of keys', async () => {
      const { wire, next, settled, typed, denied } = await chat(envelope);
      const said = (more: string): string =>
        JSON.stringify(envelope.write('say', { text: '?' })).replace('"text":"?"', () => more);
      const [first] = Object.keys(envelope.write('say', {}));
      const right = said('"text":"hi"');
      const sent = [
        said('"text":"hi","text":"ho"'),
        said('"text":"a:b","tex\\u0074":"ho"'),
        said(`"text":"hi","__proto__":${evil}`),
        said(`"__proto__":${evil}`),
        said(`"text":"${'x'.repeat(1_001)}"`),
        `{"${first}":"none",${right.slice(1)}`,
        `${right.slice(0, -1)},"${first}":"none"}`,
      ];
      wire.send(Buffer.concat([...sent.map((text) => frame(text)), next]));
      await settled();
      expect(denied).toEqual(sent.map(() => 'parse message_malformed'));
      expect(typed).toHaveLength(1);
    });
  });

  test.each([
    ['bad UTF-8', frame(Buffer.from([0x22, 0xc3, 0x28, 0x22])), 1007],
    ['a surrogate in UTF-8', frame(Buffer.from([0xed, 0xa0, 0x80])), 1007],
    ['an overlong character', frame(Buffer.from([0x22, 0xc0, 0xa2, 0x22])), 1007],
    ['half a character', frame(Buffer.from([0x22, 0xe2, 0x82])), 1007],
    [
      'bad UTF-8 over two frames',
      Buffer.concat(fragments([Buffer.from([0x22, 0xc3]), Buffer.from([0x28, 0x22])])),
      1007,
    ],
    ['a binary frame', frame('{"type":"any","body":1}', 0x2), 1003],
    ['an empty binary frame', frame('', 0x2), 1003],
  ])('%s closes the connection and reaches no handler', async (_what, sent, code) => {
    const { wire, next, typed, raw, faults } = await chat();
    wire.send(Buffer.concat([sent, next]));
    expect(await wire.closeCode()).toBe(code);
    expect([typed, raw, faults]).toEqual([[], [], []]);
  });

  test('a UTF-8 character split over two fragments reaches the handler whole', async () => {
    const { wire, settled, typed } = await chat();
    const bytes = Buffer.from('{"type":"say","text":"\u20ac"}');
    const middle = bytes.indexOf(0xe2) + 1;
    wire.send(Buffer.concat(fragments([bytes.subarray(0, middle), bytes.subarray(middle)])));
    await settled('say');
    expect(typed).toEqual([['say', { type: 'say', text: '\u20ac' }]]);
  });
});
