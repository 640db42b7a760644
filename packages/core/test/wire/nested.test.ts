import { describe, expect, test } from '@jest/globals';
import { Compile } from 'typebox/compile';
import { type Addressee, type Incoming, UNADDRESSED, UNREAD } from '../../src/wire/incoming.ts';
import { nested } from '../../src/wire/nested.ts';
import { BAD_IDS, GOOD_IDS } from '../support/message-ids.ts';

const open = (text: string): Incoming | undefined => nested.open(JSON.parse(text));
const ERROR = { code: 'message_invalid', path: '/text', message: 'no' } as const;

describe('open', () => {
  test.each<[string, object]>([
    ['{"type":"say"}', { type: 'say', body: {}, id: undefined, envelopeKeys: 1 }],
    ['{"type":"say","data":{"a":1}}', { type: 'say', body: { a: 1 }, id: undefined, envelopeKeys: 2 }],
    ['{"id":7,"data":[1],"type":"say"}', { type: 'say', body: [1], id: 7, envelopeKeys: 3 }],
    // What the body may be is for its schema to say.
    ['{"type":"say","data":null}', { body: null }],
    ['{"type":"say","data":"text"}', { body: 'text' }],
    ['{"type":"","data":0}', { type: '', body: 0 }],
    ['{"type":"__proto__"}', { type: '__proto__' }],
  ])('%s is read as a nested message', (text, expected) => {
    expect(open(text)).toMatchObject(expected);
  });

  test.each([
    'null',
    '7',
    '"say"',
    '[]',
    '[{"type":"say"}]',
    '{}',
    '{"data":{}}',
    '{"type":null}',
    '{"type":7}',
    '{"type":["say"]}',
    '{"type":{}}',
    // The envelope has three keys, and a client that needs a fourth is not this policy’s.
    '{"type":"say","extra":1}',
    '{"type":"say","Data":{}}',
    '{"type":"say","":1}',
    '{"type":"say","__proto__":{}}',
    '{"type":"say","\\u005f_proto__":null}',
    '{"type":"say","constructor":{"prototype":{}}}',
    '{"type":"say","toString":1}',
    '{"__proto__":{"type":"say"}}',
  ])('%s is no nested message', (text) => {
    expect(open(text)).toBeUndefined();
  });

  test.each(GOOD_IDS.map((id) => [id]))('%j is an id of a nested message', (id) => {
    expect(open(JSON.stringify({ type: 'say', id }))?.id).toBe(id);
  });

  test.each(BAD_IDS.map((id) => [id]))('a nested message with the id %j is refused', (id) => {
    expect(open(JSON.stringify({ type: 'say', id }))).toBeUndefined();
  });
});

test('rewrite replaces the body and keeps everything else', () => {
  const incoming = open('{"id":7,"data":{"a":1},"type":"say"}') as Incoming;
  incoming.body = { b: 2 };
  expect(JSON.stringify(nested.rewrite(incoming))).toBe('{"id":7,"data":{"b":2},"type":"say"}');
  expect(incoming.value).toEqual({ id: 7, data: { a: 1 }, type: 'say' });
});

describe('what is sent', () => {
  test('a notice has a type and data', () => {
    expect(nested.notice('said', { type: 'error' })).toEqual({ type: 'said', data: { type: 'error' } });
  });

  test.each(GOOD_IDS.map((id) => [id]))('a nested answer carries the id %j', (id) => {
    expect(nested.answer(id, 'said', { a: 1 })).toEqual({ type: 'said', id, data: { a: 1 } });
  });

  test('an answer without an id is a notice, and without a type there is none', () => {
    expect(nested.answer(undefined, 'said', { a: 1 })).toEqual({ type: 'said', data: { a: 1 } });
    expect(nested.answer(7, undefined, { a: 1 })).toBeUndefined();
  });

  test.each<[Addressee, object]>([
    [7, { id: 7 }],
    ['', { id: '' }],
    [undefined, {}],
    [UNREAD, {}],
    [UNADDRESSED, {}],
  ])('an error to %p carries the id that it has', (to, expected) => {
    expect(nested.error(to, ERROR)).toStrictEqual({ type: 'error', ...expected, data: ERROR });
  });
});

test('messages of the server fit the schemas that document them', () => {
  const message = Compile(
    nested.describeNotice('said', { schema: { type: 'object' }, optional: true }) as never,
  );
  for (const sent of [
    nested.notice('said', {}),
    nested.answer(7, 'said', {}),
    nested.answer('a', 'said', {}),
  ])
    expect(message.Check(sent)).toBe(true);
  expect(message.Check(nested.notice('other', {}))).toBe(false);
  const denial = Compile(nested.describeError() as never);
  for (const to of [7, 'a', undefined, UNREAD] satisfies Addressee[])
    expect(denial.Check(nested.error(to, ERROR))).toBe(true);
  expect(denial.Check(nested.notice('error', {}))).toBe(false);
});
