// What a guard asks of a store that it shares with others, and what becomes of it when that is away.
import { describe, expect, test } from '@jest/globals';
import { anonymous, bearer, custom, tickets } from '@sallyport/core';
import { admitted, connect, decide, outcomeOf } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { auth, byName, keys, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { type Behaviour, SharedStore } from '../support/shared-store.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const APP = 'https://app.example.com';
const from = (address: string, headers: Record<string, string> = {}, target = '/chat') =>
  upgradeRequest({ peer: { address, encrypted: true }, headers: { Origin: APP, ...headers }, target });
const as = (name: string, address = '203.0.113.7') => from(address, { Authorization: `Bearer ${name}` });
const withTicket = (ticket: string) => from('203.0.113.7', {}, `/chat?ticket=${ticket}`);

async function bench(options: object = {}, behaviour: Behaviour = 'later') {
  const clock = new ManualClock();
  const store = new SharedStore(clock, { behaviour });
  const guard = guardOf({
    clock,
    store,
    origins: [APP],
    auth: [keys(byName).authenticator, tickets(), ...((options as { more?: [] }).more ?? [])],
    limits: {
      handshakes: { rate: '1000/s', burst: 1_000 },
      connectionsPerAddress: 1_000,
      connectionsPerIdentity: 1_000,
    },
    ...Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'more')),
  });
  await settle();
  store.takeAsked();
  const ticket = () => guard.tickets.issue({ subject: 'alice', origin: APP, route: '/chat' });
  /** Handshakes that find the store away, until it is not asked any more. */
  const lose = async (how: Behaviour) => {
    store.behave(how);
    for (let i = 0; i < 3; i++) {
      const deciding = outcomeOf(guard, as(`lost${i}`));
      for (let step = 0; step < 4; step++) {
        await settle();
        clock.advance(500);
      }
      await deciding;
    }
    store.takeAsked();
  };
  const bring = async () => {
    store.wake();
    // In steps, so that what is asked in between can be answered in time.
    for (let step = 0; step < 5; step++) {
      await settle();
      clock.advance(250);
    }
    await settle();
  };
  return { clock, store, guard, ticket, lose, bring };
}

describe('round trips', () => {
  test('a handshake makes one round trip before authentication and one after', async () => {
    const asked: string[] = [];
    const clock = new ManualClock();
    const store = new SharedStore(clock);
    const note = custom({
      scheme: 'key',
      from: [bearer()],
      authenticate: () => {
        asked.push(...store.takeAsked(), 'authenticated');
        return { subject: 'alice' };
      },
    });
    const guard = guardOf({ clock, store, auth: [note], origins: [APP] });
    await settle();
    store.takeAsked();
    const admission = await admitted(guard, as('alice'));
    expect([...asked, ...store.takeAsked()]).toEqual(['precheck', 'authenticated', 'acquire']);
    const connection = connect(admission, new RecordingSocket());
    for (let i = 0; i < 20; i++) connection.receive(say('hi'), false);
    for (let i = 0; i < 3; i++) connection.receive('garbage', false);
    connection.closed(1000);
    clock.advance(60_000);
    await settle();
    expect(store.takeAsked()).toEqual([]);
  });

  test('a ticket adds one round trip to be redeemed, and one to be issued', async () => {
    const { guard, store, ticket } = await bench();
    const issued = await ticket();
    expect(store.takeAsked()).toEqual(['put']);
    await admitted(guard, withTicket(issued));
    expect(store.takeAsked()).toEqual(['precheck', 'redeem', 'acquire']);
  });

  test('a denied handshake makes no more round trips than it needs', async () => {
    const { guard, store } = await bench();
    await outcomeOf(guard, upgradeRequest({ method: 'POST' }));
    expect(store.takeAsked()).toEqual([]);
    await outcomeOf(guard, from('203.0.113.7', { Origin: 'https://evil.example' }));
    expect(store.takeAsked()).toEqual(['precheck']);
    // The failure is told without anybody waiting.
    expect(await outcomeOf(guard, as('wrong'))).toBe('credential_invalid');
    expect(store.takeAsked()).toEqual(['precheck', 'charge']);
  });

  test('an anonymous handshake makes as many round trips as any other', async () => {
    const { guard, store } = await bench({ more: [anonymous()] });
    await admitted(guard, from('203.0.113.7'));
    expect(store.takeAsked()).toEqual(['precheck', 'acquire']);
  });

  test('a pending connection holds slots of its own, and makes one round trip before and one after its authentication', async () => {
    const { guard, store } = await bench({ firstMessage: true });
    const admission = await admitted(guard, from('203.0.113.7'));
    // Its slots as a connection stay when those of pending ones are given back: two leases.
    expect(store.takeAsked()).toEqual(['precheck', 'acquire', 'acquire']);
    const receiver = admission.open(new RecordingSocket(), () => {});
    receiver.receive(auth('alice'), false);
    for (let i = 0; i < 3; i++) await settle();
    expect(store.takeAsked()).toEqual(['precheck', 'acquire']);
    expect(guard.stats()).toMatchObject({ connections: 1, pending: 0 });
  });

  test('explain() takes nothing from the store', async () => {
    const { guard, store } = await bench({
      limits: { handshakes: { rate: '1/h', burst: 1 }, connections: 1 },
    });
    for (let i = 0; i < 5; i++) {
      const { stages } = await guard.explain(as('alice'));
      expect(stages.find(({ stage }) => stage === 'rate')).toMatchObject({ outcome: 'pass' });
    }
    expect([store.takeAsked(), store.held]).toEqual([Array(5).fill('precheck'), 0]);
    const admission = await admitted(guard, as('alice'));
    // The slots of its address are looked at, although nothing is taken.
    const { stages } = await guard.explain(as('alice'));
    expect(stages.map(({ outcome, reason }) => reason ?? outcome)).toContain('handshake_rate');
    const other = await guard.explain(as('alice', '203.0.113.8'));
    expect(other.stages.at(-1)).toMatchObject({ stage: 'admission', outcome: 'deny', reason: 'capacity' });
    admission.release();
    expect((await guard.explain(as('alice', '203.0.113.8'))).stages.at(-1)).toMatchObject({
      outcome: 'pass',
    });
  });
});

describe('of N + 1 at once exactly N are admitted', () => {
  const N = 5;
  const caps: [string, object, string, (i: number) => ReturnType<typeof as>][] = [
    ['in total', { connections: N }, 'capacity', (i) => as(`user${i}`, `203.0.113.${i}`)],
    ['of one address', { connectionsPerAddress: N }, 'connection_limit', (i) => as(`user${i}`)],
    [
      'of one identity',
      { connectionsPerIdentity: N },
      'connection_limit',
      (i) => as('alice', `203.0.113.${i}`),
    ],
  ];
  test.each(caps)(
    'of N + 1 simultaneous handshakes on two nodes with a slow store, exactly N are admitted %s',
    async (_what, limits, reason, request) => {
      const clock = new ManualClock();
      const store = new SharedStore(clock);
      const nodes = [1, 2].map(() =>
        guardOf({ clock, store, origins: [APP], auth: [keys(byName).authenticator], limits }),
      );
      const decisions = await Promise.all(
        Array.from({ length: 4 * N }, (_, i) => decide(nodes[i % 2] as (typeof nodes)[0], request(i))),
      );
      const outcomes = decisions.map((decision) => (decision.denied ? decision.reason : 'admitted'));
      expect(outcomes.filter((outcome) => outcome === 'admitted')).toHaveLength(N);
      expect(outcomes.filter((outcome) => outcome === reason)).toHaveLength(3 * N);
      for (const decision of decisions) if (!decision.denied) decision.release();
      expect(store.slots).toEqual([]);
    },
  );

  test('of N + 1 handshakes without the store exactly N are admitted, with those that the store admitted before', async () => {
    const { guard, store, lose, bring } = await bench({ limits: { connections: 3 } });
    const before = await admitted(guard, as('alice', '203.0.113.1'));
    await lose('rejects');
    const all = [before];
    for (let i = 0; i < 2; i++) all.push(await admitted(guard, as(`user${i}`, `203.0.113.${i}`)));
    expect(await outcomeOf(guard, as('bob', '203.0.113.9'))).toBe('capacity');
    await bring();
    for (const admission of all) admission.release();
    expect(store.held).toBe(0);
    await lose('rejects');
    for (let i = 0; i < 3; i++) await admitted(guard, as(`user${i}`, `203.0.113.${i}`));
    expect(await outcomeOf(guard, as('bob', '203.0.113.9'))).toBe('capacity');
  });
});

test('a connection whose slots the store has lost is closed', async () => {
  const { guard, store } = await bench({ firstMessage: true });
  const [socket, late] = [new RecordingSocket(), new RecordingSocket()];
  connect(await admitted(guard, as('alice')), socket);
  const receiver = (await admitted(guard, from('203.0.113.7'))).open(late, () => {});
  receiver.receive(auth('bob'), false);
  for (let i = 0; i < 3; i++) await settle();
  store.loseAll();
  expect([socket.closes, late.closes]).toMatchObject([[{ code: 4429 }], [{ code: 4429 }]]);
});

describe.each<Behaviour>(['throws', 'rejects', 'hangs'])('while a store %s', (how) => {
  test('with a failing store, a ticket is not redeemed or issued: 503 and not 401', async () => {
    const { guard, ticket, lose, bring, clock } = await bench();
    const [first, second] = [await ticket(), await ticket()];
    await lose(how);
    expect(await outcomeOf(guard, withTicket(first))).toBe('store_unavailable');
    await expect(ticket()).rejects.toThrow('not available');
    expect(guard.stats().denied).not.toHaveProperty('credential_invalid');
    await bring();
    expect(clock.now()).toBeLessThan(new ManualClock().now() + 30_000);
    expect(await outcomeOf(guard, withTicket(second))).toBe('admitted');
  });

  test('with a store that hangs, a handshake takes two deadlines at most, and later ones none', async () => {
    const { guard, store, clock } = await bench();
    store.behave(how);
    const faults = collect(guard, 'fault');
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      const start = clock.monotonic();
      let outcome = '';
      const deciding = outcomeOf(guard, as(`user${i}`)).then((late) => {
        outcome = late;
      });
      for (let step = 0; step < 20 && outcome === ''; step++) {
        await settle();
        if (outcome === '') clock.advance(100);
      }
      await deciding;
      expect(outcome).toBe('admitted');
      waits.push(clock.monotonic() - start);
    }
    expect(waits).toEqual(how === 'hangs' ? [1_000, 500, 0, 0, 0, 0] : Array(6).fill(0));
    expect([store.count('precheck') + store.count('acquire'), faults]).toEqual([3, []]);
  });

  test('with a failing store, each check does what onStoreFailure says', async () => {
    const modes = ['closed', 'open', 'local'] as const;
    const outcomes: Record<string, string[]> = {};
    for (const mode of modes) {
      const of = (check: string) => bench({ onStoreFailure: { [check]: mode } });
      const handshakes = await bench({
        onStoreFailure: { handshakes: mode },
        limits: { handshakes: { rate: '1/h', burst: 5 } },
      });
      await handshakes.lose(how);
      const failures = await of('authFailures');
      await failures.lose(how);
      const bans = await of('bans');
      await bans.guard.bans.add({ address: '203.0.113.7' });
      await bans.lose(how);
      const connections = await bench({ onStoreFailure: { connections: mode }, limits: { connections: 1 } });
      await admitted(connections.guard, as('alice'));
      await connections.lose(how);
      const last = async ({ guard }: typeof failures, request: ReturnType<typeof as>, times = 1) => {
        let outcome = '';
        for (let i = 0; i < times; i++) outcome = await outcomeOf(guard, request);
        return outcome;
      };
      outcomes[mode] = [
        await last(handshakes, as('alice'), 6),
        await last(failures, as('wrong'), 25),
        await last(bans, as('alice')),
        await last(connections, as('bob')),
      ];
    }
    expect(outcomes).toEqual({
      closed: ['store_unavailable', 'store_unavailable', 'store_unavailable', 'store_unavailable'],
      open: ['admitted', 'credential_invalid', 'admitted', 'admitted'],
      local: ['handshake_rate', 'auth_attempts', 'banned', 'capacity'],
    });
  });

  test('with authFailures closed and a failing store, a handshake without a credential is admitted', async () => {
    const { guard, lose } = await bench({ onStoreFailure: { authFailures: 'closed' }, more: [anonymous()] });
    await lose(how);
    expect(await outcomeOf(guard, as('alice'))).toBe('store_unavailable');
    expect(await outcomeOf(guard, from('203.0.113.7'))).toBe('admitted');
  });

  test('with handshakes closed and a failing store, the handshake is denied although the rate only reports', async () => {
    const { guard, lose } = await bench({ onStoreFailure: { bans: 'closed' }, report: ['rate'] });
    await lose(how);
    expect(await outcomeOf(guard, as('alice'))).toBe('store_unavailable');
    const rate = (await guard.explain(as('alice'))).stages.find(({ stage }) => stage === 'rate');
    expect(rate).toMatchObject({ outcome: 'deny', reason: 'store_unavailable' });
  });

  test('an outage of the store and its end are reported once each', async () => {
    const { guard, lose, bring } = await bench();
    const [failing, recovered] = [collect(guard, 'store.failing'), collect(guard, 'store.recovered')];
    await lose(how);
    for (let i = 0; i < 5; i++) await outcomeOf(guard, as('alice'));
    expect([failing.length, recovered]).toEqual([1, []]);
    expect(failing[0]).toMatchObject({ guard: 'default', error: expect.any(Error) });
    await bring();
    expect(recovered).toMatchObject([{ guard: 'default', milliseconds: expect.any(Number) }]);
    expect(await outcomeOf(guard, as('alice'))).toBe('admitted');
    expect([failing.length, recovered.length]).toEqual([1, 1]);
  });
});

describe('a lease that comes too late', () => {
  test('a lease granted after the deadline is released, and the connection counts in this process', async () => {
    const { guard, store, clock } = await bench();
    store.behave('lags', 'acquire');
    const deciding = decide(guard, as('alice'));
    await settle();
    clock.advance(500);
    const admission = await deciding;
    expect([admission.denied, store.held]).toEqual([false, 1]);
    store.wake();
    await settle();
    expect(store.held).toBe(0);
  });
});

describe('revocations', () => {
  test('revocations that were not heard of for too long deny handshakes and close nothing', async () => {
    const { guard, store } = await bench({ firstMessage: true, renewal: true });
    const socket = new RecordingSocket();
    const connection = connect(await admitted(guard, as('alice')), socket);
    const pending = new RecordingSocket();
    const receiver = (await admitted(guard, from('203.0.113.7'))).open(pending, () => {
      throw new Error('it was let in');
    });
    const between = await admitted(guard, as('alice'));

    store.stale = 30_000;
    expect(await outcomeOf(guard, as('alice'))).toBe('admitted');
    store.stale = 30_001;
    expect(await decide(guard, as('alice'))).toMatchObject({
      reason: 'store_unavailable',
      stage: 'authentication',
    });
    connection.receive(auth('alice'), false);
    receiver.receive(auth('bob'), false);
    for (let i = 0; i < 3; i++) await settle();
    expect(socket.sent).toMatchObject([{ code: 'store_unavailable' }]);
    expect(pending.closes).toMatchObject([{ code: 1013 }]);
    const late = new RecordingSocket();
    between.open(late, () => {
      throw new Error('it was let in');
    });
    expect(late.closes).toMatchObject([{ code: 1013 }]);
    expect(socket.closes).toEqual([]);

    store.stale = 0;
    connection.receive(auth('alice'), false);
    for (let i = 0; i < 3; i++) await settle();
    expect(socket.sent).toMatchObject([{ code: 'store_unavailable' }, { type: 'auth_ok' }]);
    expect(await outcomeOf(guard, as('alice'))).toBe('admitted');
  });

  test('revocations are trusted for the staleness that the policy says', async () => {
    const { guard, store } = await bench({ limits: { revocationStaleness: '2m' } });
    store.stale = 120_000;
    expect(await outcomeOf(guard, as('alice'))).toBe('admitted');
    store.stale = Number.NaN;
    expect(await outcomeOf(guard, as('alice'))).toBe('store_unavailable');
  });

  test('a revocation without the store acts in this process at once, and on other nodes once the store works', async () => {
    const { guard, clock, store, lose, bring } = await bench();
    const other = guardOf({ clock, store, origins: [APP], auth: [keys(byName).authenticator] });
    const [here, there] = [new RecordingSocket(), new RecordingSocket()];
    connect(await admitted(guard, as('alice')), here);
    connect(await admitted(other, as('alice')), there);
    await lose('rejects');
    const revoking = guard.revoke({ subject: 'alice' });
    expect([here.closes.length, there.closes.length]).toEqual([1, 0]);
    expect(await outcomeOf(guard, as('alice'))).toBe('revoked');
    await bring();
    clock.advance(1_000);
    await revoking;
    expect(there.closes).toMatchObject([{ code: 4401 }]);
    expect(await outcomeOf(other, as('alice'))).toBe('revoked');
  });

  test('known revocations are given to a store that has lost its data', async () => {
    const clock = new ManualClock();
    const store = new SharedStore(clock);
    let known: () => Iterable<unknown> = () => [];
    const { subscribe } = store;
    store.subscribe = (listener) => {
      known = () => listener.known();
      return subscribe.call(store, listener);
    };
    const guard = guardOf({ clock, store });
    await guard.revoke({ subject: 'alice' });
    await guard.revoke({ session: 's 1' });
    expect([...known()]).toEqual([
      { subject: 'alice', issuedBefore: clock.now() / 1_000 },
      { session: 's 1', issuedBefore: Number.MAX_SAFE_INTEGER },
    ]);
  });
});

describe('a guard that is closed', () => {
  test('a closed guard asks and hears nothing and leaves no timer', async () => {
    const { guard, store, clock, lose } = await bench();
    await lose('hangs');
    const revoking = guard.revoke({ subject: 'alice' });
    const refused = expect(revoking).rejects.toThrow('The guard was closed');
    await guard.close();
    await refused;
    expect([clock.pending, store.listeners]).toEqual([0, 0]);
    store.wake();
    clock.advance(60_000);
    await settle();
    expect(store.asked).toEqual([]);
    expect(await outcomeOf(guard, as('alice'))).toBe('shutting_down');
    expect([store.asked, clock.pending]).toEqual([[], 0]);
    // A second time changes nothing.
    await guard.close();
  });

  test('a closed guard keeps its leases until the last connection has gone', async () => {
    const { guard, store } = await bench();
    const connection = connect(await admitted(guard, as('alice')), new RecordingSocket());
    const closing = guard.close();
    await guard.revoke({ subject: 'bob' });
    expect([store.held, store.count('revoke')]).toEqual([1, 1]);
    connection.closed(1001);
    await closing;
    expect([store.held, store.listeners]).toEqual([0, 0]);
  });

  test('close ends what waits for the store at once', async () => {
    const { guard, store } = await bench({ onStoreFailure: { handshakes: 'closed' } });
    store.behave('hangs');
    const waiting = outcomeOf(guard, as('alice'));
    await settle();
    await guard.close();
    expect(await waiting).toBe('shutting_down');
  });
});
