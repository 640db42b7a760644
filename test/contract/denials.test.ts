import { afterEach, describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, cookie, custom, query, type Reason, reasons } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { SharedStore } from '../../packages/core/test/support/shared-store.ts';
import { APP, chatGuard, chatJwt, NOW, type PolicyOverrides, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { admitted, type HandshakeOptions, handshakeBytes, refusal, Wire } from '../support/wire.ts';
import type { Host, RunningHost } from './hosts/host.ts';
import { hosts } from './hosts/index.ts';

/** What a test may use to cause a denial. */
interface Scene {
  readonly guard: AnyGuard;
  readonly clock: ManualClock;
  /** A store of this test alone. */
  readonly store: SharedStore;
  readonly port: number;
  /** Opens a connection that is admitted and stays open. */
  readonly open: (subject?: string) => Promise<Wire>;
}

interface Denied {
  readonly reason: Reason;
  readonly because: string;
  readonly status: number;
  readonly policy?: PolicyOverrides;
  /** Changes to a handshake that would be admitted. */
  readonly request?: HandshakeOptions | (() => Promise<HandshakeOptions>);
  /** Brings the application into the state in which the handshake is denied. */
  readonly before?: (scene: Scene) => unknown;
  /** Causes the denial while the handshake is under way. */
  readonly during?: (scene: Scene) => unknown;
  /** Undoes `before`, so that handshakes are admitted again. */
  readonly after?: (scene: Scene) => unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** All slots; each has to be free again after a denial. */
const CAP = 3;
const limits = { connections: CAP, handshakes: { rate: '1000/s', burst: 1_000 } } as const;

const unauthorized = { 'www-authenticate': 'Bearer error="invalid_token"' };

let asked: (() => void) | undefined;
/** A custom authenticator that fails in each way in which one can. */
const keys = custom({
  scheme: 'key',
  from: [query('key')],
  authenticate({ credential }) {
    asked?.();
    if (credential === 'outage') throw new Error('the database is away');
    if (credential === 'hang') return new Promise<undefined>(() => {});
    return credential === 'right' ? { subject: 'carol' } : undefined;
  },
});
const auth = [chatJwt([bearer(), cookie('token')]), keys];

const denials: readonly Denied[] = [
  {
    reason: 'request_malformed',
    because: 'it is a POST',
    status: 400,
    request: { method: 'POST' },
  },
  {
    reason: 'request_malformed',
    because: 'a listed proxy forwards no address',
    status: 400,
    policy: { trustedProxies: ['127.0.0.1'] },
    request: { headers: { 'X-Forwarded-For': 'unknown' } },
  },
  {
    reason: 'version_unsupported',
    because: 'the version is 8',
    status: 426,
    request: { headers: { 'Sec-WebSocket-Version': '8' } },
    headers: { connection: 'close, Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
  },
  {
    reason: 'tls_required',
    because: 'it came without TLS for a public name',
    status: 403,
    request: { headers: { Host: 'chat.example.com' } },
  },
  {
    reason: 'host_denied',
    because: 'its Host is not listed',
    status: 403,
    request: { headers: { Host: '127.0.0.1' } },
  },
  {
    reason: 'handshake_rate',
    because: 'its address has used up its handshakes',
    status: 429,
    policy: { limits: { ...limits, handshakes: { rate: '3/m', burst: 1 } } },
    before: async ({ open }) => (await open()).destroy(),
    after: ({ clock }) => clock.advance(60_000),
    headers: { 'retry-after': '20' },
  },
  {
    reason: 'credential_ambiguous',
    because: 'header and query both hold a credential',
    status: 401,
    request: { target: '/chat?key=right' },
    headers: unauthorized,
  },
  {
    reason: 'origin_denied',
    because: 'its Origin is not listed',
    status: 403,
    request: { headers: { Origin: 'https://evil.example' } },
  },
  {
    reason: 'subprotocol_denied',
    because: 'no offered subprotocol is in the policy',
    status: 400,
    request: { headers: { 'Sec-WebSocket-Protocol': 'unheard.v1' } },
  },
  {
    reason: 'credential_missing',
    because: 'it has no credential',
    status: 401,
    request: { headers: { Authorization: null } },
    headers: { 'www-authenticate': 'Bearer' },
  },
  {
    reason: 'credential_invalid',
    because: 'another key signed its token',
    status: 401,
    request: async () => ({
      headers: {
        Authorization: `Bearer ${await token({}, { secret: 'another secret of more than 32 bytes' })}`,
      },
    }),
    headers: unauthorized,
  },
  {
    reason: 'credential_expired',
    because: 'its token has expired',
    status: 401,
    request: async () => ({ headers: { Authorization: `Bearer ${await token({ exp: NOW })}` } }),
    headers: unauthorized,
  },
  {
    reason: 'auth_unavailable',
    because: 'the authenticator throws',
    status: 503,
    request: { target: '/chat?key=outage', headers: { Authorization: null } },
    headers: { 'retry-after': '1' },
  },
  {
    reason: 'auth_timeout',
    because: 'the authenticator never answers',
    status: 408,
    request: { target: '/chat?key=hang', headers: { Authorization: null } },
    during: async ({ clock }) => {
      await new Promise<void>((resolve) => {
        asked = resolve;
      });
      clock.advance(10_000);
    },
    headers: { 'retry-after': '1' },
  },
  {
    reason: 'auth_attempts',
    because: 'its address has failed too often',
    status: 429,
    policy: { limits: { ...limits, authFailures: { rate: '1/m', burst: 1 } } },
    before: ({ port }) => refusal(port, { headers: { Authorization: 'Bearer wrong' } }),
    after: ({ clock }) => clock.advance(60_000),
    headers: { 'retry-after': '60' },
  },
  {
    reason: 'revoked',
    because: 'its subject was revoked',
    status: 401,
    before: ({ guard }) => guard.revoke({ subject: 'mallory' }),
    request: async () => ({ headers: { Authorization: `Bearer ${await token({ sub: 'mallory' })}` } }),
    headers: unauthorized,
  },
  {
    reason: 'banned',
    because: 'an operator has banned its subject',
    status: 403,
    before: ({ guard }) => guard.bans.add({ subject: 'mallory' }),
    request: async () => ({ headers: { Authorization: `Bearer ${await token({ sub: 'mallory' })}` } }),
    headers: { 'retry-after': '600' },
  },
  {
    reason: 'banned',
    because: 'an operator has banned its address',
    status: 403,
    policy: { trustedProxies: ['127.0.0.1'] },
    before: ({ guard }) => guard.bans.add({ address: '203.0.113.7', for: '90s' }),
    request: { headers: { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' } },
    headers: { 'retry-after': '90' },
  },
  {
    reason: 'store_unavailable',
    because: "the store fails and onStoreFailure is 'closed'",
    status: 503,
    policy: { onStoreFailure: { handshakes: 'closed' } },
    before: ({ store }) => store.behave('rejects'),
    after: ({ store }) => store.behave('at once'),
    headers: { 'retry-after': '1' },
  },
  {
    reason: 'store_unavailable',
    because: 'the list of revocations is older than 30 s',
    status: 503,
    before: ({ store }) => {
      store.stale = 30_001;
    },
    after: ({ store }) => {
      store.stale = 0;
    },
    headers: { 'retry-after': '1' },
  },
  {
    reason: 'csrf_denied',
    because: 'a cookie came without the anti-forgery token',
    status: 403,
    policy: { csrf: { query: 'csrf', verify: ({ token: given }) => given === 'right' } },
    request: async () => ({ headers: { Authorization: null, Cookie: `token=${await token()}` } }),
  },
  {
    reason: 'not_authorized',
    because: 'authorize returns false',
    status: 403,
    policy: { authorize: ({ identity }) => identity.subject !== 'mallory' },
    request: async () => ({ headers: { Authorization: `Bearer ${await token({ sub: 'mallory' })}` } }),
  },
  {
    reason: 'internal',
    because: 'authorize throws',
    status: 500,
    policy: {
      authorize({ identity }) {
        if (identity.subject === 'mallory') throw new Error('a bug');
        return true;
      },
    },
    request: async () => ({ headers: { Authorization: `Bearer ${await token({ sub: 'mallory' })}` } }),
    headers: { 'retry-after': '1' },
  },
  {
    reason: 'connection_limit',
    because: 'its address has all its connections',
    status: 429,
    policy: { limits: { ...limits, connections: 10, connectionsPerAddress: CAP } },
    before: async ({ open }) => void (await Promise.all([open(), open(), open()])),
    after: closeAll,
    headers: { 'retry-after': '5' },
  },
  {
    reason: 'connection_limit',
    because: 'its identity has all its connections',
    status: 429,
    policy: { limits: { ...limits, connections: 10, connectionsPerIdentity: CAP } },
    before: async ({ open }) => void (await Promise.all([open(), open(), open()])),
    after: closeAll,
    headers: { 'retry-after': '5' },
  },
  {
    reason: 'pending_limit',
    because: 'all pending slots are taken',
    status: 503,
    policy: { firstMessage: true, limits: { ...limits, pending: 1 } },
    before: async ({ port }) => void wires.push(await admitted(port, { headers: { Origin: APP } })),
    request: { headers: { Authorization: null } },
    after: closeAll,
    headers: { 'retry-after': '5' },
  },
  {
    reason: 'capacity',
    because: 'all connections are taken',
    status: 503,
    before: async ({ open }) => void (await Promise.all([open(), open(), open()])),
    after: closeAll,
    headers: { 'retry-after': '5' },
  },
];

const running: RunningHost[] = [];
const wires: Wire[] = [];
afterEach(async () => {
  asked = undefined;
  for (const wire of wires.splice(0)) wire.destroy();
  await Promise.all(running.splice(0).map((host) => host.close()));
});

describe.each(hosts)('$name', (host) => {
  test.each(denials)(
    'a handshake is refused as $reason because $because, and leaves no slot behind',
    async (denied) => {
      const { reason, status, request = {}, headers } = denied;
      const { scene, started } = await setUp(host, denied.policy);
      await denied.before?.(scene);
      const handled = started.handled.length;

      const wire = await Wire.open(scene.port);
      wires.push(wire);
      wire.send(handshakeBytes(await good(typeof request === 'function' ? await request() : request)));
      await denied.during?.(scene);
      const answer = await wire.answer();

      const body = JSON.stringify({ error: reason, message: reasons[reason].text });
      expect(answer).toMatchObject({ status, body });
      expect(answer.headers).toEqual({
        connection: 'close',
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'cache-control': 'no-store',
        ...headers,
      });
      // The stream holds no byte of a 101 or of a second response.
      expect(answer.raw.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
      expect(started.handled).toHaveLength(handled);
      expect(scene.guard.stats().denied).toMatchObject({ [reason]: 1 });

      await denied.after?.(scene);
      await everySlotIsFree(scene);
    },
  );

  test('a handshake is refused as shutting_down after guard.close()', async () => {
    const { scene, started } = await setUp(host);
    const open = await scene.open();
    const closed = scene.guard.close();
    expect(await open.closeCode()).toBe(1001);
    const wire = await Wire.open(scene.port);
    const answer = await wire.handshake(await good()).answer();
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': expect.stringMatching(/^([1-9]|10)$/), connection: 'close' },
    });
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'shutting_down' });
    open.destroy();
    await closed;
    expect(scene.guard.stats().connections).toBe(0);
    expect(started.handled).toHaveLength(1);
  });

  test('an upgrade of a path without a WebSocket route is refused as route_unknown', async () => {
    const { scene, started } = await setUp(host);
    for (const target of ['/nowhere', '/plain']) {
      const wire = await Wire.open(scene.port);
      wires.push(wire);
      wire.handshake(await good({ target }));
      if (host.capabilities.knowsRoutes) {
        const answer = await wire.answer();
        expect(answer).toMatchObject({ status: 404, headers: { connection: 'close' } });
        expect(JSON.parse(answer.body)).toMatchObject({ error: 'route_unknown' });
        expect(answer.raw).not.toContain('HTTP/1.1 101');
      } else {
        expect(await wire.closeCode()).toBe(4404);
      }
    }
    expect(started.handled).toEqual([]);
    await everySlotIsFree(scene);
  });
});

/** A clock that the test moves, a guard and an application that takes CAP connections. */
async function setUp(host: Host, policy: PolicyOverrides = {}) {
  const clock = new ManualClock();
  const store = new SharedStore(clock, { behaviour: 'at once' });
  const guard = chatGuard({ auth, clock, store, ...policy, limits: { ...limits, ...policy.limits } });
  const started = await host.start({ guard });
  running.push(started);
  const { port } = started;
  const open = async (subject?: string): Promise<Wire> => {
    const wire = await admitted(port, await good({}, subject));
    wires.push(wire);
    return wire;
  };
  const scene: Scene = { guard, clock, store, port, open };
  return { scene, started };
}

async function good(changes: HandshakeOptions = {}, subject = 'alice'): Promise<HandshakeOptions> {
  const headers = {
    Authorization: `Bearer ${await token({ sub: subject })}`,
    Origin: APP,
    ...changes.headers,
  };
  return { ...changes, headers };
}

async function closeAll({ guard }: Scene): Promise<void> {
  for (const wire of wires.splice(0)) wire.destroy();
  await eventually(() => guard.stats().connections === 0, 'the end of all connections');
}

/** Fills the application to its capacity: with a slot that was not released, the last handshake would fail. */
async function everySlotIsFree(scene: Scene): Promise<void> {
  await closeAll(scene);
  for (let i = 0; i < CAP; i++) {
    scene.clock.advance(60_000);
    await scene.open();
  }
  await eventually(() => scene.guard.stats().connections === CAP, 'all connections');
}
