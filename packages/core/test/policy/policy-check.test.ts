import { describe, expect, test } from '@jest/globals';
import {
  anonymous,
  bearer,
  cookie,
  createGuard,
  custom,
  definePolicy,
  jwt,
  memoryStore,
  PolicyError,
  passthrough,
  query,
  systemClock,
  unsafeAllowAnyOrigin,
  unsafeReportAuthorization,
  unsafeReportHost,
  unsafeReportOrigin,
  unsafeReportTransport,
} from '@sallyport/core';
import { guardOf, SAY } from '../support/guards.ts';

const key = (...from: ReturnType<typeof bearer>[]) =>
  custom({ scheme: 'key', from, authenticate: () => undefined });
const BASE = { auth: [key(bearer())], messages: { say: SAY }, logger: false };

/** What a policy of these options is refused with, by both ways to hand it in. */
function refusal(options: object): string {
  const policy = { ...BASE, ...options } as never;
  const thrown = [() => definePolicy(policy), () => createGuard(policy)].map((make) => {
    try {
      make();
    } catch (error) {
      expect(error).toBeInstanceOf(PolicyError);
      return (error as PolicyError).message;
    }
    return 'nothing';
  });
  // Values are read when the guard is made; whatever `definePolicy` refuses, `createGuard` refuses alike.
  if (thrown[0] !== 'nothing') expect(thrown[1]).toBe(thrown[0]);
  return thrown[1] as string;
}

test('the least policy is taken', () => {
  expect(refusal({})).toBe('nothing');
});

describe('options that do not exist', () => {
  test.each([
    [{ bans: { duration: '1m' } }, 'policy.bans.duration: unknown option.'],
    [
      { onStoreFailure: { handshake: 'open' } },
      "policy.onStoreFailure.handshake: unknown option. Did you mean 'handshakes'?",
    ],
    [{ origin: [] }, "policy.origin: unknown option. Did you mean 'origins'?"],
    [{ Hosts: [] }, "policy.Hosts: unknown option. Did you mean 'hosts'?"],
    [{ limit: {} }, "policy.limit: unknown option. Did you mean 'limits'?"],
    [{ cors: true }, 'policy.cors: unknown option. The options are name, auth'],
    [{ limits: { mesages: '1/s' } }, 'policy.limits.mesages: unknown option.'],
    [{ limits: { messge: 5 } }, "policy.limits.messge: unknown option. Did you mean 'message'?"],
    [{ limits: { json: { dept: 3 } } }, "policy.limits.json.dept: unknown option. Did you mean 'depth'?"],
    [{ orgins: [] }, "policy.orgins: unknown option. Did you mean 'origins'?"],
    [{ heartbeat: '5s' }, "policy.heartbeat: unknown option. Did you mean 'limits.heartbeat'?"],
    [{ limits: { onRate: 'drop' } }, "policy.limits.onRate: unknown option. Did you mean 'policy.onRate'?"],
    [{ bans: { fro: '1m' } }, "policy.bans.fro: unknown option. Did you mean 'for'?"],
    [
      { limits: { messages: { rate: '1/s', brust: 2 } } },
      "policy.limits.messages.brust: unknown option. Did you mean 'burst'?",
    ],
    [
      { csrf: { qeury: 'csrf', verify: () => true } },
      "policy.csrf.qeury: unknown option. Did you mean 'query'?",
    ],
  ])('%j', (options, expected) => {
    expect(refusal(options)).toContain(expected);
  });
});

describe('a store, and what is done without it', () => {
  test.each([
    [{ store: {} }, "policy.store: it has no 'precheck', so it is no store. Give redisStore(client)"],
    [{ store: { ...memoryStore({ clock: systemClock }) } }, "policy.store: it has no 'precheck'"],
    [{ store: null }, 'policy.store: it is not an object'],
    [
      { onStoreFailure: { bans: 'deny' } },
      'policy.onStoreFailure.bans: deny is not an option. Use closed or open or local.',
    ],
    [{ onStoreFailure: 'closed' }, 'policy.onStoreFailure: it is not an object'],
    [{ limits: { storeTimeout: 0 } }, 'policy.limits.storeTimeout: 0 is not a duration'],
    [
      { limits: { revocationStaleness: 'never' } },
      "policy.limits.revocationStaleness: 'never' is not a duration",
    ],
    [{ store: memoryStore({ clock: systemClock }), onStoreFailure: { connections: 'closed' } }, 'nothing'],
  ])('%#', (options, expected) => {
    expect(refusal(options)).toContain(expected);
  });

  test('are decided once for the server', () => {
    const guard = guardOf({});
    for (const option of ['store', 'onStoreFailure', 'bans']) {
      expect(() => guard.extend({ [option]: {} } as never)).toThrow(/decided once for the server/);
    }
  });
});

describe('bans', () => {
  test.each([
    [{ growth: 0.5 }, 'policy.bans.growth: it is no factor of at least 1'],
    [{ growth: Number.POSITIVE_INFINITY }, 'policy.bans.growth'],
    [{ growth: '2' }, 'policy.bans.growth'],
    [{ closes: 'some' }, 'policy.bans.closes: some is not an option. Use identity or all or none.'],
    [{ after: '100' }, "policy.bans.after: '100' is not a rate"],
    [{ for: '10' }, "policy.bans.for: '10' is not a duration"],
    [{ memory: -1 }, 'policy.bans.memory: -1 is not a duration'],
    [{ for: '2d' }, 'policy.bans.longest: it is shorter than the first ban. Raise it, or lower bans.for.'],
    [{ for: '2d', longest: '2d', after: '1/s', growth: 1, closes: 'all', memory: 1 }, 'nothing'],
    [true, 'policy.bans: it is not an object'],
    [false, 'nothing'],
  ])('%#', (bans, expected) => {
    expect(refusal({ bans })).toContain(expected);
  });
});

describe('values that are none', () => {
  const wrong: [object, RegExp][] = [
    [{ limits: [] }, /^policy\.limits: it is not an object/],
    [{ limits: 'low' }, /^policy\.limits: it is not an object/],
    [{ limits: { json: 5 } }, /^policy\.limits\.json: it is not an object/],
    [{ limits: { json: { depth: 0 } } }, /^policy\.limits\.json\.depth: 0 is not a whole number/],
    [{ limits: { connections: 0 } }, /^policy\.limits\.connections/],
    [{ limits: { connectionsPerAddress: 1.5 } }, /^policy\.limits\.connectionsPerAddress/],
    [{ limits: { connectionsPerIdentity: '5' } }, /^policy\.limits\.connectionsPerIdentity/],
    [{ limits: { handshakes: '5' } }, /^policy\.limits\.handshakes: .*such as '20\/s'/],
    [{ limits: { handshakeTimeout: 'soon' } }, /^policy\.limits\.handshakeTimeout: .*such as '10s'/],
    [{ limits: { headerCount: -1 } }, /^policy\.limits\.headerCount/],
    [{ limits: { headerBytes: '16KB' } }, /^policy\.limits\.headerBytes: .*such as '16KiB'/],
    [{ limits: { offeredSubprotocols: 0 } }, /^policy\.limits\.offeredSubprotocols/],
    [{ limits: { earlyBytes: 'x' } }, /^policy\.limits\.earlyBytes/],
    [{ limits: { rejectedSockets: 0 } }, /^policy\.limits\.rejectedSockets/],
    [{ limits: { closeTimeout: 0 } }, /^policy\.limits\.closeTimeout/],
    [{ limits: { message: 0 } }, /^policy\.limits\.message/],
    [{ limits: { messages: 5 } }, /^policy\.limits\.messages/],
    [{ limits: { bytes: '5/s' } }, /^policy\.limits\.bytes: .*such as '256KiB\/s'/],
    [{ limits: { violations: 0 } }, /^policy\.limits\.violations/],
    [{ limits: { queuedMessages: 0 } }, /^policy\.limits\.queuedMessages/],
    [{ onRate: 'wait' }, /^policy\.onRate: .*close or drop or throttle/],
    [{ limits: { throttle: 0 } }, /^policy\.limits\.throttle: .*such as '10s'/],
    [{ limits: { controls: 5 } }, /^policy\.limits\.controls: .*such as '20\/s'/],
    [{ limits: { fragments: 0 } }, /^policy\.limits\.fragments/],
    [{ limits: { heartbeat: true } }, /^policy\.limits\.heartbeat: .*such as '10s'/],
    [{ limits: { heartbeat: '500ms' } }, /^policy\.limits\.heartbeat: .*once a second/],
    [{ limits: { idle: 10 } }, /^policy\.limits\.idle: .*once a second/],
    [{ limits: { identityMessages: '5' } }, /^policy\.limits\.identityMessages: .*such as '20\/s'/],
    [{ forwardedHeader: 'x-real-ip' }, /^policy\.forwardedHeader: .*x-forwarded-for or forwarded/],
    [{ name: '' }, /^policy\.name: it is no text/],
    [{ logger: () => {} }, /^policy\.logger: it is not an object/],
    [{ logger: {} }, /^policy\.logger: it has no 'warn', so it is no logger/],
    [{ clock: { now: Date.now } }, /^policy\.clock: it has no 'monotonic', so it is no clock/],
    [{ replies: 5 }, /^policy\.replies: it is not an object/],
    [{ csrf: { verify: () => true } }, /^policy\.csrf\.query: it is no text.*'csrf'/],
    [{ csrf: { query: 'csrf' } }, /^policy\.csrf\.verify: it is not a function/],
    [{ limits: { message: null } }, /^policy\.limits\.message: null is not a size/],
    [{ firstMessage: 'yes' }, /^policy\.firstMessage: it is not an object/],
    [{ compression: 'yes' }, /^policy\.compression: .*true or false/],
    [{ transport: 'plain' }, /^policy\.transport: .*unsafeAllowPlaintext/],
    [{ transport: unsafeAllowAnyOrigin }, /^policy\.transport/],
    [{ hosts: 'chat.example.com' }, /^policy\.hosts: it is not a list/],
    [{ hosts: [] }, /^policy\.hosts: .*empty/],
    [{ hosts: [7] }, /^policy\.hosts/],
    [{ trustedProxies: [] }, /^policy\.trustedProxies/],
    [{ trustedProxies: ['everything'] }, /^policy\.trustedProxies: .*'10\.0\.0\.0\/8'/],
    [{ origins: [] }, /^policy\.origins: .*empty/],
    [{ origins: 'https://app.example.com' }, /^policy\.origins: it is not a list/],
    [{ origins: '*' }, /^policy\.origins: '\*' would let in every page/],
    [{ origins: ['*'] }, /^policy\.origins: '\*' would let in every page/],
    [{ origins: true }, /^policy\.origins/],
    [{ subprotocols: 'chat' }, /^policy\.subprotocols/],
    [{ onDenied: 'ignore' }, /^policy\.onDenied: .*reply or close/],
    [{ rejectAs: 'ws' }, /^policy\.rejectAs: .*http or close/],
    [{ authorize: true }, /^policy\.authorize: it is not a function/],
    [{ messages: undefined }, /^policy\.messages: it is missing.*passthrough/],
    [{ messages: null }, /^policy\.messages: it is missing/],
    [{ replies: { error: SAY } }, /^policy\.replies\.error: the guard's own messages use this type/],
    [{ replies: { said: {} } }, /^policy\.replies\.said: .*not an object/],
    [{ auth: undefined }, /^policy\.auth: nobody is asked who connects.*anonymous\(\)/],
    [{ auth: [] }, /^policy\.auth: nobody is asked/],
    [{ auth: jwt }, /^policy\.auth: nobody is asked/],
    [{ auth: [undefined] }, /^policy\.auth: an entry is no authenticator/],
    [{ auth: [jwt] }, /^policy\.auth: an entry is no authenticator/],
    [{ auth: ['jwt'] }, /^policy\.auth: an entry is no authenticator/],
    [
      { auth: [key('cookie' as never)] },
      /^policy\.auth: 'key' looks for its credential in something that is no place/,
    ],
    [{ report: 'schema' }, /^policy\.report: it is not a list/],
  ];
  test.each(wrong)('%#: %j', (options, message) => {
    expect(refusal(options)).toMatch(message);
  });
});

describe('options that contradict each other', () => {
  test('a forwarding header that nobody is trusted to set', () => {
    expect(refusal({ forwardedHeader: 'forwarded' })).toMatch(/no proxy is trusted.*trustedProxies/);
  });

  test('one place that two authenticators read', () => {
    const other = custom({ scheme: 'other', from: [bearer()], authenticate: () => undefined });
    expect(refusal({ auth: [key(bearer()), other] })).toMatch(/bearer is read by both 'key' and 'other'/);
    expect(
      refusal({
        auth: [key(bearer()), custom({ scheme: 'o', from: [query('t')], authenticate: () => undefined })],
      }),
    ).toBe('nothing');
  });

  test.each([
    ['a cookie', [key(cookie('session'))]],
    ['a cookie beside a token', [key(bearer(), cookie('session'))]],
    ['a token that a proxy attaches', [key(bearer({ ambient: true }))]],
    ['a session', [custom({ scheme: 'session', authenticate: () => undefined })]],
  ])('%s, with origins open to all', (_, auth) => {
    expect(refusal({ auth, origins: unsafeAllowAnyOrigin })).toMatch(
      /^policy\.origins: every page could connect with its visitor's/,
    );
  });

  test.each([
    ['a token', [key(bearer())]],
    ['a token, or nobody', [key(bearer()), anonymous()]],
    [
      'what is not ambient by its own word',
      [custom({ scheme: 's', ambient: false, authenticate: () => undefined })],
    ],
  ])('but %s may be', (_, auth) => {
    expect(refusal({ auth, origins: unsafeAllowAnyOrigin })).toBe('nothing');
  });
});

describe('report', () => {
  test.each(['rate', 'subprotocol', 'message-rate', 'schema'])(
    '%s may only report, whoever connects',
    (stage) => {
      expect(refusal({ report: [stage], auth: [key(cookie('session'))] })).toBe('nothing');
    },
  );

  test.each([
    'request',
    'transport',
    'host',
    'address',
    'credential',
    'origin',
    'authentication',
    'authorization',
    'admission',
    'parse',
    'size',
    'nonsense',
  ])('%s never', (stage) => {
    expect(refusal({ report: [stage] })).toMatch(/^policy\.report: .*cannot only report/);
  });

  const unsafe = [unsafeReportTransport, unsafeReportHost, unsafeReportOrigin, unsafeReportAuthorization];
  test.each(unsafe)('%s only with explicit credentials', (stage) => {
    expect(refusal({ report: [stage] })).toBe('nothing');
    for (const auth of [
      [key(cookie('session'))],
      [anonymous()],
      [key(bearer({ ambient: true }))],
      [key(bearer()), anonymous()],
    ]) {
      expect(refusal({ report: [stage], auth })).toMatch(
        /would only be reported while .* is attached by browsers/,
      );
    }
  });
});

describe('an extension', () => {
  const base = guardOf({ auth: [key(bearer())], origins: ['https://app.example.com'] });
  const extending = (options: object) => () => base.extend(options as never);

  test.each([
    'hosts',
    'trustedProxies',
    'forwardedHeader',
    'transport',
    'compression',
    'store',
    'logger',
    'clock',
  ])('cannot set %s, which is decided once for the server', (option) => {
    expect(extending({ [option]: undefined })).toThrow(
      new RegExp(`extend\\(\\{ ${option} \\}\\).*createGuard`),
    );
  });

  test.each([
    'handshakeTimeout',
    'handshakes',
    'connections',
    'connectionsPerAddress',
    'connectionsPerIdentity',
    'headerCount',
    'headerBytes',
    'offeredSubprotocols',
    'earlyBytes',
    'rejectedSockets',
    'closeTimeout',
  ])('cannot set limits.%s', (limit) => {
    expect(extending({ limits: { [limit]: 5 } })).toThrow(
      new RegExp(`limits: \\{ ${limit} \\}.*createGuard`),
    );
  });

  test.each(['rate', unsafeReportTransport, unsafeReportHost])('cannot report %p', (stage) => {
    expect(extending({ report: [stage] })).toThrow(/decided once for the server/);
  });

  test('is checked as a whole policy is', () => {
    expect(extending({ orgins: [] })).toThrow(
      /^extend\(\{ orgins \}\): unknown option\. Did you mean 'origins'\?/,
    );
    expect(extending({ limits: { mesage: 5 } })).toThrow(
      /^extend\(\{ limits: \{ mesage \} \}\): unknown option\. Did you mean 'message'\?/,
    );
    expect(extending({ auth: [] })).toThrow(/nobody is asked/);
    expect(extending({ origins: ['*'] })).toThrow(/every page/);
    expect(extending({ messages: { say: 'x' } })).toThrow(/not a schema/);
  });

  test('cannot join what its base may not have together', () => {
    const open = guardOf({ auth: [key(bearer())], origins: unsafeAllowAnyOrigin });
    expect(() => open.extend({ auth: [key(cookie('session'))] })).toThrow(/every page could connect/);
    const reporting = guardOf({ auth: [key(bearer())], report: [unsafeReportHost] });
    expect(() => reporting.extend({ auth: [key(cookie('session'))] })).toThrow(/would only be reported/);
  });
});

test('passthrough needs no schema', () => {
  expect(refusal({ messages: passthrough({ text: true }) })).toBe('nothing');
});

describe('contradictions of what comes after the handshake', () => {
  const SECRET = 'a secret of thirty-two bytes, yes';
  const token = (more: object = {}) =>
    jwt({
      from: [bearer()],
      secret: SECRET,
      algorithms: ['HS256'],
      issuer: 'https://id.example.com',
      audience: 'chat',
      ...more,
    });
  const speaking = (scheme: string, messageField: string, from = [query(scheme)]) =>
    custom({ scheme, from, messageField, authenticate: () => undefined });

  test.each<[string, object, string]>([
    ['first messages that nobody reads', { firstMessage: true }, 'no authenticator reads messages'],
    ['renewals that nobody reads', { renewal: true }, 'policy.renewal: no authenticator reads messages'],
    ['an unknown way with early messages', { firstMessage: { early: 'drop' } }, 'policy.firstMessage.early'],
    ['an unknown option of firstMessage', { firstMessage: { earyl: 'queue' } }, 'policy.firstMessage.earyl'],
    ['an unknown option of renewal', { renewal: { notify: '5s' } }, 'policy.renewal.notify'],
    [
      'a notice that is no duration',
      { auth: [token()], renewal: { notice: 'soon' } },
      'policy.renewal.notice',
    ],
    [
      'a message of the application named auth',
      { auth: [token()], firstMessage: true, messages: { auth: SAY } },
      'policy.messages.auth: the name belongs to policy.firstMessage',
    ],
    [
      'renewal of what is not read',
      { auth: [token()], renewal: true, messages: passthrough({ text: true }) },
      'policy.renewal: the messages are not read',
    ],
    [
      'somebody who answers for every handshake',
      { auth: [token(), anonymous()], firstMessage: true },
      "'anonymous' answers for every handshake without a credential",
    ],
    [
      'a session that answers for every handshake',
      { auth: [token(), custom({ scheme: 'session', authenticate: () => undefined })], firstMessage: true },
      "'session' answers for every handshake",
    ],
    [
      'two readers of one field, which say nothing of what is theirs',
      { auth: [speaking('a', 'key'), speaking('b', 'key')], firstMessage: true },
      "'key' of the auth message is read by both 'a' and 'b'",
    ],
    [
      'a token and something else in one field',
      { auth: [token(), speaking('b', 'token')], renewal: true },
      "'token' of the auth message is read by both 'jwt' and 'b'",
    ],
    [
      'two tolerances under one name',
      { auth: [token(), token({ issuer: 'https://partner.example', clockTolerance: '5s' })] },
      "two authenticators of scheme 'jwt' differ in clockTolerance",
    ],
    [
      'an anti-forgery token where a credential is',
      { auth: [key(query('token'))], csrf: { query: 'token', verify: () => true } },
      "policy.csrf.query: 'token' holds a credential already",
    ],
    ['an unknown way with the oldest', { onIdentityLimit: 'replace' }, 'policy.onIdentityLimit'],
    ["replies of the guard's own names", { replies: { auth_ok: SAY } }, 'policy.replies.auth_ok'],
    ['attempts that are none', { limits: { authAttempts: 0 } }, 'policy.limits.authAttempts'],
    ['no time for the first message', { limits: { pendingTimeout: 0 } }, 'policy.limits.pendingTimeout'],
    ['a retention that is no duration', { limits: { revocationRetention: 'long' } }, 'revocationRetention'],
    ['no failures at all', { limits: { authFailures: '0/m' } }, 'policy.limits.authFailures'],
  ])('%s', (_what, options, expected) => {
    expect(refusal(options)).toContain(expected);
  });

  test.each<[string, object]>([
    [
      'two issuers at one place',
      { auth: [token(), token({ issuer: 'https://partner.example', scheme: 'partner' })] },
    ],
    [
      'two issuers in one field',
      { auth: [token(), token({ issuer: 'https://b.example' })], firstMessage: true },
    ],
    [
      'one tolerance under one name',
      { auth: [token({ clockTolerance: '5s' }), token({ clockTolerance: 5_000 })] },
    ],
    [
      'tolerances under names of their own',
      { auth: [token(), token({ scheme: 'b', clockTolerance: '5s' })] },
    ],
    ['the name auth where no message is one', { messages: { auth: SAY } }],
    [
      'opaque messages behind a first one',
      { auth: [token()], firstMessage: true, messages: passthrough({ text: true }) },
    ],
  ])('taken: %s', (_what, options) => {
    expect(refusal(options)).toBe('nothing');
  });

  test.each(['type', '', 5])('custom({ messageField: %j })', (messageField) => {
    const options = { scheme: 'key', messageField, authenticate: () => undefined };
    expect(() => custom(options as never)).toThrow(/custom\(\{ messageField \}\)/);
  });

  test.each(['pending', 'pendingPerAddress', 'authFailures', 'revocations', 'revocationRetention'])(
    'limits.%s is decided once for the server',
    (limit) => {
      expect(() => guardOf({}).extend({ limits: { [limit]: 1 } })).toThrow(/before the route is known/);
    },
  );
});
