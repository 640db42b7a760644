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
  test('answers, at once or later, is asked', async () => {
    const { call, clock } = bench();
    expect(call(() => 'at once')).toBe('at once');
    expect(await call(async () => 'later')).toBe('later');
    expect(clock.pending).toBe(0);
  });

  test.each<[string, () => MaybePromise<string>]>([
    ['throws', fail],
    ['rejects', async () => fail()],
  ])('%s costs three questions and then none, and says so once', async (_what, answer) => {
    const { call, told, asked } = bench();
    for (let i = 0; i < 10; i++) expect(await call(answer)).toBe('otherwise');
    expect([asked(), told]).toEqual([3, ['open: away']]);
  });

  test('hangs costs three deadlines, and then nobody anything', async () => {
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
    // At once, and not by a promise.
    for (let i = 0; i < 100; i++) expect(call(() => new Promise(() => {}))).toBe('otherwise');
    expect(asked()).toBe(3);
  });

  test('answers now and then is asked on', async () => {
    const { call, told, asked } = bench();
    for (let i = 0; i < 5; i++) {
      for (let failure = 0; failure < 2; failure++) await call(fail);
      expect(await call(async () => 'there')).toBe('there');
    }
    expect([asked(), told]).toEqual([15, []]);
  });

  test('fails keeps nobody waiting who has asked it before', async () => {
    const { call, clock } = bench();
    const waiting = Array.from({ length: 5 }, () => call(() => new Promise(() => {})));
    for (let i = 0; i < 3; i++) await call(fail);
    expect(await Promise.all(waiting)).toEqual(Array(5).fill('otherwise'));
    // The next look is all that is left.
    expect(clock.pending).toBe(1);
  });
});

describe('an answer that comes too late', () => {
  test('is handed over, to be undone, and changes nothing else', async () => {
    const { call, clock } = bench();
    const held = new Held<string>();
    const late: string[] = [];
    const outcome = call(held.ask, (answer) => late.push(answer));
    clock.advance(500);
    expect(await outcome).toBe('otherwise');
    await held.answer('a lease');
    expect(late).toEqual(['a lease']);
  });

  test('in time is nobody else’s', async () => {
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

  test('is no failure a second time, nor a rejection that nobody hears', async () => {
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

  test('is taken each second, by nobody else, until it is', async () => {
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
    // From here on it may fail twice again.
    for (let i = 0; i < 2; i++) await call(fail);
    expect(breaker.isOpen).toBe(false);
    await call(fail);
    expect(breaker.isOpen).toBe(true);
  });

  test('that hangs or rejects is over after the deadline, and taken again', async () => {
    const { clock, breaker, probes, probed } = await opened();
    const held = new Held<void>();
    probes.push(held.ask(), Promise.reject(new Error('away')), Promise.resolve());
    clock.advance(1_000);
    await settle();
    clock.advance(500);
    await settle();
    // Too late to count.
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
  test('it asks nothing, waits for nothing and leaves no timer', async () => {
    const { clock, breaker, call, asked } = bench();
    const waiting = call(() => new Promise(() => {}));
    breaker.stop();
    expect(await waiting).toBe('otherwise');
    expect(call(() => 'asked')).toBe('otherwise');
    expect([asked(), clock.pending]).toEqual([1, 0]);
  });

  test('it looks no more, and tells of nothing', async () => {
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

test('an answer that came in time is read, although this process did not run until after the deadline', async () => {
  const breaker = new Breaker({
    clock: systemClock,
    timeout: 20,
    probe: () => {},
    onOpen: () => {},
    onClose: () => {},
  });
  // Another thread does it meanwhile, as another process would.
  const outcome = breaker.call(
    () => promisify(pbkdf2)('', '', 1, 1, 'sha256').then(() => 'answered'),
    () => 'otherwise',
  );
  const end = performance.now() + 100;
  while (performance.now() < end);
  expect(await outcome).toBe('answered');
});
