import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseMessage, parseRevocation, revocationText, Seen } from '../../src/news/news-message.ts';

const name = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
const revocation = fc.record({
  subject: name,
  session: name,
  tokenId: name,
  issuedBefore: fc.integer({ min: 0 }),
});

test('property: a revocation is parsed as it was written', () => {
  fc.assert(
    fc.property(revocation, (one) => {
      expect(parseRevocation(revocationText(one))).toEqual(JSON.parse(JSON.stringify(one)));
      expect(parseMessage(`revoked 5-1 ${revocationText(one)}`)).toEqual({
        kind: 'revoked',
        id: '5-1',
        revocation: parseRevocation(revocationText(one)),
      });
    }),
  );
});

test('the text of a revocation does not depend on the order of its fields', () => {
  expect(revocationText({ issuedBefore: 1, tokenId: 't', subject: 's' })).toBe(
    revocationText({ subject: 's', session: undefined, tokenId: 't', issuedBefore: 1 }),
  );
});

test('property: a ban is parsed as it was published', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (key) => {
      expect(parseMessage(`ban node 1500.25 3 ${key}`)).toEqual({
        kind: 'ban',
        node: 'node',
        left: 1500.25,
        count: 3,
        key,
      });
      expect(parseMessage(`unban node ${key}`)).toEqual({ kind: 'unban', node: 'node', key });
    }),
  );
  expect(parseMessage('read')).toEqual({ kind: 'read' });
  expect(parseMessage('revoked - {"subject":"a","issuedBefore":1}')).toMatchObject({ id: undefined });
});

test('a message that no script has written is ignored', () => {
  const texts = ['', 'ban', 'ban node soon 1 key', 'revoked 5-1', 'revoked 5-1 {', 'revoked 5-1 null', 'x'];
  for (const text of texts) expect([text, parseMessage(text)]).toEqual([text, undefined]);
  const values = ['', 'null', '[]', '{}', '{"issuedBefore":"1"}', '{"subject":1,"issuedBefore":1}'];
  for (const text of values) expect([text, parseRevocation(text)]).toEqual([text, undefined]);
});

test('a seen revocation covers others of the same names up to its time', () => {
  const seen = new Seen();
  seen.add({ subject: 'a', session: 's', issuedBefore: 10 });
  seen.add({ subject: 'a', issuedBefore: 5 });
  expect(seen.covers({ subject: 'a', issuedBefore: 10 })).toBe(true);
  expect(seen.covers({ session: 's', issuedBefore: 3 })).toBe(true);
  expect(seen.covers({ subject: 'a', issuedBefore: 11 })).toBe(false);
  expect(seen.covers({ subject: 's', issuedBefore: 1 })).toBe(false);
  expect(seen.covers({ subject: 'a', tokenId: 't', issuedBefore: 1 })).toBe(false);
});
