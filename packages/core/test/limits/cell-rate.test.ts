import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hitOf, remaining, spend } from '../../src/limits/cell-rate.ts';

/** The same limit as a leaky bucket, filled with what was taken and drained by time: the textbook's other picture. */
class LeakyBucket {
  #level = 0;
  #at = 0;

  constructor(
    readonly interval: number,
    readonly burst: number,
  ) {}

  take(now: number, cost: number): boolean {
    this.#level = Math.max(0, this.#level - (now - this.#at) / this.interval);
    this.#at = now;
    if (this.#level + cost > Math.max(this.burst, cost)) return false;
    this.#level += cost;
    return true;
  }
}

test('property: the cell rate agrees with a leaky bucket on every sequence of hits', () => {
  fc.assert(
    fc.property(
      // Powers of two keep divisions exact, so a difference means a mistake.
      fc.integer({ min: 0, max: 10 }).map((power) => 2 ** power),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1, max: 80 })), {
        maxLength: 100,
      }),
      (interval, burst, hits) => {
        const model = new LeakyBucket(interval, burst);
        let tat = 0;
        let now = 1_000;
        for (const [wait, cost] of hits) {
          now += wait;
          const next = spend(tat, now, { interval, burst }, cost);
          expect(next >= 0).toBe(model.take(now, cost));
          if (next >= 0) tat = next;
        }
      },
    ),
  );
});

test('property: at one instant exactly the burst fits, at every rate and time', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 4_000_000, noNaN: true }),
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 1e10, noNaN: true }),
      (interval, burst, now) => {
        let tat = 0;
        let allowed = 0;
        for (let i = 0; i < burst + 3; i++) {
          const next = spend(tat, now, { interval, burst });
          if (next < 0) continue;
          tat = next;
          allowed++;
        }
        expect(allowed).toBe(burst);
      },
    ),
  );
});

test('property: over a long time no more hits pass than the rate and one burst', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1_000, noNaN: true }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.double({ min: 0, max: 2_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
      (interval, burst, waits) => {
        let tat = 0;
        let now = 5_000;
        let allowed = 0;
        for (const wait of waits) {
          now += wait;
          const next = spend(tat, now, { interval, burst });
          if (next < 0) continue;
          tat = next;
          allowed++;
        }
        expect(allowed).toBeLessThanOrEqual(Math.floor((now - 5_000 + 1e-3) / interval) + burst);
      },
    ),
  );
});

test('property: a hit fits after the wait that was told, and not a millisecond earlier', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 2, max: 10_000, noNaN: true }),
      fc.integer({ min: 1, max: 10 }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      (interval, burst, now) => {
        let tat = 0;
        let answer = spend(tat, now, { interval, burst });
        while (answer >= 0) {
          tat = answer;
          answer = spend(tat, now, { interval, burst });
        }
        expect(spend(tat, now - answer, { interval, burst })).toBeGreaterThanOrEqual(0);
        expect(spend(tat, now - answer - 1, { interval, burst })).toBeLessThan(0);
      },
    ),
  );
});

describe('a cost above the burst', () => {
  const limit = { interval: 10, burst: 5 };

  test('a cost above the burst passes from a full bucket and is paid off afterwards', () => {
    const tat = spend(0, 1_000, limit, 20);
    expect(tat).toBe(1_200);
    expect(spend(tat, 1_149, limit)).toBeLessThan(0);
    expect(spend(tat, 1_160, limit)).toBeGreaterThan(0);
  });

  test('a cost above the burst is refused until the bucket is full', () => {
    const tat = spend(0, 1_000, limit, 1);
    expect(spend(tat, 1_000, limit, 20)).toBe(-10);
    expect(spend(tat, 1_010, limit, 20)).toBe(1_210);
  });
});

/** The same limit without any cleverness: what is owed goes down by one millisecond each millisecond. */
class Debt {
  #owed = 0;

  constructor(
    readonly interval: number,
    readonly burst: number,
  ) {}

  pass(milliseconds: number): void {
    for (let i = 0; i < milliseconds; i++) this.#owed = Math.max(0, this.#owed - 1);
  }

  hit(cost: number) {
    const { interval, burst } = this;
    const room = burst * interval - this.#owed;
    const needed = Math.max(cost, 1) * interval;
    const allowed = needed <= room;
    if (allowed) this.#owed += cost * interval;
    const left = Math.floor((burst * interval - this.#owed) / interval);
    return { allowed, remaining: left, retryAfter: allowed ? 0 : needed - room };
  }
}

test('property: each hit and each look has the outcome of a simulation by milliseconds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 8 })), { maxLength: 60 }),
      (interval, burst, steps) => {
        const model = new Debt(interval, burst);
        let tat = 0;
        let now = 1_000;
        for (const [wait, wanted] of steps) {
          now += wait;
          model.pass(wait);
          const cost = Math.min(wanted, burst);
          const { hit, next } = hitOf(tat, now, { interval, burst }, cost);
          expect(hit).toEqual(model.hit(cost));
          // A refused hit or a look leaves the debt unchanged.
          if (!hit.allowed || cost === 0) expect(next).toBe(tat);
          tat = next;
        }
      },
    ),
  );
});

test('property: a hit fits exactly if at least one remains', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 100_000, noNaN: true }),
      fc.integer({ min: 1, max: 50 }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }), { maxLength: 80 }),
      (interval, burst, start, waits) => {
        const limit = { interval, burst };
        let tat = 0;
        let now = start;
        for (const wait of waits) {
          now += wait;
          const before = remaining(tat, now, limit);
          expect(before).toBeLessThanOrEqual(burst);
          const { hit, next } = hitOf(tat, now, limit, 1);
          expect(hit.allowed).toBe(before >= 1);
          expect(hit.remaining).toBe(hit.allowed ? before - 1 : before);
          tat = next;
        }
      },
    ),
  );
});
