import { describe, expect, test } from '@jest/globals';
import { type AttemptSource, Attempts, type FailureStore, Turn } from '../../src/auth/attempts.ts';
import { memoryStore } from '../../src/limits/memory-store.ts';
import { UNAVAILABLE } from '../../src/limits/precheck.ts';
import type { Denial, MaybePromise } from '../../src/vocabulary/decision.ts';
import type { Hit, HitRequest, PrecheckAnswer } from '../../src/vocabulary/store.ts';
import { settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';

const limit = { interval: 1_000, burst: 2 };
const address: AttemptSource = {
  bucket: '2001:db8::/64',
  coarser: ['2001:db8::/56', '2001:db8::/48'],
  bannable: true,
};
const FREE: Hit = { allowed: true, remaining: Number.POSITIVE_INFINITY, retryAfter: 0 };

/** `failures` is what the store that is shared says; without it there is this process alone. */
function bench(failures: FailureStore['failures'] = () => FREE) {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  const look = (request: HitRequest): Hit =>
    (store.precheck({ bans: [], hits: [request], leases: [] }) as PrecheckAnswer).hits[0] as Hit;
  const attempts = new Attempts(
    { localFailures: look, failures, chargeFailure: (request) => void store.charge(request) },
    limit,
  );
  /** Whether a turn is had at once; it is given back. */
  const check = (source = address, known?: Hit | typeof UNAVAILABLE): MaybePromise<Turn | Denial> => {
    const turn = attempts.begin(source, known);
    if (turn instanceof Turn) turn.end();
    return turn;
  };
  return { clock, store, attempts, check, look };
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
  const keys = [`handshake ${address.bucket}`] as const;
  for (let i = 0; i < 10; i++) store.precheck({ bans: [], hits: [{ keys, limit, cost: 1 }], leases: [] });
  expect(check()).toBeInstanceOf(Turn);
});

describe('what other nodes have counted', () => {
  const used: Hit = { allowed: false, remaining: 0, retryAfter: 700 };

  test('denies, whether it was asked before or is asked now', async () => {
    const asked: HitRequest[] = [];
    const { check } = bench(async (request) => {
      asked.push(request);
      return used;
    });
    expect(check(address, used)).toMatchObject({ reason: 'auth_attempts', retryAfter: 700 });
    expect(asked).toEqual([]);
    expect(await check()).toMatchObject({ reason: 'auth_attempts', retryAfter: 700 });
    // Looked at, not taken.
    expect(asked).toMatchObject([{ cost: 0 }]);
  });

  test('is not asked for where it is known, nor where this process has counted enough by itself', async () => {
    let asked = 0;
    const { attempts, check } = bench(async () => {
      asked++;
      return FREE;
    });
    expect(check(address, FREE)).toBeInstanceOf(Turn);
    for (let i = 0; i < 2; i++) attempts.failed(address);
    expect(check()).toMatchObject({ reason: 'auth_attempts' });
    // What the store said a moment ago is older than what this process knows.
    expect(check(address, FREE)).toMatchObject({ reason: 'auth_attempts' });
    expect(asked).toBe(0);
  });

  test('that cannot be had, where the policy wants it, denies without blaming anybody', async () => {
    const { check, look, attempts } = bench(() => Promise.resolve<typeof UNAVAILABLE>(UNAVAILABLE));
    expect(await check()).toMatchObject({ reason: 'store_unavailable' });
    expect(check(address, UNAVAILABLE)).toMatchObject({ reason: 'store_unavailable' });
    expect(look(attempts.request(address, 0)).remaining).toBe(2);
  });
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

  test('with a store that answers later, no more begin than may, and each asks it once', async () => {
    let asked = 0;
    const { attempts } = bench(async () => {
      asked++;
      return FREE;
    });
    const waiting = Array.from({ length: 10 }, () => outcome(attempts.begin(address)));
    for (let i = 0; i < 5; i++) await settle();
    expect(waiting.flat()).toEqual(['turn', 'turn']);
    expect(asked).toBe(10);
  });

  test('with a store that was asked before, no more begin than it leaves', async () => {
    const { attempts } = bench();
    const known = { ...FREE, remaining: 1 };
    const waiting = Array.from({ length: 10 }, () => outcome(attempts.begin(address, known)));
    await settle();
    expect(waiting.flat()).toEqual(['turn']);
  });
});
