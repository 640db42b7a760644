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
  test('beyond the budget ban their address, an IPv6 client with its /64', async () => {
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

  test('come one after the other and then no more: the ban is looked at before anything is verified', async () => {
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
    ['whoever a listed proxy says is on its own machine', '10.0.0.1', '127.0.0.1'],
    ['a listed proxy behind another', '10.0.0.1', '10.9.9.9'],
  ])('never ban %s', async (_what, address, forwarded) => {
    const headers: Record<string, string> =
      forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded, 'X-Forwarded-Proto': 'https' };
    const { guard, guess, imposed } = bench({ trustedProxies: ['10.0.0.0/8'] });
    await guess(10, { address, headers });
    expect([imposed, await guard.bans.list()]).toEqual([[], []]);
    expect(await outcomeOf(guard, as('alice', { address, headers }))).toBe('admitted');
  });

  test('never ban who comes over a Unix socket', async () => {
    const { guard, imposed } = bench({ trustedProxies: ['unix'] });
    const over = (credential: string) =>
      upgradeRequest({
        peer: { address: undefined, unix: true, encrypted: true },
        headers: { Authorization: `Bearer ${credential}` },
      });
    for (let i = 0; i < 10; i++) expect(await outcomeOf(guard, over('wrong'))).toBe('credential_invalid');
    expect([imposed, await outcomeOf(guard, over('alice'))]).toEqual([[], 'admitted']);
  });

  test('ban whom a listed proxy names', async () => {
    const { guess, keys } = bench({ trustedProxies: ['10.0.0.0/8'] });
    const headers = { 'X-Forwarded-For': '198.51.100.9', 'X-Forwarded-Proto': 'https' };
    await guess(4, { address: '10.0.0.1', headers });
    expect(keys()).toEqual(['address 198.51.100.9']);
  });

  test('in first messages count with those of handshakes', async () => {
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

describe('what a page of some other site can make its visitors send', () => {
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
  test.each(attempts)('leads to no ban: %s', async (_what, options, from) => {
    const { guard, imposed } = bench(options);
    for (let i = 0; i < 30; i++) expect(await outcomeOf(guard, as('wrong', from))).not.toBe('banned');
    expect([imposed, await guard.bans.list()]).toEqual([[], []]);
  });

  test('leads to none in first messages either, nor by what is sent as nobody in particular', async () => {
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

  test('its own page may be blamed', async () => {
    const { guess, keys } = bench();
    await guess(4, { headers: { Origin: APP } });
    expect(keys()).toEqual([`address ${CLIENT}`]);
  });
});

describe('what is sent over an open connection', () => {
  test('bans the identity, wherever it is, and nobody beside it', async () => {
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

  test('counts violations up to the last one, which closes', async () => {
    const { open, keys } = bench({ bans: { after: { rate: '3/m', burst: 5 } } });
    for (let i = 0; i < 2; i++) {
      const { connection, codes } = await open('mallory');
      for (let message = 0; message < 5; message++) connection.receive('garbage', false);
      expect([codes(), keys()]).toEqual(i === 0 ? [[1008], []] : [[1008], ['identity mallory']]);
    }
  });

  test('of nobody in particular bans the address', async () => {
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

  test('a flood, and what the WebSocket library finds, count', async () => {
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

  test('a renewal that fails is the identity’s, and once', async () => {
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

  test('what nobody can do anything about is none of it', async () => {
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

describe('whoever is banned', () => {
  test.each<[string, Behaviour | undefined]>([
    ['in this process', undefined],
    ['by a store that answers at once', 'at once'],
    ['by a store that answers later', 'later'],
  ])('is refused in handshakes and first messages, and at renewal: %s', async (_what, behaviour) => {
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

  test('by address while the handshake was under way does not slip through', async () => {
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
  test.each(closing)('where it closes %s, %j: open connections', async (closes, target, alices, bobs) => {
    const { guard, open } = bench({ bans: { closes } });
    const [alice, bob, elsewhere, local] = [
      await open('alice'),
      await open('bob'),
      await open('carol', { address: '203.0.113.8' }),
      await open('dave', { address: '127.0.0.1' }),
    ];
    await guard.bans.add(target);
    expect([alice.codes(), bob.codes(), elsewhere.codes(), local.codes()]).toEqual([alices, bobs, [], []]);
  });

  test('on one node is banned on the others, and its connections there end', async () => {
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

  test('by its subject is not somebody of the same name whom nobody has asked', async () => {
    const { guard } = bench({ auth: [anonymous()] });
    const request = upgradeRequest({ peer: { address: CLIENT, encrypted: true }, headers: { Origin: APP } });
    await guard.bans.add({ subject: `anonymous@${CLIENT}` });
    expect(await outcomeOf(guard, request)).toBe('admitted');
  });

  test('is refused whatever only reports', async () => {
    const { guard } = bench({ report: ['rate'] });
    await guard.bans.add({ address: CLIENT });
    expect(await outcomeOf(guard, as('alice'))).toBe('banned');
    const rate = (await guard.explain(as('alice'))).stages.find(({ stage }) => stage === 'rate');
    expect(rate).toMatchObject({ outcome: 'deny', reason: 'banned' });
  });
});

describe('a ban', () => {
  test('grows on repetition, is remembered for a while, and is told', async () => {
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

  test('can be lifted, with its history', async () => {
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

  test('can be added, for as long as somebody says', async () => {
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

  test('comes from operators alone where the policy says so', async () => {
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
  ])('is about one of whom it can be: %j', async (target, message) => {
    const { guard } = bench({ trustedProxies: ['10.0.0.0/8'] });
    await expect(guard.bans.add(target)).rejects.toThrow(message);
  });

  test('that the store does not take holds here, and is nobody’s unhandled rejection', async () => {
    const { guard, guess, imposed, store } = bench({}, 'at once');
    store?.behave('rejects', 'ban');
    await guess(4);
    await settle();
    expect(imposed).toHaveLength(1);
    expect(await outcomeOf(guard, as('alice'))).toBe('banned');
    await guard.close();
  });

  test('of one offence too many is one, however many come before the store has answered', async () => {
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
