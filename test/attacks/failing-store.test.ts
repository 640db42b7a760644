// D9: when a store throws, rejects or hangs, no client waits longer than the store's deadline, and each check does what its
// option in onStoreFailure says. Tickets and unknown revocations are refused. All of it works again when the store is back.
import { describe, expect, test } from '@jest/globals';
import { tickets } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { type Behaviour, SharedStore } from '../../packages/core/test/support/shared-store.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, chatJwt, NOW, type PolicyOverrides, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import type { Answer, HandshakeOptions } from '../support/wire.ts';

const HERE = '203.0.113.7';
const by = (headers: object = {}, target = '/chat'): HandshakeOptions => ({
  target,
  headers: { 'X-Forwarded-For': HERE, 'X-Forwarded-Proto': 'https', Origin: APP, ...headers },
});
const as = async (subject: string) =>
  by({ Authorization: `Bearer ${await token({ sub: subject, exp: NOW + 3_600 })}` });
const DEADLINE = 500;

describe.each(hosts)('$name', (host) => {
  const { start, dial } = applications();

  const serve = async (options: PolicyOverrides = {}) => {
    const clock = new ManualClock();
    const store = new SharedStore(clock);
    const told: string[] = [];
    const guard = chatGuard({
      clock,
      store,
      auth: [chatJwt(), tickets()],
      trustedProxies: ['127.0.0.1'],
      ...options,
    });
    for (const name of ['store.failing', 'store.recovered', 'fault'] as const)
      guard.on(name, () => told.push(name));
    const app = await start(host, { guard });
    /** The answer, and how long it took by the guard's clock. Each call that the store never answers takes its deadline. */
    const attempt = async (request: HandshakeOptions): Promise<{ answer: Answer; took: number }> => {
      const wire = await dial(app);
      const began = clock.monotonic();
      let seen = store.asked.length;
      let answer: Answer | undefined;
      const answering = wire
        .handshake(request)
        .head()
        .then((head) => {
          answer = head;
        });
      for (;;) {
        await eventually(() => answer !== undefined || store.asked.length > seen, 'an answer, or a question');
        if (answer !== undefined) break;
        seen = store.asked.length;
        // A store that does not hang has answered by now.
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
        if (answer === undefined && store.asked.length === seen && store.hanging > 0) clock.advance(DEADLINE);
      }
      await answering;
      return { answer, took: clock.monotonic() - began };
    };
    const outcome = async (request: HandshakeOptions) => verdict((await attempt(request)).answer);
    const lose = async (how: Behaviour) => {
      store.behave(how);
      for (let i = 0; i < 3 && !told.includes('store.failing'); i++) await attempt(await as(`lost${i}`));
      expect(told).toContain('store.failing');
    };
    const bring = async () => {
      store.wake();
      for (let step = 0; step < 6; step++) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.advance(250);
      }
      await eventually(() => told.includes('store.recovered'), 'the end of the failure');
    };
    return { clock, store, guard, told, attempt, outcome, lose, bring };
  };

  describe.each<Behaviour>(['throws', 'rejects', 'hangs'])('a store that %s', (how) => {
    test('a failing store delays a handshake by one deadline per call at most, and after three failures not at all', async () => {
      const { store, attempt, told } = await serve();
      store.behave(how);
      const took = [];
      for (let i = 0; i < 5; i++) {
        const { answer, took: time } = await attempt(await as(`user${i}`));
        expect(answer.status).toBe(101);
        took.push(time);
      }
      // Three calls in a row fail, then the circuit breaker is open.
      expect(took).toEqual(how === 'hangs' ? [2 * DEADLINE, DEADLINE, 0, 0, 0] : [0, 0, 0, 0, 0]);
      expect(told).toEqual(['store.failing']);
    });

    const checks: [string, PolicyOverrides, (of: Awaited<ReturnType<typeof serve>>) => unknown, string][] = [
      [
        'handshakes',
        { limits: { handshakes: { rate: '1/h', burst: 4 } } },
        async ({ outcome }) => {
          for (let i = 0; i < 4; i++) await outcome(await as(`user${i}`));
        },
        '429 handshake_rate',
      ],
      [
        'authFailures',
        { limits: { authFailures: { rate: '1/h', burst: 2 } } },
        async ({ outcome }) => {
          for (let i = 0; i < 2; i++) await outcome(by({ Authorization: 'Bearer wrong' }));
        },
        '429 auth_attempts',
      ],
      ['bans', {}, () => undefined, '403 banned'],
      ['connections', { limits: { connections: 1 } }, () => undefined, '503 capacity'],
    ];
    test.each(checks)(
      "onStoreFailure.%s: 'closed' gives 503, 'open' admits, 'local' counts on this node",
      async (check, policy, exhaust, local) => {
        for (const [mode, expected] of [
          ['closed', '503 store_unavailable'],
          ['open', 'admitted'],
          ['local', local],
        ] as const) {
          const of = await serve({ ...policy, onStoreFailure: { [check]: mode } });
          // This node keeps what it has told the store before the failure.
          if (check === 'bans') await of.guard.bans.add({ address: HERE });
          if (check === 'connections') await of.outcome(await as('first'));
          await of.lose(how);
          await exhaust(of);
          expect([mode, await of.outcome(await as('alice'))]).toEqual([mode, expected]);
        }
      },
    );

    test('while the store fails a ticket gets 503 with Retry-After and none is issued; another ticket is admitted later', async () => {
      const { guard, outcome, attempt, lose, bring } = await serve();
      const issue = () => guard.tickets.issue({ subject: 'alice', origin: APP, route: '/chat' });
      const [first, second] = [await issue(), await issue()];
      await lose(how);
      const { answer } = await attempt(by({}, `/chat?ticket=${first}`));
      expect([verdict(answer), answer.headers['retry-after']]).toEqual(['503 store_unavailable', '1']);
      await expect(issue()).rejects.toThrow('not available');
      await bring();
      expect(await outcome(by({}, `/chat?ticket=${second}`))).toBe('admitted');
    });

    test('a store that is back is used again, and store.failing and store.recovered are emitted once each time', async () => {
      const { store, guard, told, outcome, lose, bring } = await serve({
        onStoreFailure: { handshakes: 'closed' },
      });
      for (let round = 1; round <= 2; round++) {
        told.splice(0);
        await lose(how);
        expect(await outcome(await as('alice'))).toBe('503 store_unavailable');
        await bring();
        expect(await outcome(await as('alice'))).toBe('admitted');
        expect(told).toEqual(['store.failing', 'store.recovered']);
      }
      store.takeAsked();
      expect(await outcome(await as('alice'))).toBe('admitted');
      expect(store.takeAsked()).toEqual(['precheck', 'acquire']);
      expect(guard.stats().denied).toEqual({ store_unavailable: expect.any(Number) });
    });
  });

  test('a store with revocations older than 30 s: new handshakes get 503, open connections stay', async () => {
    const { store, guard, outcome } = await serve();
    expect(await outcome(await as('alice'))).toBe('admitted');
    store.stale = 30_001;
    expect(await outcome(await as('alice'))).toBe('503 store_unavailable');
    await eventually(() => guard.stats().connections === 1, 'the one that was open');
    store.stale = 0;
    expect(await outcome(await as('alice'))).toBe('admitted');
  });

  test('a slot that the store grants after its deadline is released', async () => {
    const { store, guard, attempt } = await serve();
    store.behave('lags', 'acquire');
    const { answer, took } = await attempt(await as('alice'));
    expect([answer.status, took, store.held]).toEqual([101, DEADLINE, 1]);
    store.wake();
    await eventually(() => store.held === 0, 'the slot');
    expect(guard.stats().admitted).toBe(1);
  });
});
