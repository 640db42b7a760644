import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import fc from 'fast-check';
import { compileBodyCheck } from '../../src/message/compile.ts';
import { Writer, type WriterOptions } from '../../src/outbound/writer.ts';
import { reasons } from '../../src/vocabulary/reasons.ts';
import type { Codec } from '../../src/wire/codec.ts';
import { type EnvelopeName, envelopes } from '../../src/wire/envelopes.ts';
import { Incoming, UNADDRESSED, UNREAD } from '../../src/wire/incoming.ts';
import { settle } from '../support/late-auth.ts';

const SAID = Type.Object({ text: Type.String() });

interface Options extends Partial<Omit<WriterOptions, 'envelope' | 'replies'>> {
  readonly envelope?: EnvelopeName;
  /** `null` where the policy has none. */
  readonly replies?: Readonly<Record<string, unknown>> | null;
}

function make({ envelope: name = 'flat', replies = { said: SAID }, ...more }: Options = {}): Writer {
  const envelope = envelopes[name];
  const type = (reply: string) => (envelope.mergesType ? reply : undefined);
  return new Writer({
    codec: undefined,
    source: replies,
    check: true,
    ...more,
    envelope,
    replies:
      replies === null
        ? undefined
        : new Map(
            Object.entries(replies).map(([reply, schema]) => [
              reply,
              compileBodyCheck(schema, type(reply), reply),
            ]),
          ),
  });
}
const NAMES: EnvelopeName[] = ['flat', 'nested', 'json-rpc'];
const written = (payload: unknown): unknown => JSON.parse(String(payload));

describe.each(NAMES)('%s: a message', (envelope) => {
  const writer = make({ envelope });
  const expected = {
    flat: { type: 'said', text: 'hi' },
    nested: { type: 'said', data: { text: 'hi' } },
    'json-rpc': { jsonrpc: '2.0', method: 'said', params: { text: 'hi' } },
  }[envelope];

  test('a message is written in its envelope', () => {
    expect(written(writer.message('said', { text: 'hi' }))).toEqual(expected);
    expect(written(writer.answer(undefined, 'said', { text: 'hi' }))).toEqual(expected);
  });

  test.each<[string, unknown, RegExp]>([
    ['sayd', { text: 'hi' }, /no reply 'sayd'/],
    ['toString', { text: 'hi' }, /no reply 'toString'/],
    ['said', { text: 7 }, /'said' does not match its schema at '\/text'/],
    ['said', { text: 'hi', password: 'hunter2' }, /does not match its schema at ''/],
    ['said', {}, /does not match its schema at ''/],
    ['said', undefined, /does not match its schema/],
    ['said', null, /does not match its schema/],
    ['said', 'text', /does not match its schema/],
    ['said', ['text'], /does not match its schema/],
  ])('the reply %s %j throws a TypeError', (type, body, message) => {
    for (const write of [
      () => writer.message(type, body),
      () => writer.answer(undefined, type, body),
      () => writer.answer(7, type, body),
    ]) {
      expect(write).toThrow(TypeError);
      expect(write).toThrow(message);
      expect(write).not.toThrow(/hunter2/);
    }
  });

  test('with checks off, a reply must still have a type of the policy', () => {
    const trusting = make({ envelope, check: false });
    expect(JSON.stringify(written(trusting.message('said', { text: 7 })))).toContain('7');
    expect(JSON.stringify(written(trusting.answer(undefined, 'said', { text: 7 })))).toContain('7');
    expect(() => trusting.message('sayd', {})).toThrow(/no reply 'sayd'/);
    expect(() => trusting.answer(7, 'sayd', {})).toThrow(/no reply 'sayd'/);
  });

  test('without replies in the policy anything may be sent', () => {
    const free = make({ envelope, replies: null });
    expect(JSON.stringify(written(free.message('whatever', { a: 1 })))).toContain('"a":1');
  });

  test('a message of the guard itself needs no reply in the policy', () => {
    expect(JSON.stringify(written(writer.notice('auth_expiring', { expiresAt: 7 })))).toContain(
      '"expiresAt":7',
    );
    expect(written(writer.noticeTo(undefined, 'auth_ok', {}))).toEqual(
      envelope === 'json-rpc'
        ? { jsonrpc: '2.0', method: 'auth_ok', params: {} }
        : envelope === 'nested'
          ? { type: 'auth_ok', data: {} }
          : { type: 'auth_ok' },
    );
  });

  test('a denial is written with its code and public text', () => {
    const told = JSON.stringify(written(writer.error('message_invalid', '/a', 7)));
    for (const part of ['"message_invalid"', '"/a"', reasons.message_invalid.text])
      expect(told).toContain(part);
    expect(JSON.stringify(written(writer.error('message_invalid', undefined, 7)))).not.toContain('path');
  });
});

describe('the short way to the text of a flat message', () => {
  const free = make({ replies: null });
  const anything = Type.Object({}, { additionalProperties: true });
  const checked = make({ replies: { said: anything } });

  test('property: the fast path for flat messages writes the same text', () => {
    const body = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(fc.string(), body, (type, value) => {
        const long = JSON.stringify({ ...value, type });
        expect(JSON.parse(String(free.message(type, value)))).toEqual(JSON.parse(long));
        expect(JSON.parse(String(checked.message('said', value)))).toEqual({
          ...JSON.parse(long),
          type: 'said',
        });
      }),
    );
  });

  class Point {
    x = 1;
    get y(): number {
      return 2;
    }
  }
  test.each<[string, object, object]>([
    ['an empty body', {}, { type: 'said' }],
    ['what has no JSON', { a: undefined, b: () => 1, c: Symbol('c') }, { type: 'said' }],
    ['a type of its own', { type: 'forged', a: 1 }, { type: 'said', a: 1 }],
    ['an instance', new Point(), { type: 'said', x: 1 }],
    ['no prototype', Object.assign(Object.create(null), { a: 1 }), { type: 'said', a: 1 }],
    ['dates within', { at: new Date(0) }, { type: 'said', at: '1970-01-01T00:00:00.000Z' }],
    ['quotes and braces', { a: '"}', b: '{' }, { type: 'said', a: '"}', b: '{' }],
  ])('a flat message with %s is written with its type once', (_what, body, expected) => {
    for (const writer of [free, checked]) {
      expect(written(writer.message('said', body))).toEqual(expected);
      expect(written(writer.answer(undefined, 'said', body))).toEqual(expected);
      expect(String(writer.message('said', body)).match(/"type"/g)).toHaveLength(1);
    }
  });

  test('a schema that counts properties does not count the type', () => {
    const two = make({ replies: { said: Type.Object({ text: Type.String() }, { minProperties: 2 }) } });
    const one = make({ replies: { said: Type.Object({ text: Type.String() }, { maxProperties: 1 }) } });
    for (const body of [{ text: 'a' }, Object.assign(Object.create(null), { text: 'a' })]) {
      expect(() => two.message('said', body)).toThrow(/does not match/);
      expect(written(one.message('said', body))).toEqual({ type: 'said', text: 'a' });
    }
  });
});

test('a request without an id gets no answer', () => {
  const writer = make({ envelope: 'json-rpc' });
  expect(writer.error('message_invalid', '/a', undefined)).toBeUndefined();
  expect(writer.answer(undefined, undefined, { text: 'hi' })).toBeUndefined();
  for (const to of [UNREAD, UNADDRESSED] as const)
    expect(written(writer.error('message_malformed', undefined, to))).toMatchObject({ id: null });
  expect(make({ envelope: 'nested' }).answer(7, undefined, {})).toBeUndefined();
});

test('an answer without a type is sent without a check', () => {
  expect(written(make({ envelope: 'json-rpc' }).answer(7, undefined, { any: 'thing' }))).toMatchObject({
    result: { any: 'thing' },
  });
});

describe('a codec', () => {
  const codec: Codec = {
    contentType: 'application/test',
    frames: 'binary',
    decode: () => ({}),
    encode: (value) => Buffer.from(`!${JSON.stringify(value)}`),
  };
  test('a codec writes every message', () => {
    const writer = make({ codec });
    const incoming = new Incoming('say', { type: 'say', text: 'a' }, {}, undefined, 0);
    for (const payload of [
      writer.message('said', { text: 'hi' }),
      writer.answer(undefined, 'said', { text: 'hi' }),
      writer.notice('auth_expiring', {}),
      writer.noticeTo(7, 'auth_ok', {}),
      writer.error('internal', undefined, undefined),
      writer.rewrite(incoming),
    ]) {
      expect(payload).toBeInstanceOf(Uint8Array);
      expect(String(payload)).toMatch(/^!\{/);
    }
  });

  test('an error of the codec reaches the caller', () => {
    const writer = make({
      codec: {
        ...codec,
        encode: () => {
          throw new Error('no word for it');
        },
      },
    });
    expect(() => writer.message('said', { text: 'hi' })).toThrow('no word for it');
  });
});

describe('a reply of another library’s schema', () => {
  const standard = (validate: (value: unknown) => unknown) => ({
    '~standard': { version: 1, vendor: 'zod', validate },
  });
  test("a reply's schema of another library sees the body without the type", () => {
    const seen: unknown[] = [];
    const schema = standard((value) => {
      seen.push(value);
      return { value: 'something else' };
    });
    const writer = make({ replies: { said: schema } });
    // At construction it was tried whether the schema describes the type itself.
    seen.length = 0;
    expect(written(writer.message('said', { text: 'hi' }))).toEqual({ type: 'said', text: 'hi' });
    expect(seen).toEqual([{ text: 'hi' }]);
  });

  test('a reply that does not match a schema of another library names the place', () => {
    const schema = standard(() => ({ issues: [{ path: ['a', { key: 'b/c' }] }] }));
    expect(() => make({ replies: { said: schema } }).message('said', {})).toThrow("at '/a/b~1c'");
  });

  test('an asynchronous reply schema throws and leaves no unhandled rejection', async () => {
    const unheard: unknown[] = [];
    const listen = (error: unknown): void => void unheard.push(error);
    process.on('unhandledRejection', listen);
    for (const answer of [async (value: unknown) => ({ value }), () => Promise.reject(new Error('down'))]) {
      const writer = make({ replies: { said: standard(answer) } });
      expect(() => writer.message('said', {})).toThrow(/cannot be asynchronous/);
    }
    await settle();
    process.off('unhandledRejection', listen);
    expect(unheard).toEqual([]);
  });
});

describe('two writers write the same', () => {
  const replies = { said: SAID };
  const codec = {
    contentType: 'a',
    frames: 'text',
    uniqueKeys: true,
    decode: () => 1,
    encode: () => '',
  } as const;
  test.each<[string, Options, Options, boolean]>([
    ['of one policy', { replies }, { replies }, true],
    ['checked or not', { replies }, { replies, check: false }, true],
    ['without replies', { replies: null }, { replies: null }, true],
    ['with other replies', { replies }, { replies: { said: SAID } }, false],
    ['with another envelope', { replies }, { replies, envelope: 'nested' }, false],
    ['with a codec', { replies }, { replies, codec }, false],
    ['with the same codec', { replies, codec }, { replies, codec }, true],
    ['with another codec', { replies, codec }, { replies, codec: { ...codec } }, false],
  ])('two writers %s write alike or not, case %#', (_, one, other, expected) => {
    expect([make(one).writesLike(make(other)), make(other).writesLike(make(one))]).toEqual([
      expected,
      expected,
    ]);
  });
});
