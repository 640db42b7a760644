import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { Breaker } from '../../src/limits/breaker.ts';
import { systemClock } from '../../src/vocabulary/clock.ts';
import type { MaybePromise } from '../../src/vocabulary/decision.ts';
import { Held, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';

const fail = (): never => {
  throw new Error('away');
};

function bench() {
  const clock = new ManualClock();
  const told: string[] = [];
  const probes: MaybePromise<void>[] = [];
  let probed = 0;
  const breaker = new Breaker({
    clock,
    timeout: 500,
    probe: () => {
      probed++;
      return probes.length === 0 ? fail() : probes.shift();
    },
    onOpen: (error) => told.push(`open: ${(error as Error).message}`),
    onClose: (milliseconds) => told.push(`closed after ${milliseconds}`),
  });
  let asked = 0;
  /** What came of one call. */
  const call = (answer: () => MaybePromise<string>, late?: (answer: string) => void) =>
    breaker.call(
      () => {
        asked++;
        return answer();
      },
      () => 'otherwise',
      late,
    );
  return { clock, breaker, told, probes, call, asked: () => asked, probed: () => probed };
}

describe('a store that', () => {
  test('a store that answers, synchronously or not, is asked each time', async () => {
    const { call, clock } = bench();
    expect(call(() => 'at once')).toBe('at once');
    expect(await call(async () => 'later')).toBe('later');
    expect(clock.pending).toBe(0);
  });

  test.each<[string, () => MaybePromise<string>]>([
    ['throws', fail],
    ['rejects', async () => fail()],
  ])(
    'a store that %s is asked three times and then not, and its failure is reported once',
    async (_what, answer) => {
      const { call, told, asked } = bench();
      for (let i = 0; i < 10; i++) expect(await call(answer)).toBe('otherwise');
      expect([asked(), told]).toEqual([3, ['open: away']]);
    },
  );

  test('a store that hangs costs three deadlines, and then calls get the fallback at once', async () => {
    const { call, clock, told, asked } = bench();
    for (let i = 0; i < 3; i++) {
      const outcome = call(() => new Promise(() => {}));
      clock.advance(499);
      await settle();
      expect(clock.pending).toBe(1);
      clock.advance(1);
      expect(await outcome).toBe('otherwise');
    }
    expect(told).toEqual(['open: The store did not answer within 500 ms.']);
    // Synchronously.
    for (let i = 0; i < 100; i++) expect(call(() => new Promise(() => {}))).toBe('otherwise');
    expect(asked()).toBe(3);
  });

  test('a store that answers now and then is asked each time', async () => {
    const { call, told, asked } = bench();
    for (let i = 0; i < 5; i++) {
      for (let failure = 0; failure < 2; failure++) await call(fail);
      expect(await call(async () => 'there')).toBe('there');
    }
    expect([asked(), told]).toEqual([15, []]);
  });

  test('when the breaker opens, calls in progress get the fallback at once', async () => {
    const { call, clock } = bench();
    const waiting = Array.from({ length: 5 }, () => call(() => new Promise(() => {})));
    for (let i = 0; i < 3; i++) await call(fail);
    expect(await Promise.all(waiting)).toEqual(Array(5).fill('otherwise'));
    // Only the timer of the next probe is left.
    expect(clock.pending).toBe(1);
  });
});

describe('an answer that comes too late', () => {
  test('an answer after the deadline is passed to late() and changes nothing else', async () => {
    const { call, clock } = bench();
    const held = new Held<string>();
    const late: string[] = [];
    const outcome = call(held.ask, (answer) => late.push(answer));
    clock.advance(500);
    expect(await outcome).toBe('otherwise');
    await held.answer('a lease');
    expect(late).toEqual(['a lease']);
  });

  test('an answer within the deadline is not passed to late()', async () => {
    const { call, clock } = bench();
    const late: string[] = [];
    expect(
      await call(
        async () => 'in time',
        (answer) => late.push(answer),
      ),
    ).toBe('in time');
    clock.advance(10_000);
    expect(late).toEqual([]);
  });

  test('a rejection after the deadline counts no second failure and is handled', async () => {
    const { call, clock, told } = bench();
    const helds = Array.from({ length: 2 }, () => new Held<string>());
    const outcomes = helds.map((held) => call(held.ask));
    clock.advance(500);
    await Promise.all(outcomes);
    for (const held of helds) await held.fail();
    expect(told).toEqual([]);
    await call(fail);
    expect(told).toEqual(['open: away']);
  });
});

describe('a look whether it is back', () => {
  const opened = async () => {
    const of = bench();
    for (let i = 0; i < 3; i++) await of.call(fail);
    return of;
  };

  test('a failing store is probed each second and not called until a probe succeeds', async () => {
    const { clock, breaker, call, probes, probed, told, asked } = await opened();
    for (let i = 1; i <= 3; i++) {
      clock.advance(999);
      expect(probed()).toBe(i - 1);
      clock.advance(1);
      expect(probed()).toBe(i);
      await settle();
      expect(call(() => 'asked')).toBe('otherwise');
    }
    expect(asked()).toBe(3);
    probes.push(undefined);
    clock.advance(1_000);
    await settle();
    expect(told).toEqual(['open: away', 'closed after 4000']);
    expect([breaker.isOpen, call(() => 'asked'), clock.pending]).toEqual([false, 'asked', 0]);
    // The count of failures has started anew.
    for (let i = 0; i < 2; i++) await call(fail);
    expect(breaker.isOpen).toBe(false);
    await call(fail);
    expect(breaker.isOpen).toBe(true);
  });

  test('a probe that hangs or rejects ends at the deadline and is repeated', async () => {
    const { clock, breaker, probes, probed } = await opened();
    const held = new Held<void>();
    probes.push(held.ask(), Promise.reject(new Error('away')), Promise.resolve());
    clock.advance(1_000);
    await settle();
    clock.advance(500);
    await settle();
    // After the deadline.
    await held.answer();
    expect([breaker.isOpen, probed()]).toEqual([true, 1]);
    clock.advance(1_000);
    await settle();
    expect([breaker.isOpen, probed()]).toEqual([true, 2]);
    clock.advance(1_000);
    await settle();
    expect([breaker.isOpen, probed()]).toEqual([false, 3]);
  });
});

describe('once stopped', () => {
  test('a stopped breaker asks nothing, ends calls in progress and leaves no timer', async () => {
    const { clock, breaker, call, asked } = bench();
    const waiting = call(() => new Promise(() => {}));
    breaker.stop();
    expect(await waiting).toBe('otherwise');
    expect(call(() => 'asked')).toBe('otherwise');
    expect([asked(), clock.pending]).toEqual([1, 0]);
  });

  test('a breaker that is stopped during a probe probes no more and reports nothing', async () => {
    const { clock, breaker, call, probes, told } = bench();
    for (let i = 0; i < 3; i++) await call(fail);
    probes.push(new Promise(() => {}));
    clock.advance(1_000);
    breaker.stop();
    await settle();
    clock.advance(60_000);
    await settle();
    expect([told, clock.pending]).toEqual([['open: away'], 0]);
  });
});

test('an answer that came in time is used although the event loop was blocked beyond the deadline', async () => {
  const breaker = new Breaker({
    clock: systemClock,
    timeout: 20,
    probe: () => {},
    onOpen: () => {},
    onClose: () => {},
  });
  // Another thread answers while this one is blocked, as another process would.
  const outcome = breaker.call(
    () => promisify(pbkdf2)('', '', 1, 1, 'sha256').then(() => 'answered'),
    () => 'otherwise',
  );
  const end = performance.now() + 100;
  while (performance.now() < end);
  expect(await outcome).toBe('answered');
});
