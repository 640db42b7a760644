import { describe, expect, test } from '@jest/globals';
import {
  bearer,
  cookie,
  custom,
  type GuardEvents,
  type HandshakeRequest,
  jwt,
  memoryStore,
  Type,
  unsafeReportAuthorization,
  unsafeReportHost,
  unsafeReportOrigin,
  unsafeReportTransport,
} from '@sallyport/core';
import { type Denial, hostGuard, shareOuterDoor } from '@sallyport/core/host';
import { admitted, connect, decide, outcomeOf } from '../support/decide.ts';
import { collect, guardOf, SAY } from '../support/guards.ts';
import { retired } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { SharedStore } from '../support/shared-store.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const APP = 'https://app.example.com';
const at = (overrides: object = {}): HandshakeRequest =>
  upgradeRequest({
    peer: { encrypted: true },
    headers: { Origin: APP, Authorization: 'Bearer good', ...overrides },
  });
const authenticate = ({ credential }: { credential: string | undefined }) =>
  credential === 'good' ? { subject: 'alice' } : undefined;
const token = custom({ scheme: 'token', from: [bearer()], authenticate });
const chat = (options: object = {}) => guardOf({ name: 'chat', auth: [token], origins: [APP], ...options });

describe('guard.extend', () => {
  test('an extension inherits the options that it leaves out', async () => {
    const base = chat({
      authorize: () => false,
      subprotocols: ['chat'],
      limits: { message: 100, json: { depth: 2 } },
    });
    const route = base.extend({ messages: { ping: Type.Object({}) } });
    expect(route.name).toBe('chat');
    expect(await outcomeOf(route, at())).toBe('not_authorized');
    expect(await outcomeOf(route, at({ Origin: 'https://evil.example' }))).toBe('origin_denied');
    const open = base.extend({ name: 'open', authorize: () => true, limits: { json: { keys: 5 } } });
    expect(open.name).toBe('open');
    const socket = new RecordingSocket();
    const connection = connect(await admitted(open, at({ 'Sec-WebSocket-Protocol': 'chat' })), socket);
    expect(connection.subprotocol).toBe('chat');
    connection.receive('{"type":"say","text":{"deep":{}}}', false);
    expect(socket.sent).toMatchObject([{ code: 'message_malformed' }]);
    connection.receive('x'.repeat(101), false);
    expect(socket.closes).toMatchObject([{ code: 1009 }]);
  });

  test('an extension inherits options whose value is undefined', async () => {
    const base = chat({ authorize: () => false });
    const nothing = {
      authorize: undefined,
      origins: undefined,
      limits: undefined,
      report: undefined,
      auth: undefined,
    };
    const route = base.extend(nothing as never);
    expect(await outcomeOf(route, at())).toBe('not_authorized');
    expect(await outcomeOf(route, at({ Origin: 'https://localhost:3000' }))).toBe('origin_denied');
    const limited = chat({ limits: { message: 100 } }).extend({ limits: { message: undefined } });
    expect((await admitted(limited, at())).maxMessageBytes).toBe(100);
  });

  test('an extension can have its own messages and authenticators', async () => {
    const other = custom({ scheme: 'other', from: [cookie('session')], authenticate });
    const base = chat();
    const route = base.extend({ auth: [other], messages: { ping: Type.Object({}) } });
    expect(await outcomeOf(route, at())).toBe('credential_missing');
    expect(await outcomeOf(base, at())).toBe('admitted');
    const socket = new RecordingSocket();
    const connection = connect(
      await admitted(route, at({ Authorization: null, Cookie: 'session=good' })),
      socket,
    );
    connection.receive('{"type":"say","text":"a"}', false);
    connection.receive('{"type":"ping"}', false);
    expect(socket.sent).toMatchObject([{ code: 'message_type_unknown' }]);
    expect(socket.delivered).toHaveLength(1);
  });

  test('an extension shares the caps of its base, whose events, connections and shutdown include it', async () => {
    const base = chat({ limits: { connections: 1 } });
    const route = base.extend({ name: 'route' });
    expect(shareOuterDoor(base, route) && shareOuterDoor(route, base)).toBe(true);
    expect(shareOuterDoor(base, chat())).toBe(false);
    const denied = collect(base, 'handshake.denied');
    const connection = connect(await admitted(route, at()), new RecordingSocket());
    expect(await outcomeOf(base, at())).toBe('capacity');
    expect([...base.connections()]).toEqual([connection]);
    expect(denied).toHaveLength(1);
    void base.close();
    expect(await outcomeOf(route, at())).toBe('shutting_down');
    expect(await outcomeOf(base.extend({}), at())).toBe('shutting_down');
  });

  test('guard.family is the guard that createGuard made, from every extension', () => {
    const base = chat();
    const route = base.extend({ name: 'route' }).extend({ name: 'deeper' });
    expect([base.family, route.family]).toEqual([base, base]);
    expect(route.family).toBe(base);
  });

  test('an extension neither lists, counts, tells nor ends what its base and its siblings have', async () => {
    const base = chat();
    const [one, other] = [base.extend({ name: 'one' }), base.extend({ name: 'other' })];
    const inner = one.extend({ name: 'inner' });
    const connections = await Promise.all(
      [base, one, inner, other].map(async (guard) =>
        connect(await admitted(guard, at()), new RecordingSocket()),
      ),
    );
    const [ofBase, ofOne, ofInner, ofOther] = connections;
    expect([...one.connections()]).toEqual([ofOne, ofInner]);
    expect([...inner.connections()]).toEqual([ofInner]);
    expect([...base.connections()]).toEqual([ofBase, ofOne, ofInner, ofOther]);
    expect([base, one, inner, other].map((guard) => guard.stats().connections)).toEqual([4, 2, 1, 1]);
    const closed = collect(one, 'connection.closed');
    const ended = one.close({ within: 0 });
    expect(connections.map((connection) => connection.state)).toEqual(['open', 'closing', 'closing', 'open']);
    for (const connection of connections) connection.closed(1001);
    await ended;
    expect(closed.map(({ guard }) => guard)).toEqual(['one', 'inner']);
    expect(await Promise.all([base, one, inner, other].map((guard) => outcomeOf(guard, at())))).toEqual([
      'admitted',
      'shutting_down',
      'shutting_down',
      'admitted',
    ]);
    expect([base, one, inner, other].map((guard) => guard.stats().connections)).toEqual([0, 0, 0, 0]);
  });

  test('every guard of a family hears of its bans and of its store', async () => {
    const base = chat();
    const route = base.extend({ name: 'route' });
    const events = [base, route].map((guard) => collect(guard, 'ban.imposed'));
    await base.bans.add({ address: '203.0.113.9' });
    expect(events.map((heard) => heard.map(({ guard }) => guard))).toEqual([[base.name], [base.name]]);
  });

  test('a listener of an extension that throws is a fault of that extension', async () => {
    const base = chat();
    const route = base.extend({ name: 'route' });
    const [ofBase, ofRoute] = [collect(base, 'fault'), collect(route, 'fault')];
    route.on('handshake.admitted', () => {
      throw new Error('a listener');
    });
    await admitted(route, at());
    await admitted(base, at());
    expect([ofBase.length, ofRoute.length]).toEqual([1, 1]);
  });

  test('a handshake that entered by one guard of the family is decided by the guard that admits it', async () => {
    const base = chat();
    const strict = base.extend({ authorize: () => false });
    const handshake = hostGuard(base).begin(at(), () => {});
    expect(hostGuard(strict).enter(handshake)).toBeUndefined();
    expect(await hostGuard(strict).admit(handshake, undefined)).toMatchObject({ reason: 'not_authorized' });
  });
});

describe('report', () => {
  const reporting = async (report: unknown[], request: HandshakeRequest, options: object = {}) => {
    const guard = chat({ report, ...options });
    const reported: GuardEvents['handshake.reported'][] = [];
    guard.on('handshake.reported', (event) => void reported.push(event));
    const outcome = await outcomeOf(guard, request);
    return { outcome, reported: reported.map(({ stage, reason }) => `${stage} ${reason}`) };
  };

  test.each([
    [
      unsafeReportTransport,
      upgradeRequest({
        peer: { address: '203.0.113.7' },
        headers: { Origin: APP, Authorization: 'Bearer good' },
      }),
      {},
      'transport tls_required',
    ],
    [unsafeReportHost, at({ Host: 'evil.example' }), { hosts: ['localhost'] }, 'host host_denied'],
    [unsafeReportOrigin, at({ Origin: 'https://evil.example' }), {}, 'origin origin_denied'],
    [unsafeReportAuthorization, at(), { authorize: () => false }, 'authorization not_authorized'],
    ['subprotocol', at({ 'Sec-WebSocket-Protocol': 'x' }), {}, 'subprotocol subprotocol_denied'],
  ] as const)('%p lets through and tells', async (stage, request, options, expected) => {
    expect(await reporting([stage], request, options)).toEqual({ outcome: 'admitted', reported: [expected] });
    expect((await reporting([], request, options)).outcome).toBe(expected.split(' ')[1]);
  });

  test("report: ['rate'] admits a handshake beyond the rate and reports it", async () => {
    const guard = chat({ report: ['rate'], limits: { handshakes: { rate: '1/m', burst: 1 } } });
    const reported = collect(guard, 'handshake.reported');
    for (let i = 0; i < 3; i++) expect(await outcomeOf(guard, at())).toBe('admitted');
    expect(reported).toHaveLength(2);
  });

  test('report affects only the named stage, and never a fault', async () => {
    expect(await reporting([unsafeReportOrigin], at({ Authorization: 'Bearer bad' }))).toEqual({
      outcome: 'credential_invalid',
      reported: [],
    });
    const authorize = () => {
      throw new Error('boom');
    };
    expect((await reporting([unsafeReportAuthorization], at(), { authorize })).outcome).toBe('internal');
    const rejecting = async () => authorize();
    expect((await reporting([unsafeReportAuthorization], at(), { authorize: rejecting })).outcome).toBe(
      'internal',
    );
  });
});

describe('explain', () => {
  const outcomes = ({ stages }: { stages: readonly { stage: string; outcome: string }[] }) =>
    Object.fromEntries(stages.map(({ stage, outcome }) => [stage, outcome]));

  test('guard.explain lists every stage, and evaluates them up to the one that denies', async () => {
    const explanation = await chat().explain(at({ Origin: 'https://evil.example' }));
    expect(explanation.allowed).toBe(false);
    expect(outcomes(explanation)).toMatchObject({
      request: 'pass',
      credential: 'pass',
      origin: 'deny',
      authentication: 'not evaluated',
    });
    expect(explanation.stages.map(({ stage }) => stage)).toEqual([
      'request', 'transport', 'host', 'address', 'rate', 'credential', 'origin', 'subprotocol', 'authentication', 'csrf', 'authorization',
      'admission',
    ]); // biome-ignore format: a list of names reads best as a block
  });

  test('guard.explain spends and reserves nothing, calls no application code and emits no event', async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    const asked: string[] = [];
    const ask = (name: string, answer: unknown) => () => {
      asked.push(name);
      return answer as never;
    };
    const guard = chat({
      clock,
      store,
      origins: ask('origins', true),
      authorize: ask('authorize', true),
      auth: [
        custom({
          scheme: 'token',
          from: [bearer()],
          authenticate: ask('authenticate', { subject: 'alice' }),
        }),
      ],
      limits: { handshakes: { rate: '1/h', burst: 1 }, connections: 1 },
    });
    const events = [
      collect(guard, 'handshake.admitted'),
      collect(guard, 'handshake.denied'),
      collect(guard, 'fault'),
    ];
    for (let i = 0; i < 5; i++) {
      const explanation = await guard.explain(at());
      expect(explanation.allowed).toBeUndefined();
      expect(outcomes(explanation)).toMatchObject({
        rate: 'pass',
        origin: 'not evaluated',
        authentication: 'not evaluated',
        authorization: 'not evaluated',
        admission: 'pass',
      });
    }
    expect(asked).toEqual([]);
    expect(events.flat()).toEqual([]);
    expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0, denied: {} });
    expect(clock.pending).toBe(0);
    const admission = await admitted(guard, at());
    expect(outcomes(await guard.explain(at()))).toMatchObject({ rate: 'deny' });
    admission.release();
  });

  test('guard.explain fetches no keys', async () => {
    // Nobody listens on this port: a fetch would deny with auth_unavailable.
    const remote = jwt({
      from: [bearer()],
      jwks: 'http://127.0.0.1:1/jwks',
      algorithms: ['ES256'],
      issuer: 'i',
      audience: 'a',
    });
    const explanation = await chat({ auth: [remote] }).explain(at({ Authorization: 'Bearer e30.e30.AAAA' }));
    expect(outcomes(explanation)).toMatchObject({ authentication: 'not evaluated', admission: 'pass' });
  });

  test('guard.explain shows no token and no claim', async () => {
    const secret = 'SECRET-of-enough-bytes-for-hmac-keys';
    const local = jwt({
      from: [bearer(), cookie('c')],
      secret,
      algorithms: ['HS256'],
      issuer: 'SECRET-issuer',
      audience: 'a',
    });
    for (const Authorization of [
      'Bearer SECRET',
      'Bearer SECRET.SECRET.SECRET',
      `Bearer e30.${Buffer.from('{"sub":"SECRET"}').toString('base64url')}.AAAA`,
    ]) {
      const explanation = await chat({ auth: [local] }).explain(at({ Authorization, Cookie: 'c=SECRET' }));
      expect(JSON.stringify(explanation)).not.toContain('SECRET');
      expect(explanation.allowed).toBe(false);
    }
  });

  test('guard.explain marks a stage that only reports', async () => {
    const explanation = await chat({ report: [unsafeReportOrigin] }).explain(
      at({ Origin: 'https://evil.example' }),
    );
    expect(explanation.stages).toContainEqual(
      expect.objectContaining({ stage: 'origin', outcome: 'report', reason: 'origin_denied' }),
    );
    expect(explanation.allowed).not.toBe(false);
  });
});

describe('guard.close', () => {
  test('guard.close refuses handshakes, closes connections, and resolves when they have closed', async () => {
    const guard = chat();
    const socket = new RecordingSocket();
    const connection = connect(await admitted(guard, at()), socket);
    let done = false;
    const closing = guard.close().then(() => {
      done = true;
    });
    await retired();
    expect(socket.closes).toEqual([{ code: 1001, reason: 'The service is shutting down.' }]);
    expect(await decide(guard, at())).toMatchObject({ reason: 'shutting_down', stage: 'shutdown' });
    expect(done).toBe(false);
    connection.closed(1001);
    await closing;
    expect(done).toBe(true);
  });

  test('guard.close terminates what is left after within', async () => {
    const clock = new ManualClock();
    const guard = chat({ clock });
    const socket = new RecordingSocket();
    const connection = connect(await admitted(guard, at()), socket);
    const closing = guard.close({ within: '2s' });
    clock.advance(2_000);
    expect(socket.calls).toContain('terminate');
    connection.closed(1006);
    await closing;
    expect(clock.pending).toBe(0);
  });

  test('guard.close refuses handshakes between the doors or waiting for a store, and closes admitted ones as they open', async () => {
    const clock = new ManualClock();
    const store = new SharedStore(clock);
    const guard = chat({ clock, store });
    const handshake = hostGuard(guard).begin(at(), () => {});
    await hostGuard(guard).enter(handshake);
    const admission = await hostGuard(guard).admit(handshake, undefined);
    if (admission.denied) throw new Error(admission.reason);
    const told: string[] = [];
    const tell = ({ reason, stage }: Denial): void => void told.push(`${reason} at ${stage}`);
    const between = hostGuard(guard).begin(at(), tell);
    await hostGuard(guard).enter(between);
    store.behave('hangs', 'precheck');
    const waiting = hostGuard(guard).enter(hostGuard(guard).begin(at(), tell));
    void guard.close();
    expect(told).toEqual(['shutting_down at shutdown', 'shutting_down at shutdown']);
    const socket = new RecordingSocket();
    admission.open(socket, () => {
      throw new Error('no handler may run');
    });
    expect(socket.closes).toMatchObject([{ code: 1001 }]);
    store.wake();
    expect(await waiting).toMatchObject({ reason: 'shutting_down' });
    expect(await hostGuard(guard).enter(hostGuard(guard).begin(at(), () => {}))).toMatchObject({
      reason: 'shutting_down',
    });
    expect(await hostGuard(guard).admit(between, undefined)).toMatchObject({ reason: 'shutting_down' });
  });

  test('guard.close resolves at once without connections, and rejects a within that is not a duration', async () => {
    await chat().close();
    await expect(chat().close({ within: 'soon' as never })).rejects.toThrow(/close\(\{ within \}\)/);
  });
});

test("with rejectAs: 'close' only denials after the origin check get a close code", async () => {
  const guard = chat({ rejectAs: 'close' });
  const denialOf = async (request: HandshakeRequest) => {
    const decision = await decide(guard, request);
    if (!decision.denied) throw new Error('it was admitted');
    return decision;
  };
  expect(hostGuard(guard).closesInstead(await denialOf(at({ Authorization: 'Bearer bad' })))).toBe(true);
  expect(
    hostGuard(guard).closesInstead(
      await denialOf(at({ Origin: 'https://evil.example', Authorization: 'Bearer bad' })),
    ),
  ).toBe(false);
  expect(hostGuard(chat()).closesInstead(await denialOf(at({ Authorization: 'Bearer bad' })))).toBe(false);
});

test('the limits for a host come from the policy', () => {
  expect(hostGuard(chat()).limits).toMatchObject({
    earlyBytes: 131_072,
    rejectedSockets: 100,
    compression: false,
    closeTimeout: 5_000,
  });
  const limits = { earlyBytes: '1KiB', rejectedSockets: 5, closeTimeout: '1s' };
  expect(hostGuard(chat({ compression: true, limits })).limits).toMatchObject({
    earlyBytes: 1_024,
    rejectedSockets: 5,
    compression: true,
    closeTimeout: 1_000,
  });
});

test('guard.name is the name of the policy or of the extension', () => {
  expect(guardOf({ messages: { say: SAY } }).name).toBe('default');
  expect(chat().name).toBe('chat');
});
