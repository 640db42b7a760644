import { describe, expect, test } from '@jest/globals';
import { Attempts, Turn } from '../../src/auth/attempts.ts';
import type { Denial, MaybePromise } from '../../src/decision.ts';
import { memoryStore } from '../../src/limits/memory-store.ts';
import { settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';

const limit = { interval: 1_000, burst: 2 };
const address = { bucket: '2001:db8::/64', coarser: '2001:db8::/56' };

function bench() {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  const attempts = new Attempts(store, limit);
  /** Whether a turn is had at once; it is given back. */
  const check = (source = address): MaybePromise<Turn | Denial> => {
    const turn = attempts.begin(source);
    if (turn instanceof Turn) turn.end();
    return turn;
  };
  return { clock, store, attempts, check };
}

test('a turn spends nothing; failing does, until time gives it back', () => {
  const { clock, attempts, check } = bench();
  for (let i = 0; i < 10; i++) expect(check()).toBeInstanceOf(Turn);
  attempts.failed(address);
  expect(check()).toBeInstanceOf(Turn);
  attempts.failed(address);
  expect(check()).toMatchObject({ reason: 'auth_attempts', retryAfter: 1_000 });
  expect(check({ ...address, bucket: '2001:db8:1::/64' })).toBeInstanceOf(Turn);
  clock.advance(1_000);
  expect(check()).toBeInstanceOf(Turn);
});

test('handshakes of the same address have a budget of their own', () => {
  const { store, check } = bench();
  for (let i = 0; i < 10; i++) store.hit(address.bucket, address.coarser, limit);
  expect(check()).toBeInstanceOf(Turn);
});

describe('while others are under way', () => {
  const outcome = (turn: MaybePromise<Turn | Denial>): string[] => {
    const seen: string[] = [];
    void Promise.resolve(turn).then((late) => seen.push(late instanceof Turn ? 'turn' : late.reason));
    return seen;
  };

  test('as many as may still fail have their turn, and the next waits for one of them', async () => {
    const { attempts } = bench();
    const first = attempts.begin(address) as Turn;
    expect(attempts.begin(address)).toBeInstanceOf(Turn);
    const third = outcome(attempts.begin(address));
    await settle();
    expect(third).toEqual([]);
    first.end();
    await settle();
    expect(third).toEqual(['turn']);
  });

  test('who has waited is refused when they have failed', async () => {
    const { attempts } = bench();
    const turns = [attempts.begin(address), attempts.begin(address)] as Turn[];
    const waiting = [outcome(attempts.begin(address)), outcome(attempts.begin(address))];
    for (const turn of turns) {
      attempts.failed(address);
      turn.end();
    }
    await settle();
    expect(waiting).toEqual([['auth_attempts'], ['auth_attempts']]);
  });

  test('ending twice gives one turn back', async () => {
    const { attempts } = bench();
    const first = attempts.begin(address) as Turn;
    attempts.begin(address);
    const waiting = [outcome(attempts.begin(address)), outcome(attempts.begin(address))];
    first.end();
    first.end();
    await settle();
    expect(waiting.flat()).toEqual(['turn']);
  });

  test('another address does not wait', () => {
    const { attempts } = bench();
    for (let i = 0; i < 2; i++) attempts.begin(address);
    expect(attempts.begin({ ...address, bucket: 'other' })).toBeInstanceOf(Turn);
  });

  test('with a store that answers later, no more begin than may', async () => {
    const { store } = bench();
    const attempts = new Attempts({ ...store, peek: async (...all) => store.peek(...all) }, limit);
    const waiting = Array.from({ length: 10 }, () => outcome(attempts.begin(address)));
    for (let i = 0; i < 5; i++) await settle();
    expect(waiting.flat()).toEqual(['turn', 'turn']);
  });
});
