import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { isMessageId, messageId } from '../../src/wire/message-id.ts';
import { BAD_IDS, GOOD_IDS } from '../support/message-ids.ts';

test.each(GOOD_IDS.map((id) => [id]))('%j is a message id', (id) => {
  expect(isMessageId(id)).toBe(true);
});

test.each([...BAD_IDS, undefined, Number.NaN, Number.POSITIVE_INFINITY, 7n, Symbol('id')].map((id) => [id]))(
  '%p is no message id',
  (id) => {
    expect(isMessageId(id)).toBe(false);
  },
);

test('the length of an id is counted in UTF-16 code units', () => {
  expect(isMessageId('\u{1f512}'.repeat(32))).toBe(true);
  expect(isMessageId('\u{1f512}'.repeat(33))).toBe(false);
});

test('property: an id survives JSON', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.maxSafeInteger()), (id) => {
      if (!isMessageId(id)) return;
      const back: unknown = JSON.parse(JSON.stringify(id));
      expect(back === id).toBe(true);
    }),
  );
});

test('the JSON Schema of an id accepts the same ids', () => {
  const schema = Compile(messageId as never);
  for (const id of GOOD_IDS) expect([id, schema.Check(id)]).toEqual([id, true]);
  for (const id of BAD_IDS.filter((bad) => !Number.isInteger(bad))) {
    expect([id, schema.Check(id)]).toEqual([id, false]);
  }
});
