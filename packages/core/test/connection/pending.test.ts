import { describe, expect, test } from '@jest/globals';
import { admitted, decide, outcomeOf } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { type Answers, auth, byName, Held, keys, replies, say, settle } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { SharedStore } from '../support/shared-store.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest();

/** A guard for first messages that counts what is held of its slots. */
function bench(options: object = {}, answers: Answers = byName) {
  const clock = new ManualClock();
  const store = new SharedStore(clock, { behaviour: 'at once' });
  const { authenticator, asked } = keys(answers);
  const guard = guardOf({ clock, store, auth: [authenticator], firstMessage: true, ...options });
  const slots = () => store.slots.map((key) => key.split(' ')[0]);
  const denied = collect<'message.denied'>(guard, 'message.denied');
  return { clock, guard, slots, asked, denied };
}

async function pend(of: ReturnType<typeof bench>, request = REQUEST) {
  const socket = new RecordingSocket();
  const opened: string[] = [];
  const seen: string[] = [];
  const admission = await admitted(of.guard, request);
  expect(admission.identity).toBeUndefined();
  const receiver = admission.open(socket, (connection) => {
    opened.push(connection.identity.subject);
    const on = connection.on.bind(connection) as unknown as (
      type: string,
      handler: (message: { text: string }) => void,
    ) => void;
    on('say', ({ text }) => void seen.push(text));
  });
  return { socket, receiver, opened, seen };
}

const EVERYTHING = ['connections', 'address', 'identity'];

test('a first message that authenticates opens the connection, which then handles messages', async () => {
  const of = bench();
  const { socket, receiver, opened, seen } = await pend(of);
  expect(of.slots()).toEqual(['connections', 'address', 'pending', 'pending']);
  expect(of.guard.stats()).toMatchObject({ connections: 0, pending: 1 });
  receiver.receive(auth('alice'), false);
  await settle();
  expect(opened).toEqual(['alice']);
  expect(of.slots()).toEqual(EVERYTHING);
  expect(of.guard.stats()).toMatchObject({ connections: 1, pending: 0 });
  receiver.receive(say('hi'), false);
  expect(seen).toEqual(['hi']);
  of.clock.advance(60_000);
  expect(socket.closes).toEqual([]);
  receiver.closed(1000);
  expect(of.slots()).toEqual([]);
  expect(of.clock.pending).toBe(0);
});

describe('limits.pendingTimeout', () => {
  test('the deadline of a pending connection is not extended by any traffic', async () => {
    const of = bench({ limits: { authAttempts: 100, pendingTimeout: '5s' } });
    const { socket, receiver, opened } = await pend(of);
    for (let i = 0; i < 9; i++) {
      of.clock.advance(500);
      receiver.receive(auth('wrong'), false);
      await settle();
    }
    of.clock.advance(499);
    expect(socket.closes).toEqual([]);
    of.clock.advance(1);
    expect(socket.closes).toEqual([{ code: 4408, reason: 'The handshake took too long.' }]);
    expect(of.slots()).toEqual([]);
    receiver.receive(auth('alice'), false);
    await settle();
    expect(opened).toEqual([]);
    of.clock.advance(5_000);
    expect(socket.calls).toEqual(['terminate']);
  });

  test('an authentication that succeeds after the deadline opens no connection and holds no slot', async () => {
    const answer = new Held<{ subject: string }>();
    let aborted = false;
    const of = bench({}, (_credential, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return answer.ask();
    });
    const { socket, receiver, opened } = await pend(of);
    receiver.receive(auth('alice'), false);
    of.clock.advance(5_000);
    expect([socket.closes[0]?.code, aborted]).toEqual([4408, true]);
    await answer.answer({ subject: 'alice' });
    expect([opened, of.slots(), of.guard.stats().connections]).toEqual([[], [], 0]);
  });
});

describe('failed auth messages', () => {
  test('beyond limits.authAttempts the connection closes, and every earlier failure is answered', async () => {
    const of = bench({ limits: { authAttempts: 3 } });
    const { socket, receiver } = await pend(of);
    for (let i = 0; i < 5; i++) {
      receiver.receive(auth('wrong'), false);
      await settle();
    }
    expect(replies(socket)).toEqual(['credential_invalid', 'credential_invalid']);
    expect(socket.closes.map(({ code }) => code)).toEqual([4401]);
    expect([of.asked(), of.slots()]).toEqual([3, []]);
  });

  test('auth messages sent at once are verified one after another, up to limits.authAttempts', async () => {
    const answer = new Held<undefined>();
    const of = bench({ limits: { authAttempts: 3 } }, answer.ask);
    const { receiver, socket } = await pend(of);
    for (let i = 0; i < 10; i++) receiver.receive(auth('wrong'), false);
    expect(answer.count).toBe(1);
    for (let i = 0; i < 10; i++) await answer.answer(undefined);
    expect(of.asked()).toBe(3);
    expect(socket.closes).toHaveLength(1);
  });

  test('failed auth messages of all connections of an address count together, and too many are refused before verification', async () => {
    const of = bench({ limits: { authFailures: { rate: '1/m', burst: 4 } } });
    for (let i = 0; i < 4; i++) {
      const { receiver } = await pend(of);
      receiver.receive(auth('wrong'), false);
      await settle();
      receiver.closed(1006);
    }
    const { receiver, socket } = await pend(of);
    receiver.receive(auth('alice'), false);
    await settle();
    expect(of.asked()).toBe(4);
    expect(socket.closes.map(({ code }) => code)).toEqual([4429]);
    expect(of.slots()).toEqual([]);
  });

  test.each<[string, Answers, number]>([
    ['an outage of the authenticator', () => Promise.reject(new Error('down')), 1013],
    ['a fault', () => ({ subject: '' }), 1011],
  ])('a pending connection is closed: %s', async (_what, answers, code) => {
    const of = bench({}, answers);
    const { receiver, socket } = await pend(of);
    receiver.receive(auth('alice'), false);
    await settle();
    expect(socket.closes.map((close) => close.code)).toEqual([code]);
    expect(of.slots()).toEqual([]);
  });

  test.each<[string, () => unknown, number]>([
    ['returns false', () => false, 4403],
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
      1011,
    ],
    ['rejects', () => Promise.reject(new Error('a bug')), 1011],
  ])('a pending connection is closed if policy.authorize %s', async (_what, authorize, code) => {
    const of = bench({ authorize });
    const { receiver, socket, opened } = await pend(of);
    receiver.receive(auth('alice'), false);
    await settle();
    expect(socket.closes.map((close) => close.code)).toEqual([code]);
    expect([opened, of.slots()]).toEqual([[], []]);
  });
});

describe('messages before the auth message', () => {
  test.each<[string, string | Buffer, boolean, number]>([
    ['a message of the application', say('hi'), false, 4401],
    ['a binary frame', Buffer.from(auth('alice')), true, 4401],
    ['no JSON', 'hello', false, 4401],
    ['JSON that is no object', '["auth"]', false, 4401],
    ['a hostile key', '{"type":"auth","__proto__":{"key":"alice"}}', false, 4401],
    ['an auth message beyond its own size', auth('a'.repeat(8_192)), false, 1009],
  ])('before the auth message, %s is refused', async (_what, data, isBinary, code) => {
    const of = bench();
    const { receiver, socket, opened } = await pend(of);
    receiver.receive(data, isBinary);
    receiver.receive(auth('alice'), false);
    await settle();
    expect(socket.closes.map((close) => close.code)).toEqual([code]);
    expect([opened, of.asked(), of.slots()]).toEqual([[], 0, []]);
  });

  test("with early: 'queue', early messages are handled in order once the connection is open", async () => {
    const answer = new Held<{ subject: string }>();
    const of = bench({ firstMessage: { early: 'queue' } }, answer.ask);
    const { receiver, seen, opened } = await pend(of);
    for (const text of ['1', '2']) receiver.receive(say(text), false);
    receiver.receive(auth('alice'), false);
    for (const text of ['3', '4']) receiver.receive(say(text), false);
    expect([seen, opened]).toEqual([[], []]);
    await answer.answer({ subject: 'alice' });
    expect([seen, opened]).toEqual([['1', '2', '3', '4'], ['alice']]);
  });

  test("with early: 'queue', early messages are kept after a failed auth message", async () => {
    const answer = new Held<{ subject: string } | undefined>();
    const of = bench({ firstMessage: { early: 'queue' } }, answer.ask);
    const { receiver, seen } = await pend(of);
    receiver.receive(say('1'), false);
    receiver.receive(auth('wrong'), false);
    receiver.receive(say('2'), false);
    receiver.receive(auth('alice'), false);
    await answer.answer(undefined);
    await answer.answer({ subject: 'alice' });
    expect(seen).toEqual(['1', '2']);
  });

  test("messages that follow an auth message wait even with early: 'refuse'", async () => {
    const answer = new Held<{ subject: string }>();
    const of = bench({}, answer.ask);
    const { receiver, seen } = await pend(of);
    receiver.receive(auth('alice'), false);
    receiver.receive(say('1'), false);
    await answer.answer({ subject: 'alice' });
    expect(seen).toEqual(['1']);
  });

  test.each([
    ['bytes', 'x'.repeat(100), 10, 11],
    ['messages of nearly no bytes', '1', 15, 16],
    ['messages of no bytes', '', 15, 16],
  ])('limits.pendingBytes bounds the queue of early messages: %s', async (_what, data, fit, tooMany) => {
    for (const [count, closed] of [
      [fit, 0],
      [tooMany, 1],
    ] as const) {
      const of = bench({ firstMessage: { early: 'queue' }, limits: { pendingBytes: 1_000 } });
      const { receiver, socket } = await pend(of);
      for (let i = 0; i < count; i++) receiver.receive(data, false);
      expect(socket.closes).toHaveLength(closed);
      if (closed === 1) expect([socket.closes[0]?.code, of.slots()]).toEqual([1009, []]);
    }
  });

  test('limits.pendingBytes bounds the messages that follow an auth message', async () => {
    const answer = new Held<{ subject: string }>();
    const of = bench({ limits: { pendingBytes: 1_000 } }, answer.ask);
    const { receiver, socket, opened } = await pend(of);
    receiver.receive(auth('alice'), false);
    for (let i = 0; i < 1_000; i++) receiver.receive('x'.repeat(500), false);
    expect([socket.closes[0]?.code, of.slots()]).toEqual([1009, []]);
    await answer.answer({ subject: 'alice' });
    expect([opened, of.slots()]).toEqual([[], []]);
  });
});

describe('while an auth message is verified', () => {
  const phases = ['authenticating', 'authorizing'] as const;

  /** A pending connection held in one of the awaits between its auth message and its opening. */
  async function heldIn(phase: (typeof phases)[number]) {
    const held = new Held<unknown>();
    const of = bench(
      phase === 'authorizing' ? { authorize: held.ask } : {},
      (phase === 'authenticating' ? held.ask : byName) as Answers,
    );
    const pending = await pend(of);
    pending.receiver.receive(auth('alice'), false);
    await settle();
    const answer = phase === 'authenticating' ? { subject: 'alice' } : true;
    return { of, ...pending, go: () => held.answer(answer) };
  }

  test.each(phases)('while %s, a closed socket releases all slots and opens no connection', async (phase) => {
    const { of, receiver, opened, go } = await heldIn(phase);
    receiver.closed(1006);
    expect(of.slots()).toEqual([]);
    await go();
    expect([opened, of.slots(), of.clock.pending, of.guard.stats()]).toMatchObject([
      [],
      [],
      0,
      { connections: 0, pending: 0 },
    ]);
  });

  test.each(phases)('while %s, a revocation of the subject closes the connection', async (phase) => {
    const { of, socket, opened, go } = await heldIn(phase);
    await of.guard.revoke({ subject: 'alice' });
    await go();
    expect([opened, socket.closes.map(({ code }) => code), of.slots()]).toEqual([[], [4401], []]);
  });

  test.each(phases)('while %s, a shutdown of the guard closes the connection', async (phase) => {
    const { of, socket, opened, go } = await heldIn(phase);
    void of.guard.close();
    await go();
    expect([opened, socket.closes.map(({ code }) => code), of.slots()]).toEqual([[], [1001], []]);
  });
});

test('an identity with too many connections is refused, and all slots are released', async () => {
  const of = bench({ limits: { connectionsPerIdentity: 1 } });
  const first = await pend(of);
  first.receiver.receive(auth('alice'), false);
  const second = await pend(of);
  second.receiver.receive(auth('alice'), false);
  await settle();
  expect([first.opened, second.opened]).toEqual([['alice'], []]);
  expect(second.socket.closes.map(({ code }) => code)).toEqual([4429]);
  expect(of.slots()).toEqual(EVERYTHING);
});

describe('a flood of pending connections', () => {
  test.each([
    ['in total', { pending: 2, pendingPerAddress: 5 }],
    ['of one address', { pending: 5, pendingPerAddress: 2 }],
  ])('is capped %s, and one that opens or goes makes room', async (_what, limits) => {
    const of = bench({ limits });
    const first = await pend(of);
    const second = await pend(of);
    expect(await outcomeOf(of.guard, REQUEST)).toBe('pending_limit');
    // Whoever brings a credential along does not wait, and is not held up by those who do.
    const withKey = upgradeRequest({ headers: { Authorization: 'Bearer alice' } });
    expect(await outcomeOf(of.guard, withKey)).toBe('admitted');
    first.receiver.receive(auth('alice'), false);
    await settle();
    const third = await pend(of);
    expect(await outcomeOf(of.guard, REQUEST)).toBe('pending_limit');
    second.receiver.closed(1006);
    expect(await outcomeOf(of.guard, REQUEST)).toBe('admitted');
    for (const { receiver } of [first, third]) receiver.closed(1000);
    expect(of.slots()).toEqual([]);
  });

  test('a handshake that is refused with pending_limit releases its slots', async () => {
    const of = bench({ limits: { pending: 1 } });
    const { receiver } = await pend(of);
    for (let i = 0; i < 5; i++) expect(await outcomeOf(of.guard, REQUEST)).toBe('pending_limit');
    receiver.closed(1006);
    expect(of.slots()).toEqual([]);
  });
});

describe('guard.close with pending connections', () => {
  test('guard.close closes pending connections', async () => {
    const of = bench();
    const { socket, receiver } = await pend(of);
    const closed = of.guard.close();
    expect(socket.closes.map(({ code }) => code)).toEqual([1001]);
    expect(of.slots()).toEqual([]);
    receiver.closed(1001);
    await closed;
    expect(of.clock.pending).toBe(0);
  });

  test('guard.close closes a pending connection whose handshake passed just before', async () => {
    const of = bench();
    const admission = await admitted(of.guard, REQUEST);
    const closed = of.guard.close();
    const socket = new RecordingSocket();
    const receiver = admission.open(socket, () => {
      throw new Error('opened');
    });
    expect(socket.closes.map(({ code }) => code)).toEqual([1001]);
    expect(of.slots()).toEqual([]);
    receiver.closed(1001);
    await closed;
    expect(of.clock.pending).toBe(0);
  });
});

test('with firstMessage, a wrong credential in the handshake is still refused', async () => {
  const of = bench();
  const request = upgradeRequest({ headers: { Authorization: 'Bearer wrong' } });
  expect(await decide(of.guard, request)).toMatchObject({ reason: 'credential_invalid' });
});

test('with firstMessage, a handshake with a wrong origin is refused', async () => {
  const of = bench({ origins: ['https://app.example.com'] });
  const request = upgradeRequest({ headers: { Origin: 'https://evil.example' } });
  expect(await outcomeOf(of.guard, request)).toBe('origin_denied');
});

test('each failed auth message is an event with its stage and without the credential', async () => {
  const of = bench({ limits: { authAttempts: 2 } });
  const { receiver } = await pend(of);
  for (let i = 0; i < 2; i++) receiver.receive(auth('wrong'), false);
  await settle();
  expect(of.denied.map(({ reason, stage, path }) => [reason, stage, path])).toEqual([
    ['credential_invalid', 'authentication', '/chat'],
    ['credential_invalid', 'authentication', '/chat'],
  ]);
  expect(JSON.stringify(of.denied)).not.toContain('wrong');
});

test('an invalid frame or a fault of the host ends a pending connection and releases its slots', async () => {
  const of = bench();
  const broken = await pend(of);
  broken.receiver.broken('message_too_big');
  broken.receiver.closed(1009);
  const failed = await pend(of);
  failed.receiver.fault(new Error('a bug'));
  expect(failed.socket.closes.map(({ code }) => code)).toEqual([1011]);
  expect(of.slots()).toEqual([]);
  expect(of.denied.map(({ reason }) => reason)).toEqual(['message_too_big', 'internal']);
});
