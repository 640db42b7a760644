import { describe, expect, test } from '@jest/globals';
import { anonymous, bearer, custom, query, unsafeAllowAnyOrigin, unsafeReportOrigin } from '@sallyport/core';
import { admitted, connect, decide, outcomeOf } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { auth, replies, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { type Behaviour, SharedStore } from '../support/shared-store.ts';
import { type HeaderValue, upgradeRequest } from '../support/upgrade-request.ts';

const APP = 'https://app.example.com';
const CLIENT = '203.0.113.7';
const token = custom({
  scheme: 'key',
  from: [bearer(), query('key')],
  messageField: 'key',
  authenticate: ({ credential = '' }) => (credential === 'wrong' ? undefined : { subject: credential }),
});

interface From {
  readonly address?: string;
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  readonly target?: string;
}
const as = (credential: string, { address = CLIENT, headers = {}, ...more }: From = {}) =>
  upgradeRequest({
    peer: { address, encrypted: true },
    headers: { Authorization: `Bearer ${credential}`, ...headers },
    ...more,
  });

function bench(options: object = {}, behaviour: Behaviour | undefined = undefined) {
  const clock = new ManualClock();
  const store = behaviour === undefined ? undefined : new SharedStore(clock, { behaviour });
  const guard = guardOf({
    clock,
    store,
    auth: [token],
    origins: [APP],
    bans: { after: { rate: '3/m', burst: 3 }, ...(options as { bans?: object }).bans },
    renewal: (options as { auth?: unknown }).auth === undefined,
    limits: { violations: 3 },
    ...Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'bans')),
  });
  const imposed = collect<'ban.imposed'>(guard, 'ban.imposed');
  const lifted = collect<'ban.lifted'>(guard, 'ban.lifted');
  const open = async (name: string, from?: From) => {
    const socket = new RecordingSocket();
    const connection = connect(await admitted(guard, as(name, from)), socket);
    return { socket, connection, codes: () => socket.closes.map(({ code }) => code) };
  };
  const keys = () => imposed.map(({ key }) => key);
  const guess = async (times: number, from?: From) => {
    for (let i = 0; i < times; i++)
      expect(await outcomeOf(guard, as('wrong', from))).toBe('credential_invalid');
  };
  return { clock, store, guard, imposed, lifted, keys, open, guess };
}

describe('failed authentications', () => {
  test('too many failed authentications ban the address, and of IPv6 the /64', async () => {
    const { guard, guess, imposed, clock } = bench();
    await guess(3, { address: '2001:db8::1' });
    expect(imposed).toEqual([]);
    await guess(1, { address: '2001:db8::2' });
    expect(imposed).toEqual([
      {
        at: clock.now(),
        guard: 'default',
        owasp: 'authn_login_lock',
        level: 'WARN',
        key: 'address 2001:db8::/64',
        until: clock.now() + 600_000,
        count: 1,
      },
    ]);
    expect(await decide(guard, as('alice', { address: '2001:db8::3' }))).toMatchObject({
      reason: 'banned',
      stage: 'address',
      retryAfter: 600_000,
    });
    expect(await outcomeOf(guard, as('alice', { address: '2001:db8:0:1::1' }))).toBe('admitted');
    clock.advance(600_000);
    expect(await outcomeOf(guard, as('alice', { address: '2001:db8::3' }))).toBe('admitted');
  });

  test('a banned address is refused before its credential is verified', async () => {
    let verified = 0;
    const counting = custom({ scheme: 'key', from: [bearer()], authenticate: () => void verified++ });
    const { guard, guess } = bench({ auth: [counting] });
    await guess(4);
    for (let i = 0; i < 5; i++) expect(await outcomeOf(guard, as('x'))).toBe('banned');
    expect(verified).toBe(4);
  });

  test.each([
    ['loopback', '127.0.0.1', undefined],
    ['loopback', '::1', undefined],
    ['a listed proxy', '10.0.0.1', undefined],
    ['a client that a listed proxy reports at a loopback address', '10.0.0.1', '127.0.0.1'],
    ['a listed proxy behind another', '10.0.0.1', '10.9.9.9'],
  ])('failed authentications never ban %s', async (_what, address, forwarded) => {
    const headers: Record<string, string> =
      forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded, 'X-Forwarded-Proto': 'https' };
    const { guard, guess, imposed } = bench({ trustedProxies: ['10.0.0.0/8'] });
    await guess(10, { address, headers });
    expect([imposed, await guard.bans.list()]).toEqual([[], []]);
    expect(await outcomeOf(guard, as('alice', { address, headers }))).toBe('admitted');
  });

  test('failed authentications over a Unix socket never ban', async () => {
    const { guard, imposed } = bench({ trustedProxies: ['unix'] });
    const over = (credential: string) =>
      upgradeRequest({
        peer: { address: undefined, unix: true, encrypted: true },
        headers: { Authorization: `Bearer ${credential}` },
      });
    for (let i = 0; i < 10; i++) expect(await outcomeOf(guard, over('wrong'))).toBe('credential_invalid');
    expect([imposed, await outcomeOf(guard, over('alice'))]).toEqual([[], 'admitted']);
  });

  test('failed authentications behind a listed proxy ban the forwarded address', async () => {
    const { guess, keys } = bench({ trustedProxies: ['10.0.0.0/8'] });
    const headers = { 'X-Forwarded-For': '198.51.100.9', 'X-Forwarded-Proto': 'https' };
    await guess(4, { address: '10.0.0.1', headers });
    expect(keys()).toEqual(['address 198.51.100.9']);
  });

  test('failed authentications in first messages and in handshakes count together', async () => {
    const { guard, guess, keys } = bench({ firstMessage: true, limits: { authAttempts: 9 } });
    await guess(2);
    const socket = new RecordingSocket();
    const admission = await admitted(
      guard,
      upgradeRequest({ peer: { address: CLIENT, encrypted: true }, headers: { Origin: APP } }),
    );
    const receiver = admission.open(socket, () => {});
    for (let i = 0; i < 2; i++) {
      receiver.receive(auth('wrong'), false);
      await settle();
    }
    expect(keys()).toEqual([`address ${CLIENT}`]);
    // Whoever has waited to say who they are is not let in any more.
    receiver.receive(auth('alice'), false);
    await settle();
    expect(socket.closes.map(({ code }) => code)).toEqual([4403]);
  });
});

describe('denials that a foreign page can cause', () => {
  const attempts: [string, object, From][] = [
    ['a foreign origin', {}, { headers: { Origin: 'https://evil.example' } }],
    ['another name of this host', { hosts: ['chat.example.com'] }, { headers: { Host: 'evil.example' } }],
    [
      'a wrong credential in the query, from a sandboxed frame',
      {},
      { headers: { Origin: 'null', Authorization: null }, target: '/chat?key=wrong' },
    ],
    [
      'a wrong credential in the query, where every page may connect',
      { origins: unsafeAllowAnyOrigin },
      { headers: { Origin: 'https://evil.example', Authorization: null }, target: '/chat?key=wrong' },
    ],
    [
      'a wrong credential in the query, where the origin is only reported',
      { report: [unsafeReportOrigin] },
      { headers: { Origin: 'https://evil.example', Authorization: null }, target: '/chat?key=wrong' },
    ],
  ];
  test.each(attempts)(
    'a denial that a foreign page can cause leads to no ban: %s',
    async (_what, options, from) => {
      const { guard, imposed } = bench(options);
      for (let i = 0; i < 30; i++) expect(await outcomeOf(guard, as('wrong', from))).not.toBe('banned');
      expect([imposed, await guard.bans.list()]).toEqual([[], []]);
    },
  );

  test('a foreign page causes no ban by first messages, nor by messages of anonymous connections', async () => {
    const { guard, imposed } = bench({
      origins: unsafeAllowAnyOrigin,
      firstMessage: true,
      limits: { authAttempts: 100, authFailures: { rate: '1000/s', burst: 1_000 } },
    });
    const foreign = upgradeRequest({
      peer: { address: CLIENT, encrypted: true },
      headers: { Origin: 'https://evil.example' },
    });
    const receiver = (await admitted(guard, foreign)).open(new RecordingSocket(), () => {});
    for (let i = 0; i < 10; i++) {
      receiver.receive(auth('wrong'), false);
      await settle();
    }
    expect(imposed).toEqual([]);

    const anybody = bench({
      auth: [anonymous()],
      origins: unsafeAllowAnyOrigin,
      limits: { violations: 100 },
    });
    const connection = connect(await admitted(anybody.guard, foreign), new RecordingSocket());
    for (let i = 0; i < 10; i++) connection.receive('garbage', false);
    expect(anybody.imposed).toEqual([]);
  });

  test('a page of an allowed origin can cause a ban', async () => {
    const { guess, keys } = bench();
    await guess(4, { headers: { Origin: APP } });
    expect(keys()).toEqual([`address ${CLIENT}`]);
  });
});

describe('offences of an open connection', () => {
  test('too many offences ban the identity at any address, and no other identity', async () => {
    const { guard, open, keys } = bench();
    for (let i = 0; i < 2; i++) {
      const { connection, codes } = await open('mallory');
      for (let message = 0; message < 2; message++) connection.receive('garbage', false);
      expect(codes()).toEqual(i === 0 ? [] : [4403]);
    }
    expect(keys()).toEqual(['identity mallory']);
    expect(await decide(guard, as('mallory', { address: '198.51.100.1' }))).toMatchObject({
      reason: 'banned',
      stage: 'authentication',
      retryAfter: 600_000,
    });
    expect(await outcomeOf(guard, as('alice'))).toBe('admitted');
  });

  test('each violation counts as an offence, also the one that closes', async () => {
    const { open, keys } = bench({ bans: { after: { rate: '3/m', burst: 5 } } });
    for (let i = 0; i < 2; i++) {
      const { connection, codes } = await open('mallory');
      for (let message = 0; message < 5; message++) connection.receive('garbage', false);
      expect([codes(), keys()]).toEqual(i === 0 ? [[1008], []] : [[1008], ['identity mallory']]);
    }
  });

  test('offences of an anonymous connection ban the address', async () => {
    const { guard, keys } = bench({ auth: [anonymous()] });
    const request = upgradeRequest({
      peer: { address: CLIENT, encrypted: true },
      headers: { Origin: APP },
    });
    for (let i = 0; i < 2; i++) {
      const connection = connect(await admitted(guard, request), new RecordingSocket());
      for (let message = 0; message < 2; message++) connection.receive('garbage', false);
    }
    expect(keys()).toEqual([`address ${CLIENT}`]);
    expect(await outcomeOf(guard, request)).toBe('banned');
  });

  test('floods and invalid frames count as offences', async () => {
    const { open, keys } = bench({
      limits: { messages: { rate: '1/h', burst: 1 } },
      bans: { after: { rate: '1/h', burst: 1 } },
    });
    const flooding = await open('mallory');
    for (let i = 0; i < 2; i++) flooding.connection.receive(say('hi'), false);
    expect([flooding.codes(), keys()]).toEqual([[4429], []]);
    (await open('mallory')).connection.broken('message_too_big');
    expect(keys()).toEqual(['identity mallory']);
  });

  test('each failed renewal counts as one offence of the identity', async () => {
    const { open, keys } = bench({ limits: { violations: 100 } });
    const { connection } = await open('mallory');
    for (const key of ['wrong', 'somebody else', 'wrong']) {
      connection.receive(auth(key), false);
      await settle();
    }
    expect(keys()).toEqual([]);
    connection.receive(auth('wrong'), false);
    await settle();
    expect(keys()).toEqual(['identity mallory']);
  });

  test('reasons that the client cannot avoid count as no offence', async () => {
    const { open, imposed, store } = bench({ onStoreFailure: { authFailures: 'closed' } }, 'at once');
    const { connection, codes, socket } = await open('alice');
    store?.behave('rejects', 'precheck');
    for (let i = 0; i < 10; i++) {
      connection.receive(auth('alice'), false);
      await settle();
    }
    expect(replies(socket)).toEqual(Array(10).fill('store_unavailable'));
    expect([codes(), imposed]).toEqual([[], []]);
  });
});

describe('a banned identity or address', () => {
  test.each<[string, Behaviour | undefined]>([
    ['in this process', undefined],
    ['by a store that answers at once', 'at once'],
    ['by a store that answers later', 'later'],
  ])('a ban refuses handshakes, first messages and renewals: %s', async (_what, behaviour) => {
    const { guard, open } = bench({ firstMessage: true, bans: { closes: 'none' } }, behaviour);
    const alice = await open('alice');
    const pending = new RecordingSocket();
    const receiver = (await admitted(guard, upgradeRequest({ headers: { Origin: APP } }))).open(
      pending,
      () => {
        throw new Error('it was let in');
      },
    );
    const between = await admitted(guard, as('alice'));
    await guard.bans.add({ subject: 'alice' });

    expect(await decide(guard, as('alice'))).toMatchObject({ reason: 'banned', stage: 'authentication' });
    receiver.receive(auth('alice'), false);
    await settle();
    expect(pending.closes.map(({ code }) => code)).toEqual([4403]);
    const socket = new RecordingSocket();
    between.open(socket, () => {
      throw new Error('it was let in');
    });
    expect(socket.closes.map(({ code }) => code)).toEqual([4403]);
    expect(alice.codes()).toEqual([]);
    alice.connection.receive(auth('alice'), false);
    for (let i = 0; i < 3; i++) await settle();
    expect(alice.codes()).toEqual([4403]);
  });

  test('a ban of the address during its handshake refuses that handshake', async () => {
    const { guard } = bench();
    const between = await admitted(guard, as('alice'));
    await guard.bans.add({ address: CLIENT });
    const socket = new RecordingSocket();
    between.open(socket, () => {
      throw new Error('it was let in');
    });
    expect(socket.closes).toEqual([{ code: 4403, reason: 'This is not permitted for a while.' }]);
  });

  const closing: ['identity' | 'all' | 'none', object, number[], number[]][] = [
    ['identity', { subject: 'alice' }, [4403], []],
    ['identity', { address: CLIENT }, [], []],
    ['all', { subject: 'alice' }, [4403], []],
    ['all', { address: CLIENT }, [4403], [4403]],
    ['none', { subject: 'alice' }, [], []],
    ['none', { address: CLIENT }, [], []],
  ];
  test.each(closing)(
    'with bans.closes: %s, a ban of %j closes its open connections',
    async (closes, target, alices, bobs) => {
      const { guard, open } = bench({ bans: { closes } });
      const [alice, bob, elsewhere, local] = [
        await open('alice'),
        await open('bob'),
        await open('carol', { address: '203.0.113.8' }),
        await open('dave', { address: '127.0.0.1' }),
      ];
      await guard.bans.add(target);
      expect([alice.codes(), bob.codes(), elsewhere.codes(), local.codes()]).toEqual([alices, bobs, [], []]);
    },
  );

  test('a ban holds on all nodes, and closes the connections there', async () => {
    const { guard, store, clock } = bench({}, 'later');
    const other = guardOf({ clock, store, auth: [token] });
    const socket = new RecordingSocket();
    connect(await admitted(other, as('alice')), socket);
    await guard.bans.add({ subject: 'alice' });
    expect(socket.closes.map(({ code }) => code)).toEqual([4403]);
    expect(await outcomeOf(other, as('alice'))).toBe('banned');
    await guard.bans.lift({ subject: 'alice' });
    expect(await outcomeOf(other, as('alice'))).toBe('admitted');
  });

  test('the ban of a subject does not hold for an anonymous client with that name', async () => {
    const { guard } = bench({ auth: [anonymous()] });
    const request = upgradeRequest({ peer: { address: CLIENT, encrypted: true }, headers: { Origin: APP } });
    await guard.bans.add({ subject: `anonymous@${CLIENT}` });
    expect(await outcomeOf(guard, request)).toBe('admitted');
  });

  test('a banned identity is refused even with report-only stages', async () => {
    const { guard } = bench({ report: ['rate'] });
    await guard.bans.add({ address: CLIENT });
    expect(await outcomeOf(guard, as('alice'))).toBe('banned');
    const rate = (await guard.explain(as('alice'))).stages.find(({ stage }) => stage === 'rate');
    expect(rate).toMatchObject({ outcome: 'deny', reason: 'banned' });
  });
});

describe('bans', () => {
  test('a repeated ban lasts longer until bans.memory is over, and each ban is an event', async () => {
    const { clock, guess, imposed, guard } = bench({
      bans: { for: '1m', growth: 3, longest: '5m', memory: '1h' },
    });
    const lengths = [];
    for (let i = 0; i < 4; i++) {
      await guess(4);
      const { until, count } = imposed.at(-1) as { until: number; count: number };
      lengths.push([count, (until - clock.now()) / 60_000]);
      expect(await guard.bans.list()).toEqual([{ key: `address ${CLIENT}`, until, count }]);
      clock.advance(until - clock.now());
      expect(await guard.bans.list()).toEqual([]);
    }
    expect(lengths).toEqual([
      [1, 1],
      [2, 3],
      [3, 5],
      [4, 5],
    ]);
    clock.advance(3_600_000);
    await guess(4);
    expect(imposed.at(-1)).toMatchObject({ count: 1 });
  });

  test('guard.bans.lift also forgets earlier bans', async () => {
    const { guard, guess, imposed, lifted, clock } = bench();
    await guess(4);
    expect(await guard.bans.lift({ address: CLIENT })).toBe(true);
    expect(lifted).toEqual([
      { at: clock.now(), guard: 'default', owasp: undefined, level: 'INFO', key: `address ${CLIENT}` },
    ]);
    expect(await guard.bans.lift({ address: CLIENT })).toBe(false);
    await guess(4);
    expect(imposed.at(-1)).toMatchObject({ count: 1 });
  });

  test('guard.bans.add bans for the given time', async () => {
    const { guard, clock } = bench({ bans: { longest: '1h' } });
    expect(await guard.bans.add({ subject: 'alice', for: '3d' })).toMatchObject({
      key: 'identity alice',
      until: clock.now() + 3 * 86_400_000,
    });
    expect(await guard.bans.add({ address: '2001:DB8::7' })).toMatchObject({
      key: 'address 2001:db8::/64',
      until: clock.now() + 600_000,
    });
    expect(await guard.bans.list(1)).toHaveLength(1);
  });

  test('with bans: false only guard.bans.add bans', async () => {
    const clock = new ManualClock();
    const guard = guardOf({ clock, auth: [token], bans: false });
    for (let i = 0; i < 20; i++) await outcomeOf(guard, as('wrong'));
    expect(await guard.bans.list()).toEqual([]);
    await guard.bans.add({ address: CLIENT });
    expect(await outcomeOf(guard, as('alice'))).toBe('banned');
  });

  test.each([
    [{}, /exactly one/],
    [{ subject: 'a', address: CLIENT }, /exactly one/],
    [{ subject: '' }, /exactly one/],
    [{ address: 'here' }, /'here' is not an IP address/],
    [{ address: '127.0.0.1' }, /'127.0.0.1' is this machine or a listed proxy/],
    [{ address: '10.1.2.3' }, /behind which everybody is/],
    [{ subject: 'a', for: 'ever' as never }, /bans\.add\(\{ for \}\)/],
  ])('guard.bans.add throws for %j', async (target, message) => {
    const { guard } = bench({ trustedProxies: ['10.0.0.0/8'] });
    await expect(guard.bans.add(target)).rejects.toThrow(message);
  });

  test('a ban that the store rejects holds in this process, without an unhandled rejection', async () => {
    const { guard, guess, imposed, store } = bench({}, 'at once');
    store?.behave('rejects', 'ban');
    await guess(4);
    await settle();
    expect(imposed).toHaveLength(1);
    expect(await outcomeOf(guard, as('alice'))).toBe('banned');
    await guard.close();
  });

  test('several offences too many before the store has answered cause one ban', async () => {
    const { open, store, imposed, guard } = bench({ limits: { violations: 1_000 } }, 'at once');
    const { connection } = await open('mallory');
    store?.behave('hangs', 'ban');
    for (let i = 0; i < 50; i++) connection.receive('garbage', false);
    store?.wake();
    for (let i = 0; i < 3; i++) await settle();
    expect([imposed.length, store?.count('ban')]).toEqual([1, 1]);
    expect(await guard.bans.list()).toMatchObject([{ count: 1 }]);
  });
});
