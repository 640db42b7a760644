import { describe, expect, test } from '@jest/globals';
import { concerns, RevocationList } from '../../src/auth/revocations.ts';
import type { Identity } from '../../src/vocabulary/ports.ts';
import type { Revocation } from '../../src/vocabulary/store-contract.ts';
import { ManualClock } from '../support/manual-clock.ts';

const identity = (more: Partial<Identity> = {}): Identity => ({
  scheme: 'jwt',
  subject: 'alice',
  session: 's1',
  tokenId: 't1',
  issuedAt: 1_000,
  claims: {},
  ...more,
});
const list = (maxEntries = 10) => {
  const clock = new ManualClock();
  return { clock, revocations: new RevocationList(clock, 60_000, maxEntries) };
};

const rows: readonly (readonly [string, Revocation, Partial<Identity>, boolean])[] = [
  ['issued before', { subject: 'alice', issuedBefore: 2_000 }, {}, true],
  ['issued in that very second', { subject: 'alice', issuedBefore: 1_000 }, {}, true],
  ['issued within that second', { subject: 'alice', issuedBefore: 1_000 }, { issuedAt: 1_000.999 }, true],
  ['issued a second later', { subject: 'alice', issuedBefore: 1_000 }, { issuedAt: 1_001 }, false],
  ['without an issue date', { subject: 'alice', issuedBefore: 0 }, { issuedAt: undefined }, true],
  ['of the session', { session: 's1', issuedBefore: 1_000 }, {}, true],
  ['of the token', { tokenId: 't1', issuedBefore: 1_000 }, {}, true],
  ['of another subject', { subject: 'bob', issuedBefore: 2_000 }, {}, false],
  ['of another session', { session: 's2', issuedBefore: 2_000 }, {}, false],
  [
    'of a session, where there is none',
    { session: 's1', issuedBefore: 2_000 },
    { session: undefined },
    false,
  ],
  ['of a subject that is called as the session is', { subject: 's1', issuedBefore: 2_000 }, {}, false],
];

describe.each(rows)('a revocation %s', (_what, revocation, more, expected) => {
  test(`a revocation ${_what} covers the identity by the list: ${expected}`, () => {
    const { revocations } = list();
    revocations.add(revocation);
    expect(revocations.covers(identity(more))).toBe(expected);
  });

  test(`a revocation ${_what} covers the identity by itself: ${expected}`, () => {
    expect(concerns(revocation, identity(more))).toBe(expected);
  });
});

test('of several revocations of one subject the latest date counts, in any order', () => {
  const { revocations } = list();
  revocations.add({ subject: 'alice', issuedBefore: 2_000 });
  revocations.add({ subject: 'alice', issuedBefore: 500 });
  expect(revocations.covers(identity({ issuedAt: 2_000 }))).toBe(true);
  expect(revocations.size).toBe(1);
});

test('a list full of revocations that still matter throws a RangeError', () => {
  const { clock, revocations } = list(3);
  for (const subject of ['a', 'b', 'c']) revocations.add({ subject, issuedBefore: 0 });
  expect(() => revocations.add({ subject: 'd', issuedBefore: 0 })).toThrow(/limits\.revocations \(3\)/);
  revocations.add({ subject: 'a', issuedBefore: 5 });
  expect(revocations.size).toBe(3);
  clock.advance(59_999);
  expect(() => revocations.add({ subject: 'd', issuedBefore: 0 })).toThrow(RangeError);
  clock.advance(1);
  revocations.add({ subject: 'd', issuedBefore: 0 });
  expect(revocations.size).toBe(1);
  expect(revocations.covers(identity({ subject: 'd', issuedAt: undefined }))).toBe(true);
});

test('a repeated revocation is kept for the whole retention again', () => {
  const { clock, revocations } = list(2);
  revocations.add({ subject: 'alice', issuedBefore: 2_000 });
  clock.advance(30_000);
  revocations.add({ subject: 'bob', issuedBefore: 0 });
  revocations.add({ subject: 'alice', issuedBefore: 2_000 });
  clock.advance(59_000);
  expect(() => revocations.add({ subject: 'carol', issuedBefore: 0 })).toThrow(RangeError);
  expect(revocations.covers(identity())).toBe(true);
});
