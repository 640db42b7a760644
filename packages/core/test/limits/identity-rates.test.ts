import { describe, expect, test } from '@jest/globals';
import { memoryStore } from '@sallyport/core';
import type { Demand, Store } from '@sallyport/core/store';
import fc from 'fast-check';
import { type AskForShares, IdentityRates, request } from '../../src/limits/identity-rates.ts';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { auth, byName, Held, keys, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const as = (name: string) => upgradeRequest({ headers: { Authorization: `Bearer ${name}` } });
const LIMIT = { rate: '1/s', burst: 4 } as const;

function bench({ limits = {}, ...options }: { limits?: object; [option: string]: unknown } = {}) {
  const clock = new ManualClock();
  const guard = guardOf({
    clock,
    auth: [keys(byName).authenticator],
    limits: { identityMessages: LIMIT, ...limits },
    ...options,
  });
  const open = async (name: string, from = guard) => {
    const socket = new RecordingSocket();
    const connection = connect(await admitted(from, as(name)), socket);
    const send = (count: number) => {
      for (let i = 0; i < count; i++) connection.receive(say('hi'), false);
      return socket.delivered.length;
    };
    return { socket, connection, send, codes: () => socket.closes.map(({ code }) => code) };
  };
  return { clock, guard, open };
}

describe('in one process', () => {
  test('all connections of one identity share its rate, on every route, and other identities do not', async () => {
    const { clock, guard, open } = bench();
    const admin = guard.extend({ limits: { lifetime: '1h' } });
    const [one, two, other] = [await open('alice'), await open('alice', admin), await open('bob')];
    expect([one.send(2), two.send(2), other.send(4)]).toEqual([2, 2, 4]);
    const denied = collect<'message.denied'>(guard, 'message.denied');
    clock.advance(2_000);
    expect([two.send(2), one.send(1)]).toEqual([4, 2]);
    expect([one.codes(), two.codes(), other.codes()]).toEqual([[4429], [], []]);
    expect(denied).toEqual([expect.objectContaining({ subject: 'alice', reason: 'message_rate' })]);
  });

  test('reconnecting does not reset a rate that is used up', async () => {
    const { clock, open } = bench();
    const first = await open('alice');
    first.send(4);
    first.connection.closed(1000);
    const second = await open('alice');
    expect(second.send(1)).toBe(0);
    second.connection.closed(4429);
    clock.advance(2_000);
    expect((await open('alice')).send(2)).toBe(2);
  });

  test("a connection that authenticates by its first message uses that identity's rate", async () => {
    const { guard, open } = bench({ firstMessage: true });
    (await open('alice')).send(3);
    const socket = new RecordingSocket();
    const receiver = (await admitted(guard, upgradeRequest())).open(socket, () => {});
    receiver.receive(auth('alice'), false);
    await settle();
    for (let i = 0; i < 2; i++) receiver.receive(say('hi'), false);
    expect([socket.delivered.length, socket.closes.map(({ code }) => code)]).toEqual([1, [4429]]);
  });

  test('anonymous clients have no rate per identity', async () => {
    const guard = guardOf({ limits: { identityMessages: LIMIT } });
    const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
    const sockets = [new RecordingSocket(), new RecordingSocket()];
    for (const socket of sockets) {
      const connection = connect(await admitted(guard, request), socket);
      for (let i = 0; i < 4; i++) connection.receive(say('hi'), false);
    }
    expect(sockets.map(({ closes }) => closes)).toEqual([[], []]);
  });

  test('throttled connections of one identity take turns and together keep to the rate', async () => {
    const { clock, open } = bench({ onRate: 'throttle' });
    const [one, two] = [await open('alice'), await open('alice')];
    one.send(7);
    two.send(5);
    expect(one.socket.calls).toEqual(['pause']);
    for (let second = 1; second <= 8; second++) {
      clock.advance(1_000);
      expect(one.socket.delivered.length + two.socket.delivered.length).toBe(4 + second);
    }
    expect([one.codes(), two.codes()]).toEqual([[], []]);
    expect([one.socket.calls, two.socket.calls]).toEqual([
      ['pause', 'resume'],
      ['pause', 'resume'],
    ]);
  });

  test("in report-only mode a message above the identity's rate passes and is reported", async () => {
    const { open } = bench({ report: ['message-rate'] });
    expect((await open('alice')).send(20)).toBe(20);
  });
});

describe('the buckets', () => {
  const limit = { interval: 1_000, burst: 4 };

  test('the bucket of an identity is removed with its last connection, or once it is full again', () => {
    const clock = new ManualClock();
    const rates = new IdentityRates(limit, clock);
    const [one, two] = [rates.enter('alice'), rates.enter('alice')];
    expect(one).toBe(two);
    rates.leave(one);
    expect(rates.size).toBe(1);
    rates.leave(two);
    expect(rates.size).toBe(0);

    const share = rates.enter('alice');
    share.tat = request(share, clock.monotonic());
    rates.leave(share);
    rates.tick();
    expect([rates.size, rates.enter('alice') === share]).toEqual([1, true]);
    rates.leave(share);
    clock.advance(1_000);
    rates.tick();
    expect(rates.size).toBe(0);
  });

  test('the buckets of identities without a connection are bounded', () => {
    const clock = new ManualClock();
    const rates = new IdentityRates(limit, clock);
    for (let i = 0; i < 10_050; i++) {
      const share = rates.enter(`user ${i}`);
      share.tat = request(share, clock.monotonic());
      rates.leave(share);
    }
    expect(rates.size).toBe(10_000);
  });
});

/** What nodes were asked for in their last two intervals; each has a part by its demand, and never nothing. */
class DemandBoard {
  readonly #nodes = new Map<number, { hits: number; at: number }>();
  away = false;

  constructor(readonly clock: ManualClock) {}

  askFrom(node: number): AskForShares {
    return async (demands) => (this.away ? undefined : demands.map((demand) => this.#share(node, demand)));
  }

  #share(node: number, { hits }: Demand): number {
    const now = this.clock.monotonic();
    this.#nodes.set(node, { hits, at: now });
    let all = 0;
    for (const [other, entry] of this.#nodes) {
      if (now - entry.at > 2_500) this.#nodes.delete(other);
      else all += entry.hits + 1;
    }
    return (hits + 1) / all;
  }
}

describe('on several nodes', () => {
  const STEP = 50;
  /** So many messages a second, with so many at once. */
  const [RATE, BURST] = [20, 10];
  const limit = { interval: 1_000 / RATE, burst: BURST };
  /** Seconds after which a change of demand has reached everybody: one of it, one more until all have heard of it. */
  const SETTLED = 3;

  /** Lets the nodes be asked for so much each second; how many messages passed in each step. */
  function cluster(size: number) {
    const clock = new ManualClock();
    const board = new DemandBoard(clock);
    const nodes = Array.from({ length: size }, (_, i) => {
      const rates = new IdentityRates(limit, clock, board.askFrom(i));
      return { rates, share: rates.enter('alice') };
    });
    let time = 0;
    const run = async (demand: readonly number[], seconds: number): Promise<number[]> => {
      const passed: number[] = [];
      for (const end = time + seconds * 1_000; time < end; ) {
        let count = 0;
        for (const [i, { share }] of nodes.entries()) {
          const perStep = ((demand[i] ?? 0) * STEP) / 1_000;
          const due = Math.floor(((time % 1_000) / STEP + 1) * perStep + 1e-9);
          const had = Math.floor(((time % 1_000) / STEP) * perStep + 1e-9);
          for (let n = had; n < due; n++) {
            const next = request(share, clock.monotonic());
            if (next < 0) continue;
            share.tat = next;
            count++;
          }
        }
        passed.push(count);
        clock.advance(STEP);
        time += STEP;
        if (time % 1_000 !== 0) continue;
        for (const { rates } of nodes) rates.tick();
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      }
      return passed;
    };
    return { run, board, nodes };
  }

  /** By how much the fullest window, of whatever length, is above the rate. */
  const worstExcess = (passed: readonly number[], perStep: number) => {
    let worst = 0;
    let here = 0;
    for (const count of passed) {
      here = Math.max(0, here) + count - perStep;
      worst = Math.max(worst, here);
    }
    return worst;
  };
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

  test('property: several nodes together exceed a limit only after the demand moves, and use most of it otherwise', () => {
    const demands = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 4, maxLength: 4 });
    return fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(demands, { minLength: 1, maxLength: 4 }),
        async (size, phases) => {
          const { run } = cluster(size);
          for (const demand of phases) {
            const first = await run(demand, SETTLED);
            expect(sum(first)).toBeLessThanOrEqual(size * (BURST + RATE * SETTLED));
            const settled = await run(demand, 8);
            // Messages are whole, so each node may exceed its part by a fraction.
            expect(worstExcess(settled, (RATE * STEP) / 1_000)).toBeLessThanOrEqual(BURST + size);
            const asked = Math.min(RATE, sum(demand.slice(0, size)));
            expect(sum(settled)).toBeGreaterThanOrEqual(8 * asked * 0.8 - size);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a node without competing demand has the whole limit', async () => {
    const { run, nodes } = cluster(3);
    await run([40, 40, 40], 5);
    expect(nodes.map(({ share }) => Math.round(share.part * 100))).toEqual([33, 33, 33]);
    await run([40, 0, 0], 5);
    expect(sum(await run([40, 0, 0], 5))).toBeGreaterThanOrEqual(RATE * 5 * 0.9);
  });

  test('while the store does not answer, each node keeps its part of the limit', async () => {
    const { run, board, nodes } = cluster(2);
    await run([30, 10], 5);
    const parts = nodes.map(({ share }) => share.part);
    expect(parts[0]).toBeCloseTo(31 / 42, 1);
    board.away = true;
    const passed = await run([10, 30], 10);
    expect(nodes.map(({ share }) => share.part)).toEqual(parts);
    expect(sum(passed)).toBeLessThanOrEqual(RATE * 10 + BURST + 2);
    board.away = false;
    await run([10, 30], 3);
    expect(nodes[1]?.share.part).toBeGreaterThan(0.6);
  });

  test.each<[string, AskForShares]>([
    ['nonsense', async () => [Number.NaN]],
    ['nothing', async () => [0]],
    ['too much', async () => [7]],
    ['no answer for it', async () => []],
    ['a failure', () => Promise.reject(new Error('down'))],
  ])('a store that answers with %s leaves the node the whole limit and no more', async (_what, ask) => {
    const rates = new IdentityRates(limit, new ManualClock(), ask);
    const share = rates.enter('alice');
    for (let i = 0; i < 3; i++) {
      request(share, 1_000);
      rates.clock.schedule(0, () => {});
      (rates.clock as ManualClock).advance(1_000);
      rates.tick();
      await settle();
    }
    expect([share.part, share.limit.interval, share.limit.burst]).toEqual([1, limit.interval, BURST]);
  });

  test('a slow store is asked again only after it has answered', async () => {
    const held = new Held<readonly number[]>();
    const clock = new ManualClock();
    const rates = new IdentityRates(limit, clock, held.ask);
    const share = rates.enter('alice');
    for (let i = 0; i < 5; i++) {
      request(share, clock.monotonic());
      clock.advance(1_000);
      rates.tick();
    }
    expect(held.count).toBe(1);
    await held.answer([0.5]);
    expect(share.part).toBe(0.5);
    clock.advance(1_000);
    rates.tick();
    expect(held.count).toBe(1);
  });
});

test('a guard with a shared store reports its demand once a second, and no message waits for the answer', async () => {
  const told: (readonly [readonly Demand[], number])[] = [];
  const clock = new ManualClock();
  const memory = memoryStore({ clock });
  const shares: Store['shares'] = (demands, interval) => {
    told.push([demands, interval]);
    return Promise.resolve(demands.map(() => 0.5));
  };
  const store = new Proxy(memory, {
    get: (target, name: keyof Store) => (name === 'shares' ? shares : target[name].bind(target as never)),
  });
  const { open } = bench({ clock, store });
  const alice = await open('alice');
  await open('bob');
  expect(alice.send(3)).toBe(3);
  clock.advance(1_000);
  expect(told).toEqual([[[{ key: 'messages alice', hits: 3 }], 1_000]]);
  await settle();
  // A burst takes four seconds. Two are left, and a message now costs two.
  expect(alice.send(1)).toBe(4);
  clock.advance(1_000);
  await settle();
  clock.advance(1_000);
  expect(told.slice(1)).toEqual([
    [[{ key: 'messages alice', hits: 1 }], 1_000],
    // A node with a part of the limit keeps reporting, to get the whole limit back.
    [[{ key: 'messages alice', hits: 0 }], 1_000],
  ]);
  expect(alice.send(2)).toBe(5);
  expect(alice.codes()).toEqual([4429]);
});
