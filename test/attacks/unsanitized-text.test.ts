// M4, M8: text is sanitized field by field as the schema says, for typed and raw listeners alike: control, bidirectional
// (CVE-2021-42574) and zero-width characters, markup, URLs with code, dangerous names. A refused text reaches no handler.
import { describe, expect, test } from '@jest/globals';
import { escapedText, identifier, safeText, Type, webUrl } from '@sallyport/core';
import { safeHtml } from '@sallyport/core/html';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { envelopes } from '../support/envelopes.ts';
import { messagePack, unpack } from '../support/message-pack.ts';
import { watch } from '../support/watched.ts';
import { frame } from '../support/wire.ts';

const line = safeText({ maxLength: 20 });
const post = Type.Object({
  line: Type.Optional(line),
  lines: Type.Optional(safeText({ lines: true })),
  escaped: Type.Optional(escapedText()),
  html: Type.Optional(safeHtml()),
  link: Type.Optional(webUrl()),
  name: Type.Optional(identifier()),
  strict: Type.Optional(safeText({ on: 'refuse' })),
  list: Type.Optional(Type.Array(Type.Object({ line }))),
  map: Type.Optional(Type.Record(Type.String(), line)),
  either: Type.Optional(Type.Union([Type.Null(), Type.Object({ line })])),
  pair: Type.Optional(Type.Tuple([Type.Number(), line])),
  both: Type.Optional(Type.Intersect([Type.Object({ line }), Type.Object({ name: identifier() })])),
  user: Type.Optional(Type.Refine(line, (text) => text !== 'admin')),
  plain: Type.Optional(Type.Intersect([line, Type.String({ pattern: '^[^;]*$' })])),
  tags: Type.Optional(Type.Array(line, { uniqueItems: true })),
  word: Type.Optional({ ...line, pattern: '^[a-z]+$', maxLength: 5 } as typeof line),
});
// Markup would count as ten messages, and these are many.
const messages = { post: { schema: post, cost: 1 }, next: Type.Object({}) } as never;

const BIDI = '\u202eadmin\u202c';
const TAGS = '\u{e0069}\u{e0067}\u{e006e}';

/** Bodies as they are sent, and as every handler gets them. */
const cleaned: readonly (readonly [what: string, sent: object, got: object])[] = [
  ['control characters', { line: 'a\u0000b\u001b[31mc\u007f\u0085' }, { line: 'ab[31mc' }],
  ['line breaks', { line: 'a\r\nb\u2028c' }, { line: 'abc' }],
  ['line breaks, with lines: true', { lines: 'a\r\nb\u2028c\td' }, { lines: 'a\nb\nc\td' }],
  ['bidirectional controls', { line: `user ${BIDI}` }, { line: 'user admin' }],
  ['zero-width characters', { line: 'ad\u200bm\ufeffi\u2060n' }, { line: 'admin' }],
  ['tags that smuggle text', { line: `hi${TAGS}` }, { line: 'hi' }],
  ['a lone surrogate', { line: 'a\ud800b' }, { line: 'ab' }],
  ['two ways to write one letter', { line: 'e\u0301' }, { line: '\u00e9' }],
  ['a text that cleaning makes short enough', { line: `${'\u200b'.repeat(500)}hi` }, { line: 'hi' }],
  [
    'markup, escaped',
    { escaped: '<img src=x onerror="a()">' },
    { escaped: '&lt;img src=x onerror=&quot;a()&quot;&gt;' },
  ],
  ['a script', { html: '<b>hi</b><script>alert(1)</script>' }, { html: '<b>hi</b>' }],
  ['an onclick attribute', { html: '<b onclick="alert(1)">hi</b>' }, { html: '<b>hi</b>' }],
  ['a javascript: link', { html: '<a href="javascript:alert(1)">hi</a>' }, { html: '<a>hi</a>' }],
  ['a URL, in canonical form', { link: 'HTTPS://Example.com/a/../b' }, { link: 'https://example.com/b' }],
  ['in a list', { list: [{ line: 'a' }, { line: 'b\u200b' }] }, { list: [{ line: 'a' }, { line: 'b' }] }],
  ['in a record', { map: { x: 'a\u200b' } }, { map: { x: 'a' } }],
  ['in a union', { either: { line: 'a\u200b' } }, { either: { line: 'a' } }],
  ['in a tuple', { pair: [1, 'a\u200b'] }, { pair: [1, 'a'] }],
  ['a text that a refinement allows', { user: 'ad\u200bmiral' }, { user: 'admiral' }],
  ['a text that a keyword beside the sanitizer allows', { word: 'abc\u200bde' }, { word: 'abcde' }],
  ['in an intersection', { both: { line: 'a\u200b', name: 'b' } }, { both: { line: 'a', name: 'b' } }],
];

/** Bodies that are refused, and the pointer of the denial. */
const refused: readonly (readonly [sent: object, pointer: string])[] = [
  [{ line: 'x'.repeat(21) }, '/line'],
  [{ strict: 'a\u202eb' }, '/strict'],
  [{ name: '../etc/passwd' }, '/name'],
  [{ name: "x'; DROP TABLE messages; --" }, '/name'],
  [{ name: '__proto__' }, '/name'],
  [{ name: 'a\u0000' }, '/name'],
  [{ link: 'javascript:alert(1)' }, '/link'],
  [{ link: 'java\nscript:alert(1)' }, '/link'],
  [{ link: 'https://good.example@evil.example/' }, '/link'],
  [{ line: 'fine', link: 'data:text/html,x' }, '/link'],
  [{ html: '<b>'.repeat(100) }, '/html'],
  [{ list: [{ line: 'a' }, { line: 'x'.repeat(21) }] }, '/list/1/line'],
  [{ map: { x: 'x'.repeat(21) } }, '/map/x'],
  [{ both: { line: 'a', name: '..' } }, '/both/name'],
  // What cleaning makes of them is what the schema forbids.
  [{ user: 'admin\u200b' }, '/user'],
  [{ user: 'ad\u2060min' }, '/user'],
  [{ plain: 'a\u037e drop' }, '/plain'],
  [{ tags: ['a', 'a\u200b'] }, '/tags'],
  [{ word: 'a b\u200b' }, '/word'],
  [{ word: 'abcdef' }, '/word'],
];

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function attack(sent: readonly Buffer[], policy: PolicyOverrides = {}) {
    const app = await watch(start, host, { messages, ...policy, limits: { violations: 1_000 } });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(Buffer.concat(sent));
    await app.settled();
    return { ...app, wire };
  }

  describe.each(envelopes)('$name', (envelope) => {
    const write = (type: string, body: object, id?: unknown): Buffer =>
      frame(JSON.stringify(envelope.write(type, body, id)));

    test('typed handlers and listeners of the bare library get the cleaned texts', async () => {
      const sent = cleaned.map(([, body]) => write('post', body));
      const app = await attack([...sent, write('next', {})], { envelope: envelope.name });
      const expected = cleaned.map(([what, , body]) => [what, body]);
      const names = [...cleaned.map(([what]) => what), 'next'];
      const typed = app.typed.map(([, body], i) => [names[i], withoutType(body as object)]);
      expect(typed.slice(0, -1)).toEqual(expected);
      expect(app.raw.map((text, i) => [names[i], JSON.parse(String(text))])).toEqual([
        ...cleaned.map(([what, , body]) => [what, envelope.write('post', body)]),
        ['next', envelope.write('next', {})],
      ]);
      expect([app.denied, app.faults]).toEqual([[], []]);
    });

    test('refused texts reach no handler, and the error reply holds only their place', async () => {
      const sent = refused.map(([body], id) => write('post', body, id));
      const app = await attack([...sent, write('next', {})], { envelope: envelope.name });
      expect([app.typed.length, app.raw, app.faults]).toEqual([
        1,
        [JSON.stringify(envelope.write('next', {}))],
        [],
      ]);
      expect(app.denied).toEqual(refused.map(([, pointer]) => `sanitize message_invalid ${pointer}`));
      expect((await app.wire.messages(refused.length)).map(envelope.errorOf)).toEqual(
        refused.map(([, path], id) => ({ code: 'message_invalid', path, ...(envelope.hasIds && { id }) })),
      );
    });
  });

  test('with another codec, texts are cleaned and refused in the same way', async () => {
    const pack = (value: object): Buffer => frame(Buffer.from(messagePack.encode(value) as Uint8Array), 0x2);
    const sent = [
      ...cleaned
        .filter(([what]) => what !== 'a lone surrogate')
        .map(([, body]) => ({ type: 'post', ...body })),
      ...refused.map(([body]) => ({ type: 'post', ...body })),
      { type: 'next' },
    ];
    const app = await attack(sent.map(pack), { codec: messagePack });
    const expected = [
      ...cleaned
        .filter(([what]) => what !== 'a lone surrogate')
        .map(([, , body]) => ({ type: 'post', ...body })),
      { type: 'next' },
    ];
    expect(app.typed.map(([, body]) => body)).toEqual(expected);
    expect(app.raw.map((bytes) => unpack(bytes as Buffer))).toEqual(expected);
    expect(app.denied).toHaveLength(refused.length);
  });

  test('texts and keys with JSON escapes are cleaned, also where unknown properties are stripped', async () => {
    const app = await attack(
      [
        frame('{"type":"post","line":"a\\u202eb","admin":true}'),
        frame('{"type":"post","l\\u0069ne":"a\\u200bb"}'),
        frame('{"type":"next"}'),
      ],
      { unknownProperties: 'strip' },
    );
    const clean = { type: 'post', line: 'ab' };
    expect(app.typed.map(([, body]) => body)).toEqual([clean, clean, { type: 'next' }]);
    expect(app.raw.map((text) => JSON.parse(text as string))).toEqual([clean, clean, { type: 'next' }]);
  });

  test('a message that needs no cleaning reaches the bare library byte for byte', async () => {
    const text = '{"type":"post", "line" : "\\u0061 \u{1f469}\u200d\u{1f4bb}"}';
    const app = await attack([frame(text), frame('{"type":"next"}')]);
    expect(app.raw).toEqual([text, '{"type":"next"}']);
  });
});

/** A flat message has its type among its properties. */
function withoutType(body: object): object {
  const { type: _type, ...rest } = body as { type?: string };
  return rest;
}
