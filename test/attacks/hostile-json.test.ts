// M3: __proto__ and constructor.prototype, deep nesting, too many keys or items, keys that come twice, numbers that mean
// something else elsewhere, bad UTF-8, null, arrays, binary: an error reply or a close, never a throw and never a handler
// (Storybook CVE-2026-27148; RFC 8259 §4; RFC 7493 §2).
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
    // Its schema takes anything, so that only the parser stands before the handler.
    any: Type.Object({ body: Type.Any() }, { additionalProperties: true }),
    // Its schema says how many keys there are, so that the parser need not look at it again.
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
  'the same of objects': objects(32),
  'nesting that would end the stack': lists(20_000),
  'nesting that would end the stack, never closed': '['.repeat(60_000),
  'more keys than limits.json.keys': keys(1_000),
  'more keys in all': `[${keys(600)},${keys(600)}]`,
  'more items than limits.json.items': items(1_001),
  'a text over limits.json.text': `"${'x'.repeat(1_001)}"`,
  'a key that comes twice': '{"a":1,"a":2}',
  'the same, escaped': '{"a":1,"\\u0061":2}',
  'the same, with blanks': '{"a" :1,"a"\t:2}',
  'the same, deep inside': '[{"b":{"a":1,"a":1}}]',
  'the same, behind texts that look like keys': '{"b":"\\":","a":":","a":1}',
  infinity: '1e999',
  'minus infinity': '[-1e999]',
  'a whole number that is not exact': '9007199254740992',
  'a negative one': '{"a":-9007199254740992}',
  'a number beyond all others': '1e308',
  'no number': 'NaN',
  'half a message': '{"a":',
  'a comment': '1 /* one */',
  'a text with a line break': '"a\nb"',
};

/** Whole messages that are no message in any envelope. */
const broken: Readonly<Record<string, string>> = {
  null: 'null',
  'an array': '[{"type":"any","body":1}]',
  'a string': '"any"',
  'a number': '1',
  nothing: '',
  blanks: ' \n ',
  'two messages': '{"type":"any","body":1}{"type":"any","body":2}',
  'a byte order mark': '\ufeff{"type":"any","body":1}',
  'a nul behind it': '{"type":"any","body":1}\u0000',
};

const harmless: Readonly<Record<string, string>> = {
  'as deep as may be': lists(29),
  'as many keys as may be': keys(900),
  'as many items as may be': items(1_000),
  'as long a text as may be': `"${'x'.repeat(1_000)}"`,
  'the largest exact numbers': '[9007199254740991,-9007199254740991]',
  'small numbers': '[0.1,-1e-300,5e-324]',
  'keys that sound bad': '{"constructor":"Ford","prototype":1,"proto":2,"toString":3}',
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
    /** The message around a body that is JSON, or is not. */
    const around = (body: string, type = 'any'): string =>
      JSON.stringify(envelope.write(type, { body: 0, more: '?' })).replace('0,"more":"?"', () => body);

    test('hostile JSON', async () => {
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

    test('what is within the bounds is handed on', async () => {
      const { wire, next, settled, typed, denied } = await chat(envelope);
      const bodies = Object.values(harmless);
      wire.send(Buffer.concat([...bodies.map((body) => frame(around(body))), next]));
      await settled();
      expect(denied).toEqual([]);
      expect(typed.slice(0, -1).map(([, body]) => (body as { body: unknown }).body)).toEqual(
        bodies.map((body) => JSON.parse(body)),
      );
    });

    test('a schema that says how many keys there are is no way around', async () => {
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
    ['binary', frame('{"type":"any","body":1}', 0x2), 1003],
    ['nothing, as binary', frame('', 0x2), 1003],
  ])('%s closes', async (_what, sent, code) => {
    const { wire, next, typed, raw, faults } = await chat();
    wire.send(Buffer.concat([sent, next]));
    expect(await wire.closeCode()).toBe(code);
    expect([typed, raw, faults]).toEqual([[], [], []]);
  });

  test('a character may begin in one frame and end in another', async () => {
    const { wire, settled, typed } = await chat();
    const bytes = Buffer.from('{"type":"say","text":"\u20ac"}');
    const middle = bytes.indexOf(0xe2) + 1;
    wire.send(Buffer.concat(fragments([bytes.subarray(0, middle), bytes.subarray(middle)])));
    await settled('say');
    expect(typed).toEqual([['say', { type: 'say', text: '\u20ac' }]]);
  });
});
