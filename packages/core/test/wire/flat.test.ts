import { describe, expect, test } from '@jest/globals';
import { Compile } from 'typebox/compile';
import { flat } from '../../src/wire/flat.ts';
import { type Addressee, type Incoming, UNADDRESSED, UNREAD } from '../../src/wire/incoming.ts';

const read = (text: string): Incoming => {
  const incoming = flat.open(JSON.parse(text));
  if (incoming === undefined) throw new Error('it is no message');
  return incoming;
};
const ERROR = { code: 'message_invalid', path: '/text', message: 'no' } as const;

describe('open', () => {
  test('a flat message is its body, with the type as a property and no id', () => {
    const incoming = read('{"type":"say","text":"a","id":7,"data":{}}');
    expect(incoming).toMatchObject({ type: 'say', id: undefined, envelopeKeys: 0, changed: false });
    expect(incoming.body).toBe(incoming.value);
    expect(incoming.body).toEqual({ type: 'say', text: 'a', id: 7, data: {} });
  });

  test.each(['null', '7', '"say"', 'true', '[]', '[{"type":"say"}]'])('%s is no flat message', (text) => {
    expect(flat.open(JSON.parse(text))).toBeUndefined();
  });

  // No policy has such a type, and looking it up must find nothing.
  test.each([
    ['{}', undefined],
    ['{"type":null}', null],
    ['{"type":7}', 7],
    ['{"type":["say"]}', ['say']],
    ['{"type":{"toString":1}}', { toString: 1 }],
  ])('the type in %s is %p, which no policy has', (text, type) => {
    const incoming = read(text);
    expect(incoming.type).toEqual(type);
    expect(new Map([['say', 1]]).get(incoming.type as never)).toBeUndefined();
  });

  test('an own __proto__ property is not the type', () => {
    expect(read('{"__proto__":{"type":"say"}}').type).toBeUndefined();
  });
});

describe('rewrite', () => {
  test('rewrite gives the present body with its type', () => {
    const incoming = read('{"type":"say","text":"a"}');
    expect(flat.rewrite(incoming)).toBe(incoming.body);
    incoming.body = { text: 'b' };
    expect(flat.rewrite(incoming)).toEqual({ type: 'say', text: 'b' });
    expect(Object.keys(flat.rewrite(incoming) as object)[0]).toBe('type');
  });

  test('rewrite leaves a body that has a type, or is no object, as it is', () => {
    const incoming = read('{"type":"say","text":"a"}');
    for (const body of [{ type: 'other' }, 'text', 7, null, ['a']]) {
      incoming.body = body;
      expect(flat.rewrite(incoming)).toBe(body);
    }
  });
});

describe('what is sent', () => {
  test('a notice is the body with its type, which the body cannot change', () => {
    expect(flat.notice('said', { type: 'error', text: 'a' })).toEqual({ type: 'said', text: 'a' });
    expect(flat.notice('said', undefined)).toEqual({ type: 'said' });
  });

  test('an answer is like a notice for any id, and without a type there is none', () => {
    expect(flat.answer(undefined, 'said', { text: 'a', type: 'x' })).toEqual({ type: 'said', text: 'a' });
    expect(flat.answer(7, 'said', { text: 'a' })).toEqual({ type: 'said', text: 'a' });
    expect(flat.answer(7, undefined, { text: 'a' })).toBeUndefined();
  });

  test.each<[Addressee]>([[undefined], [7], ['id'], [UNREAD], [UNADDRESSED]])(
    'an error tells %p the same',
    (to) => {
      expect(flat.error(to, ERROR)).toEqual({ type: 'error', ...ERROR });
    },
  );
});

test('a denial fits the schema that documents it', () => {
  const denial = Compile(flat.describeError() as never);
  const { path: _, ...short } = ERROR;
  expect([ERROR, short].map((error) => denial.Check(flat.error(undefined, error)))).toEqual([true, true]);
  expect(denial.Check({ type: 'said', ...ERROR })).toBe(false);
  expect(flat.describe('say', { schema: { type: 'object' }, optional: true })).toEqual({ type: 'object' });
});
