import { describe, expect, test } from '@jest/globals';
import { passthrough, Type } from '@sallyport/core';
import type { Denial } from '@sallyport/core/host';
import { checkFrame, inspectMessage } from '../../src/message/pipeline.ts';
import type { MessageRules } from '../../src/message/rules.ts';
import { sanitizedText } from '../../src/sanitize/sanitizer.ts';
import type { Codec } from '../../src/wire/codec.ts';
import { UNADDRESSED, UNREAD } from '../../src/wire/incoming.ts';
import type { Inspection } from '../../src/wire/inspection.ts';
import { SAY } from '../support/guards.ts';
import { rulesOf, TestSender } from '../support/message-room.ts';
import { openConnection } from '../support/open-connection.ts';

const look = (rules: MessageRules, data: string | Uint8Array, isBinary = false) =>
  inspectMessage(data, isBinary, new TestSender(), rules) as Inspection;

/** What became of a message: the reason, the stage, and whom it is told. */
function outcome(inspection: Inspection): unknown {
  if ('incoming' in inspection) return 'passed';
  if ('renewal' in inspection) return 'renewal';
  if ('fault' in inspection) return ['fault', inspection.to];
  return [inspection.denial.reason, inspection.denial.stage, inspection.to];
}

const MALFORMED = 'message_malformed';
const BOUNDS = { depth: 3, keys: 6, items: 3, text: 60 };

describe('answers to unreadable messages, by envelope', () => {
  const cases: ['flat' | 'nested' | 'json-rpc', string, unknown][] = [
    ['flat', '{', [MALFORMED, 'parse', UNREAD]],
    ['flat', '[]', [MALFORMED, 'parse', UNADDRESSED]],
    ['flat', '{"type":"say","text":[[[]]]}', [MALFORMED, 'parse', UNADDRESSED]],
    ['flat', '{"type":"shout","__proto__":{}}', [MALFORMED, 'parse', UNADDRESSED]],
    ['flat', '{"type":"shout"}', ['message_type_unknown', 'schema', undefined]],
    ['flat', '{"type":["say"],"text":"a"}', ['message_type_unknown', 'schema', undefined]],
    ['flat', '{"type":"say","type":"say","text":"a"}', [MALFORMED, 'parse', UNADDRESSED]],
    ['flat', '{"type":"say","text":7}', ['message_invalid', 'schema', undefined]],
    ['nested', '{', [MALFORMED, 'parse', UNREAD]],
    ['nested', '{"type":"say","data":{"text":"a"},"id":null}', [MALFORMED, 'parse', UNADDRESSED]],
    ['nested', '{"type":"say","data":{"text":"a"},"id":7,"id":7}', [MALFORMED, 'parse', UNADDRESSED]],
    ['nested', '{"type":"say","data":{"text":[[]]},"id":7}', [MALFORMED, 'parse', UNADDRESSED]],
    ['nested', '{"type":"shout","id":7}', ['message_type_unknown', 'schema', 7]],
    ['nested', '{"type":"say","data":{"text":7},"id":"a"}', ['message_invalid', 'schema', 'a']],
    ['nested', '{"type":"say","id":7}', ['message_invalid', 'schema', 7]],
    ['json-rpc', '{', [MALFORMED, 'parse', UNREAD]],
    ['json-rpc', '[{"jsonrpc":"2.0","method":"say","id":1}]', [MALFORMED, 'parse', UNADDRESSED]],
    ['json-rpc', '{"jsonrpc":"2.0","method":"shout"}', ['message_type_unknown', 'schema', undefined]],
    ['json-rpc', '{"jsonrpc":"2.0","method":"shout","id":7}', ['message_type_unknown', 'schema', 7]],
    ['json-rpc', '{"jsonrpc":"2.0","method":"say","params":["a"],"id":7}', ['message_invalid', 'schema', 7]],
    ['json-rpc', '{"jsonrpc":"2.0","method":"say","params":{"text":"a"},"id":7}', 'passed'],
    ['nested', '{"type":"say","data":{"text":"a"},"id":7}', 'passed'],
    ['flat', '{"type":"say","text":"a"}', 'passed'],
  ];
  test.each(cases)(
    'in envelope %s, message %s passes or is denied to its sender',
    (envelope, text, expected) => {
      const rules = rulesOf({ say: SAY }, { envelope, bounds: { ...BOUNDS, text: 100 } });
      expect(outcome(look(rules, text))).toEqual(expected);
      // The same message as bytes.
      expect(outcome(look(rules, Buffer.from(text)))).toEqual(expected);
    },
  );

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'a message of the type %s is denied with message_type_unknown',
    (type) => {
      for (const [envelope, text] of [
        ['flat', JSON.stringify({ type })],
        ['nested', JSON.stringify({ type })],
        ['json-rpc', JSON.stringify({ jsonrpc: '2.0', method: type, id: 1 })],
      ] as const) {
        expect(outcome(look(rulesOf({ say: SAY }, { envelope }), text))).toContain('message_type_unknown');
      }
    },
  );

  test('the bounds of a body are the same inside its envelope and without one', () => {
    const any = Type.Object({ a: Type.Any() });
    const depths = { flat: [2, 3], nested: [1, 2], 'json-rpc': [1, 2] } as const;
    for (const envelope of ['flat', 'nested', 'json-rpc'] as const) {
      const rules = rulesOf({ say: any }, { envelope, bounds: BOUNDS });
      const [taken, refused] = depths[envelope].map((depth) => {
        const a = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
        if (envelope === 'flat') return `{"type":"say",${a.slice(1)}`;
        return envelope === 'nested'
          ? `{"type":"say","data":${a}}`
          : `{"jsonrpc":"2.0","method":"say","params":${a}}`;
      }) as [string, string];
      expect([outcome(look(rules, taken)), outcome(look(rules, refused))]).toEqual([
        'passed',
        [MALFORMED, 'parse', UNADDRESSED],
      ]);
    }
  });
});

describe('kinds of frame', () => {
  const codec = (
    frames: 'text' | 'binary',
    decode: Codec['decode'] = (data) => JSON.parse(String(data)),
    uniqueKeys = true,
  ): Codec => ({
    uniqueKeys,
    contentType: 'application/test',
    frames,
    decode,
    encode: (value) => Buffer.from(JSON.stringify(value)),
  });
  const message = Buffer.from('{"type":"say","text":"a"}');

  test("JSON comes in text frames, and a codec's messages in frames of its kind", () => {
    const unsupported = ['frame_unsupported', 'parse', UNREAD];
    expect(outcome(look(rulesOf({ say: SAY }), message, true))).toEqual(unsupported);
    const binary = rulesOf({ say: SAY }, { codec: codec('binary') });
    expect([outcome(look(binary, message, true)), outcome(look(binary, message, false))]).toEqual([
      'passed',
      unsupported,
    ]);
    const text = rulesOf({ say: SAY }, { codec: codec('text') });
    expect([outcome(look(text, message, false)), outcome(look(text, message, true))]).toEqual([
      'passed',
      unsupported,
    ]);
  });

  test('a message is refused if its codec reports another number of keys than the value has', () => {
    const telling = (keys: number, uniqueKeys?: boolean) =>
      codec(
        'binary',
        (data, key) => {
          for (let i = 0; i < keys; i++) key();
          return JSON.parse(String(data)) as unknown;
        },
        uniqueKeys,
      );
    const outcomeOf = (told: Codec) => outcome(look(rulesOf({ say: SAY }, { codec: told }), message, true));
    expect(outcomeOf(telling(2, false))).toBe('passed');
    for (const keys of [0, 1, 3])
      expect(outcomeOf(telling(keys, false))).toEqual([MALFORMED, 'parse', UNADDRESSED]);
    expect(outcomeOf(telling(0, true))).toBe('passed');
  });

  test.each<[string, Codec['decode'], unknown]>([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      [MALFORMED, 'parse', UNREAD],
    ],
    ['gives nothing', () => undefined, [MALFORMED, 'parse', UNADDRESSED]],
    ['gives a list', () => [], [MALFORMED, 'parse', UNADDRESSED]],
    ['gives a promise', () => Promise.resolve({ type: 'say', text: 'a' }), [MALFORMED, 'parse', UNADDRESSED]],
    ['gives a Map', () => new Map([['type', 'say']]), [MALFORMED, 'parse', UNADDRESSED]],
    [
      'gives an instance',
      () =>
        new (class {
          type = 'say';
          text = 'a';
        })(),
      [MALFORMED, 'parse', UNADDRESSED],
    ],
    ['gives a Date inside', () => ({ type: 'say', text: new Date(0) }), [MALFORMED, 'parse', UNADDRESSED]],
    ['gives a bigint inside', () => ({ type: 'say', text: 1n }), [MALFORMED, 'parse', UNADDRESSED]],
    ['gives what is not there', () => ({ type: 'say', text: undefined }), [MALFORMED, 'parse', UNADDRESSED]],
    ['gives a wrong message', () => ({ type: 'say', text: 7 }), ['message_invalid', 'schema', undefined]],
  ])('a message of a codec that %s is denied', (_, decode, expected) => {
    expect(outcome(look(rulesOf({ say: SAY }, { codec: codec('binary', decode) }), message, true))).toEqual(
      expected,
    );
  });

  test('a message that passed the codec is delivered in bytes that the guard wrote', () => {
    const inspection = look(rulesOf({ say: SAY }, { codec: codec('binary') }), message, true);
    expect(inspection).toMatchObject({ incoming: { changed: true, text: undefined } });
    expect(look(rulesOf({ say: SAY }), message)).toMatchObject({ incoming: { changed: false } });
  });

  test('passthrough delivers content without reading it', () => {
    const rules = rulesOf({}, { passthrough: passthrough({ binary: true }) });
    const data = Buffer.of(0xc1);
    expect(look(rules, data, true)).toMatchObject({
      incoming: { body: data, changed: false },
      type: undefined,
    });
    expect(outcome(look(rules, 'text', false))).toEqual(['frame_unsupported', 'parse', UNREAD]);
  });
});

describe('checks before parsing', () => {
  const rules = rulesOf(
    {},
    { maxBytes: 100, rate: { interval: 1_000, burst: 2 }, byteRate: { interval: 10, burst: 150 } },
  );
  const reason = (denial: Denial | undefined) => denial && [denial.reason, denial.stage];

  test('a frame above the size is denied', () => {
    const sender = new TestSender();
    expect(reason(checkFrame(101, 0, sender, rules))).toEqual(['message_too_big', 'size']);
    // The refused frame has spent nothing of the rates.
    expect(sender.ledger).toMatchObject({ messages: 0, bytes: 0 });
    expect(checkFrame(100, 0, sender, rules)).toBeUndefined();
  });

  test('a frame above the rate of messages or of bytes is denied until time has passed', () => {
    const sender = new TestSender();
    expect([checkFrame(10, 0, sender, rules), checkFrame(10, 0, sender, rules)]).toEqual([
      undefined,
      undefined,
    ]);
    expect(reason(checkFrame(10, 0, sender, rules))).toEqual(['message_rate', 'message-rate']);
    expect(reason(checkFrame(10, 999, sender, rules))).toEqual(['message_rate', 'message-rate']);
    expect(checkFrame(10, 1_000, sender, rules)).toBeUndefined();
    const greedy = new TestSender();
    expect(checkFrame(100, 0, greedy, rules)).toBeUndefined();
    expect(reason(checkFrame(51, 0, greedy, rules))).toEqual(['message_rate', 'message-rate']);
    expect(checkFrame(50, 0, greedy, rules)).toBeUndefined();
  });

  test('in report-only mode the rate counts no further than when it denies', () => {
    const sender = new TestSender();
    const reporting = { ...rules, reportRate: true };
    for (let i = 0; i < 5; i++) expect(checkFrame(10, 0, sender, reporting)).toBeUndefined();
    expect(sender.reports).toHaveLength(3);
    expect(sender.ledger).toMatchObject({ messages: 2_000, bytes: 500 });
    expect(checkFrame(10, 1_000, sender, rules)).toBeUndefined();
  });
});

describe('a stage that only reports', () => {
  const tidy = sanitizedText({}, (text) => (text.includes('!') ? undefined : text.trim()));
  const messages = { say: Type.Object({ text: tidy, list: Type.Optional(Type.Array(tidy)) }) };

  test('with a report-only schema, a wrong message passes unchanged if nothing is sanitized', async () => {
    const { say, socket, on, reported } = await openConnection({
      report: ['schema'],
      unknownProperties: 'strip',
    });
    const seen: unknown[] = [];
    on('say', (message) => void seen.push(message));
    await say({ type: 'say', text: 7, more: { x: 1 } });
    expect(seen).toEqual([{ type: 'say', text: 7, more: { x: 1 } }]);
    expect(socket.delivered).toEqual(['{"type":"say","text":7,"more":{"x":1}}']);
    expect(reported).toEqual([
      expect.objectContaining({ stage: 'schema', reason: 'message_invalid', pointer: '/text' }),
    ]);
  });

  test('with a report-only schema, a text that a sanitizer refuses or changes is still refused or changed', async () => {
    const { say, socket, on, reported, denied } = await openConnection({ messages, report: ['schema'] });
    const seen: unknown[] = [];
    on('say', (message) => void seen.push(message));
    await say({ type: 'say', text: ' a ', more: 1 });
    await say({ type: 'say', text: 7, list: [' b ', 7] });
    await say({ type: 'say', text: ' a!', more: 1 });
    expect(seen).toEqual([
      { type: 'say', text: 'a', more: 1 },
      { type: 'say', text: 7, list: ['b', 7] },
    ]);
    expect(socket.delivered).toEqual(seen.map((message) => JSON.stringify(message)));
    expect(reported).toMatchObject([{ stage: 'schema' }, { stage: 'schema' }, { stage: 'schema' }]);
    expect(denied).toEqual([expect.objectContaining({ stage: 'sanitize', pointer: '/text' })]);
  });

  test('with report-only sanitizing, a refused text passes and other texts are sanitized', async () => {
    const { say, socket, reported, denied } = await openConnection({ messages, report: ['sanitize'] });
    await say({ type: 'say', text: ' a!', list: [' b '] });
    expect(socket.delivered).toEqual(['{"type":"say","text":" a!","list":["b"]}']);
    expect(reported).toEqual([
      expect.objectContaining({ stage: 'sanitize', reason: 'message_invalid', pointer: '/text' }),
    ]);
    await say({ type: 'say', text: 7 });
    expect(denied).toEqual([expect.objectContaining({ stage: 'schema' })]);
  });

  test('with a report-only schema, a malformed message is denied although only its schema walks through it', () => {
    const rules = rulesOf({ say: SAY }, { reportSchema: true, bounds: BOUNDS });
    for (const text of [
      '{"type":"say","text":[[[]]]}',
      '{"type":"say","__proto__":{}}',
      '{"type":"say","type":"say"}',
    ])
      expect([text, outcome(look(rules, text))]).toEqual([text, [MALFORMED, 'parse', UNADDRESSED]]);
    expect(outcome(look(rules, '{"type":"say","text":[[]]}'))).toBe('passed');
  });
});
