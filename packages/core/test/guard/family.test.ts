import { describe, expect, test } from '@jest/globals';
import type { Store } from '@sallyport/core/store';
import { admitted, connect, decide, outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { auth, byName, Held, keys, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { type Behaviour, SharedStore } from '../support/shared-store.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const as = (name: string) => upgradeRequest({ headers: { Authorization: `Bearer ${name}` } });

/** `overrides` are what the store is asked instead. */
function bench(options: object = {}, overrides: object = {}, behaviour: Behaviour = 'at once') {
  const clock = new ManualClock();
  const store = new SharedStore(clock, { behaviour, overrides: overrides as Partial<Store> });
  const guard = guardOf({ clock, store, auth: [keys(byName).authenticator], ...options });
  const open = async (name: string) => {
    const socket = new RecordingSocket();
    const connection = connect(await admitted(guard, as(name)), socket);
    return { socket, connection, codes: () => socket.closes.map(({ code }) => code) };
  };
  return { clock, guard, store, open };
}

describe('guard.revoke', () => {
  test('guard.revoke takes exactly one name, and a valid time', async () => {
    const { guard } = bench();
    const wrong = [
      {},
      { subject: '' },
      { subject: 'a', session: 'b' },
      { subject: 'a', issuedBefore: Number.NaN },
      { subject: 'a', issuedBefore: Number.POSITIVE_INFINITY },
    ];
    for (const what of wrong) await expect(guard.revoke(what)).rejects.toThrow(TypeError);
  });

  test("guard.revoke closes the subject's connections on every route, and no others", async () => {
    const { guard, open } = bench();
    const admin = guard.extend({ limits: { lifetime: '1h' } });
    const alice = await open('alice');
    const bob = await open('bob');
    const socket = new RecordingSocket();
    connect(await admitted(admin, as('alice')), socket);
    await guard.revoke({ subject: 'alice' });
    expect([alice.codes(), bob.codes(), socket.closes.map(({ code }) => code)]).toEqual([[4401], [], [4401]]);
    expect(await outcomeOf(admin, as('alice'))).toBe('revoked');
  });

  test('guard.revoke closes the connections of this node at once although the store is unavailable', async () => {
    const { guard, store, clock, open } = bench();
    store.behave('rejects', 'revoke');
    const alice = await open('alice');
    let told = false;
    const revoking = guard.revoke({ subject: 'alice' }).then(() => {
      told = true;
    });
    expect(alice.codes()).toEqual([4401]);
    expect(await outcomeOf(guard, as('alice'))).toBe('revoked');
    // It waits for the store from then on, where it was given up before.
    await settle();
    expect(told).toBe(false);
    store.behave('at once');
    clock.advance(1_000);
    await revoking;
  });

  test('guard.revoke rejects if the guard closes before the store had the revocation', async () => {
    const { guard, store } = bench();
    store.behave('rejects', 'revoke');
    const revoking = guard.revoke({ subject: 'alice' });
    const refused = expect(revoking).rejects.toThrow('closed before the store had this revocation');
    await guard.close();
    await refused;
  });

  test('guard.revoke closes open connections and rejects if no more revocations fit', async () => {
    const { guard, open } = bench({ limits: { revocations: 1 } });
    const alice = await open('alice');
    await guard.revoke({ subject: 'bob' });
    await expect(guard.revoke({ subject: 'alice' })).rejects.toThrow(/limits\.revocations/);
    expect(alice.codes()).toEqual([4401]);
  });

  test('guard.revoke of a session or a token includes credentials issued later', async () => {
    const clock = new ManualClock();
    const { guard } = bench({
      clock,
      auth: [
        keys((name) => ({
          subject: 'alice',
          session: 's1',
          tokenId: name,
          issuedAt: clock.now() / 1_000 + 5,
        })).authenticator,
      ],
    });
    await guard.revoke({ tokenId: 't1' });
    expect(await outcomeOf(guard, as('t1'))).toBe('revoked');
    expect(await outcomeOf(guard, as('t2'))).toBe('admitted');
    await guard.revoke({ session: 's1' });
    expect(await outcomeOf(guard, as('t2'))).toBe('revoked');
    await guard.revoke({ subject: 'alice' });
    clock.advance(60_000);
    expect(await outcomeOf(guard, as('t2'))).toBe('revoked');
  });

  test('guard.revoke of a subject spares a login after issuedBefore, and no login that is dated ahead', async () => {
    const clock = new ManualClock();
    const logins: Record<string, number> = { now: 0, ahead: 3 };
    const { guard, open } = bench({
      clock,
      auth: [
        keys((name) => ({ subject: 'alice', issuedAt: clock.now() / 1_000 + (logins[name] ?? Number.NaN) }))
          .authenticator,
      ],
    });
    const now = await open('now');
    const ahead = await open('ahead');
    await guard.revoke({ subject: 'alice', issuedBefore: clock.now() / 1_000 - 60 });
    expect([now.codes(), ahead.codes()]).toEqual([[], [4401]]);
    await guard.revoke({ subject: 'alice' });
    expect(now.codes()).toEqual([4401]);
  });

  test('a revocation by another node closes connections here', async () => {
    const { guard, store, open } = bench();
    const alice = await open('alice');
    await store.memory.revoke({ subject: 'alice', issuedBefore: 0 });
    expect(alice.codes()).toEqual([4401]);
    expect(await outcomeOf(guard, as('alice'))).toBe('revoked');
  });

  const FREE = { allowed: true, remaining: 1, retryAfter: 0 };
  /** Each await of a handshake, held by a test. */
  const awaits: readonly (readonly [string, (held: Held<unknown>) => [object, object?], unknown])[] = [
    // Bans, rates and failed attempts in one.
    ['it is counted', (held) => [{}, { precheck: held.ask }], { bannedFor: 0, hits: [FREE, FREE], full: -1 }],
    [
      'it is authenticated',
      (held) => [{ auth: [keys(held.ask as never).authenticator] }],
      { subject: 'alice' },
    ],
    ['it is authorized', (held) => [{ authorize: held.ask }], true],
    ['its origin is asked for', (held) => [{ origins: held.ask, hosts: ['localhost'] }], true],
    [
      'its slots are reserved',
      (held) => [{}, { acquire: held.ask }],
      { lease: { release: () => {}, onLost: () => {} } },
    ],
  ];
  test.each(awaits)('a revocation during a handshake refuses it, while %s', async (_what, hold, answer) => {
    const held = new Held<unknown>();
    const { guard } = bench(...hold(held));
    const request = upgradeRequest({
      headers: { Authorization: 'Bearer alice', Origin: 'http://localhost:3000' },
    });
    const deciding = decide(guard, request);
    await settle();
    expect(held.count).toBe(1);
    await guard.revoke({ subject: 'alice' });
    await held.answer(answer);
    const decision = await deciding;
    if (decision.denied) {
      expect(decision.reason).toBe('revoked');
      return;
    }
    const socket = new RecordingSocket();
    decision.open(socket, () => {
      throw new Error('it slipped through');
    });
    expect(socket.closes.map(({ code }) => code)).toEqual([4401]);
  });

  test('a revocation between the last stage and the 101 closes the connection', async () => {
    const { guard } = bench();
    const admission = await admitted(guard, as('alice'));
    await guard.revoke({ subject: 'alice' });
    const socket = new RecordingSocket();
    admission.open(socket, () => {
      throw new Error('it slipped through');
    });
    expect(socket.closes.map(({ code }) => code)).toEqual([4401]);
  });
});

describe("onIdentityLimit: 'replace-oldest'", () => {
  const options = { onIdentityLimit: 'replace-oldest', limits: { connectionsPerIdentity: 2 } };

  test("replace-oldest closes the identity's oldest connection, once for each new one", async () => {
    const { open, guard } = bench(options);
    const bob = await open('bob');
    const all = [];
    for (let i = 0; i < 4; i++) all.push(await open('alice'));
    expect(all.map(({ codes }) => codes())).toEqual([[4409], [4409], [], []]);
    expect(bob.codes()).toEqual([]);
    for (const { connection } of all) connection.closed(1000);
    expect(guard.stats().connections).toBe(1);
  });

  test('replace-oldest closes no connection for a handshake that another limit refuses', async () => {
    const { open, guard } = bench({ ...options, limits: { connectionsPerIdentity: 1, connections: 2 } });
    const alice = await open('alice');
    await open('bob');
    expect(await outcomeOf(guard, as('alice'))).toBe('capacity');
    expect(alice.codes()).toEqual([]);
  });

  test('with a store that answers later, racing handshakes are all admitted, and no more than the cap stay', async () => {
    const { guard } = bench(options, {}, 'later');
    const decisions = await Promise.all(Array.from({ length: 10 }, () => decide(guard, as('alice'))));
    const sockets = decisions.map((decision) => {
      if (decision.denied) throw new Error(decision.reason);
      const socket = new RecordingSocket();
      decision.open(socket, () => {});
      return socket;
    });
    const codes = sockets.flatMap(({ closes }) => closes.map(({ code }) => code));
    expect(codes).toEqual(Array(8).fill(4409));
  });

  test('replace-oldest releases the slot of a replaced connection only once', async () => {
    const { open, guard } = bench({ ...options, limits: { connectionsPerIdentity: 1 } });
    const first = await open('alice');
    const second = await open('alice');
    first.connection.closed(4409);
    expect(await outcomeOf(guard.extend({ limits: { lifetime: '1h' } }), as('alice'))).toBe('admitted');
    expect(second.codes()).toEqual([4409]);
  });

  test('replace-oldest also holds for first messages', async () => {
    const { open, guard } = bench({ ...options, firstMessage: true, limits: { connectionsPerIdentity: 1 } });
    const first = await open('alice');
    const admission = await admitted(guard, upgradeRequest());
    const socket = new RecordingSocket();
    const receiver = admission.open(socket, () => {});
    expect(first.codes()).toEqual([]);
    receiver.receive(auth('alice'), false);
    await settle();
    expect([first.codes(), socket.closes]).toEqual([[4409], []]);
  });
});
