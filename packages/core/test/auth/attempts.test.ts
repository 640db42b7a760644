import { describe, expect, test } from '@jest/globals';
import { type AttemptSource, Attempts, type FailureStore, Turn } from '../../src/auth/attempts.ts';
import { memoryStore } from '../../src/limits/memory-store.ts';
import { UNAVAILABLE } from '../../src/limits/precheck.ts';
import type { Denial, MaybePromise } from '../../src/vocabulary/decision.ts';
import type { Hit, HitRequest, PrecheckAnswer } from '../../src/vocabulary/store-contract.ts';
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

test('a turn spends nothing of the budget; a failure spends one until time gives it back', () => {
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

test('failed authentications and handshakes of one address have separate budgets', () => {
  const { store, check } = bench();
  const keys = [`handshake ${address.bucket}`] as const;
  for (let i = 0; i < 10; i++) store.precheck({ bans: [], hits: [{ keys, limit, cost: 1 }], leases: [] });
  expect(check()).toBeInstanceOf(Turn);
});

describe('what other nodes have counted', () => {
  const used: Hit = { allowed: false, remaining: 0, retryAfter: 700 };

  test('a budget that other nodes have spent denies, in the answer given before and when asked now', async () => {
    const asked: HitRequest[] = [];
    const { check } = bench(async (request) => {
      asked.push(request);
      return used;
    });
    expect(check(address, used)).toMatchObject({ reason: 'auth_attempts', retryAfter: 700 });
    expect(asked).toEqual([]);
    expect(await check()).toMatchObject({ reason: 'auth_attempts', retryAfter: 700 });
    // The budget was checked, not spent.
    expect(asked).toMatchObject([{ cost: 0 }]);
  });

  test('the store is not asked if its answer is known or this process alone has spent the budget', async () => {
    let asked = 0;
    const { attempts, check } = bench(async () => {
      asked++;
      return FREE;
    });
    expect(check(address, FREE)).toBeInstanceOf(Turn);
    for (let i = 0; i < 2; i++) attempts.failed(address);
    expect(check()).toMatchObject({ reason: 'auth_attempts' });
    // This process knows more than the store's earlier answer.
    expect(check(address, FREE)).toMatchObject({ reason: 'auth_attempts' });
    expect(asked).toBe(0);
  });

  test('a store that does not answer, with a closed check, denies with store_unavailable and counts no failure', async () => {
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

  test('verifications in progress up to the budget have a turn, and the next one waits for one to end', async () => {
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

  test('an attempt that waited is denied once those before it have failed', async () => {
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

  test('ending a turn twice gives one turn back', async () => {
    const { attempts } = bench();
    const first = attempts.begin(address) as Turn;
    attempts.begin(address);
    const waiting = [outcome(attempts.begin(address)), outcome(attempts.begin(address))];
    first.end();
    first.end();
    await settle();
    expect(waiting.flat()).toEqual(['turn']);
  });

  test('an attempt of another address does not wait', () => {
    const { attempts } = bench();
    for (let i = 0; i < 2; i++) attempts.begin(address);
    expect(attempts.begin({ ...address, bucket: 'other' })).toBeInstanceOf(Turn);
  });

  test('with an asynchronous store, no more verifications begin than the budget allows, and each asks once', async () => {
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

  test('with an answer of the store given before, no more verifications begin than it leaves', async () => {
    const { attempts } = bench();
    const known = { ...FREE, remaining: 1 };
    const waiting = Array.from({ length: 10 }, () => outcome(attempts.begin(address, known)));
    await settle();
    expect(waiting.flat()).toEqual(['turn']);
  });
});
