import { describe, expect, test } from '@jest/globals';
import { Outbox } from '../../src/limits/outbox.ts';
import { Held, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';

const of = (subject: string) => ({ subject, issuedBefore: 0 });

function bench(limit = 10) {
  const clock = new ManualClock();
  const sent: string[] = [];
  let broken = false;
  const outbox = new Outbox(
    limit,
    async ({ subject = '' }) => {
      if (broken) throw new Error('away');
      sent.push(subject);
    },
    (callback) => clock.schedule(1_000, callback),
  );
  const breakStore = (isBroken = true) => {
    broken = isBroken;
  };
  return { clock, outbox, sent, breakStore };
}

test('revocations are sent in order, and each put resolves once its own is stored', async () => {
  const { outbox, sent, clock } = bench();
  await Promise.all(['a', 'b', 'c'].map((subject) => outbox.put(of(subject))));
  expect([sent, outbox.size, clock.pending]).toEqual([['a', 'b', 'c'], 0, 0]);
});

describe('while the store is away', () => {
  test('while the store does not answer, revocations wait and are then sent in order', async () => {
    const { outbox, sent, clock, breakStore } = bench();
    breakStore();
    const stored: string[] = [];
    const waiting = ['a', 'b', 'c'].map((subject) =>
      outbox.put(of(subject)).then(() => stored.push(subject)),
    );
    for (let i = 0; i < 5; i++) {
      await settle();
      expect([outbox.size, clock.pending]).toEqual([3, 1]);
      clock.advance(1_000);
    }
    expect(stored).toEqual([]);
    await settle();
    breakStore(false);
    clock.advance(1_000);
    await Promise.all(waiting);
    expect([sent, stored, outbox.size, clock.pending]).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], 0, 0]);
  });

  test('flush sends without waiting for the retry', async () => {
    const { outbox, sent, clock, breakStore } = bench();
    breakStore();
    const waiting = outbox.put(of('a'));
    await settle();
    breakStore(false);
    await outbox.flush();
    await waiting;
    expect([sent, clock.pending]).toEqual([['a'], 0]);
  });

  test('a full outbox rejects the new revocation and keeps the waiting ones', async () => {
    const { outbox, sent, clock, breakStore } = bench(2);
    breakStore();
    const waiting = [outbox.put(of('a')), outbox.put(of('b'))];
    await settle();
    await expect(outbox.put(of('c'))).rejects.toThrow('More than 2 revocations wait for the store.');
    breakStore(false);
    clock.advance(1_000);
    await Promise.all(waiting);
    expect(sent).toEqual(['a', 'b']);
    await outbox.put(of('c'));
  });
});

test('a revocation that is put while another is sent follows it, and none is sent twice', async () => {
  const clock = new ManualClock();
  const held = new Held<void>();
  const sent: string[] = [];
  const outbox = new Outbox(
    10,
    ({ subject = '' }) => {
      sent.push(subject);
      return held.ask();
    },
    (callback) => clock.schedule(1_000, callback),
  );
  const all = [outbox.put(of('a')), outbox.put(of('b'))];
  void outbox.flush();
  await settle();
  expect(sent).toEqual(['a']);
  all.push(outbox.put(of('c')));
  for (let i = 0; i < 3; i++) await held.answer();
  await Promise.all(all);
  expect([sent, outbox.size]).toEqual([['a', 'b', 'c'], 0]);
});

describe('given up', () => {
  test('abandon rejects all waiting revocations, sends none and leaves no timer', async () => {
    const { outbox, sent, clock, breakStore } = bench();
    breakStore();
    const waiting = [outbox.put(of('a')), outbox.put(of('b'))];
    await settle();
    outbox.abandon();
    for (const one of waiting) await expect(one).rejects.toThrow('before the store had this revocation');
    breakStore(false);
    await expect(outbox.put(of('c'))).rejects.toThrow('before the store had this revocation');
    clock.advance(60_000);
    await settle();
    expect([sent, outbox.size, clock.pending]).toEqual([[], 0, 0]);
  });

  test.each(['answers', 'fails'] as const)(
    'abandon while a revocation is sent, before the store %s, rejects it and sends nothing more',
    async (outcome) => {
      const clock = new ManualClock();
      const held = new Held<void>();
      const outbox = new Outbox(10, held.ask, (callback) => clock.schedule(1_000, callback));
      const waiting = Promise.allSettled([outbox.put(of('a')), outbox.put(of('b'))]);
      outbox.abandon();
      await (outcome === 'answers' ? held.answer() : held.fail());
      expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect([outbox.size, held.count, clock.pending]).toEqual([0, 0, 0]);
    },
  );
});
