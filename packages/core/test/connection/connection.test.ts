import { describe, expect, test } from '@jest/globals';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf, SAY } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { bareThenable } from '../support/thenable.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
const say = (text: string) => JSON.stringify({ type: 'say', text });

async function open(options: object = {}) {
  const clock = new ManualClock();
  const guard = guardOf({ clock, ...options });
  const socket = new RecordingSocket();
  const connection = connect(await admitted(guard, REQUEST), socket);
  const on = connection.on.bind(connection) as unknown as (
    type: string,
    handler: (message: never) => unknown,
  ) => void;
  return { clock, guard, socket, connection, on, faults: collect(guard, 'fault') };
}

/** A promise that the test settles. */
function gate() {
  let open: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the order of messages', () => {
  test('a message reaches the typed handler, then the listeners of the bare library, before receive returns', async () => {
    const { connection, socket, on } = await open();
    const seen: string[] = [];
    on('say', ({ text }: { text: string }) => void seen.push(`typed ${text}`));
    socket.onDeliver = (data) => void seen.push(`bare ${data}`);
    connection.receive(Buffer.from(say('hi')), false);
    expect(seen).toEqual(['typed hi', `bare ${say('hi')}`]);
  });

  test('messages are handled in order, however long each handler takes', async () => {
    const { connection, on } = await open();
    const gates = [gate(), gate(), gate()];
    const seen: string[] = [];
    on('say', async ({ text }: { text: string }) => {
      seen.push(`begin ${text}`);
      await gates[Number(text)]?.promise;
      seen.push(`end ${text}`);
    });
    for (const text of ['0', '1', '2']) connection.receive(say(text), false);
    gates[2]?.open();
    gates[1]?.open();
    await settle();
    expect(seen).toEqual(['begin 0']);
    gates[0]?.open();
    await settle();
    expect(seen).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  test('messages also wait for an asynchronous listener of the bare library, and for an asynchronous authorize', async () => {
    const answers = [gate(), gate()];
    let asked = 0;
    const rule = { schema: SAY, authorize: () => answers[asked++]?.promise.then(() => true) };
    const { connection, socket } = await open({ messages: { say: rule } });
    connection.receive(say('a'), false);
    connection.receive(say('b'), false);
    answers[1]?.open();
    await settle();
    expect(socket.delivered).toEqual([]);
    answers[0]?.open();
    await settle();
    expect(socket.delivered).toEqual([say('a'), say('b')]);
  });

  test('with a full queue the socket is not read until there is room', async () => {
    const { connection, socket, on } = await open({ limits: { queuedMessages: 3 } });
    const gates = Array.from({ length: 6 }, gate);
    let begun = 0;
    on('say', () => gates[begun++]?.promise);
    for (let i = 0; i < 3; i++) connection.receive(say('x'), false);
    expect(socket.calls).toEqual([]);
    connection.receive(say('x'), false);
    expect(socket.calls).toEqual(['pause']);
    // A paused socket still delivers what is in its chunk: kept, not lost.
    connection.receive(say('x'), false);
    expect(socket.calls).toEqual(['pause']);
    gates[0]?.open();
    await settle();
    expect(socket.calls).toEqual(['pause']);
    gates[1]?.open();
    await settle();
    expect(socket.calls).toEqual(['pause', 'resume']);
    for (const { open } of gates) open();
    await settle();
    expect(begun).toBe(5);
  });

  test('messages that come after the end change nothing', async () => {
    const { connection, socket } = await open();
    connection.close();
    connection.receive(say('late'), false);
    connection.receive('garbage', false);
    expect(socket.delivered).toEqual([]);
    expect(socket.sent).toEqual([]);
  });

  test('messages that wait are not handled once the connection is closing', async () => {
    const { connection, on } = await open();
    const first = gate();
    const seen: string[] = [];
    on('say', ({ text }: { text: string }) => {
      seen.push(text);
      return first.promise;
    });
    connection.receive(say('a'), false);
    connection.receive(say('b'), false);
    connection.close();
    first.open();
    await settle();
    expect(seen).toEqual(['a']);
  });
});

describe('a failing handler closes with internal, and only operators see the error', () => {
  const boom = new Error('secret of the application');
  const failures: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    ['rejects', () => Promise.reject(boom)],
  ];
  describe.each(failures)('%s', (_, fail) => {
    test.each(['typed', 'bare'])('a failing %s handler closes with internal', async (which) => {
      const { connection, socket, faults, on } = await open();
      if (which === 'typed') on('say', fail);
      else socket.onDeliver = fail;
      connection.receive(say('hi'), false);
      await settle();
      expect(socket.closes).toEqual([{ code: 1011, reason: 'Something went wrong.' }]);
      expect(faults).toEqual([expect.objectContaining({ stage: 'dispatch', error: boom })]);
      expect(JSON.stringify(socket)).not.toContain('secret');
    });

    test('if both handlers fail, no rejection is unhandled', async () => {
      const unheard: unknown[] = [];
      const listen = (error: unknown) => void unheard.push(error);
      process.on('unhandledRejection', listen);
      const { connection, socket, on } = await open();
      on('say', () => Promise.reject(boom));
      socket.onDeliver = fail;
      connection.receive(say('hi'), false);
      await settle();
      await settle();
      process.off('unhandledRejection', listen);
      expect(unheard).toEqual([]);
      expect(socket.closes).toHaveLength(1);
    });

    test('a failing authorize of a message closes with internal', async () => {
      const { connection, socket, faults } = await open({
        messages: { say: { schema: SAY, authorize: fail } },
      });
      connection.receive(say('hi'), false);
      await settle();
      expect(socket.delivered).toEqual([]);
      expect(socket.closes).toMatchObject([{ code: 1011 }]);
      expect(faults).toHaveLength(1);
    });

    test('a failing close listener is a fault, and the other listeners are called', async () => {
      const { connection, faults } = await open();
      let called = 0;
      connection.onClose(fail as () => void).onClose(() => void called++);
      connection.closed(1000);
      await settle();
      expect(called).toBe(1);
      expect(faults).toEqual([expect.objectContaining({ error: boom })]);
    });
  });
});

describe('the end of a connection', () => {
  test('a listener that comes after the end is called once, not during its registration, with code and reason', async () => {
    const { connection } = await open();
    connection.end('idle');
    connection.closed(4408);
    const events: unknown[] = [];
    connection.onClose((event) => events.push(event));
    expect(events).toEqual([]);
    await settle();
    expect(events).toEqual([{ code: 4408, reason: 'idle' }]);
  });

  test('a listener that another one adds is called, and one that fails late is a fault', async () => {
    const { connection, faults } = await open();
    let called = 0;
    const boom = new Error('secret of the application');
    const fail = () => Promise.reject(boom);
    connection.onClose(() => connection.onClose(() => void called++).onClose(fail));
    connection.closed(1000);
    await settle();
    expect([called, faults]).toEqual([1, [expect.objectContaining({ error: boom })]]);
  });

  test('the signal aborts before the listeners are called, is one for all, and has aborted for who asks late', async () => {
    const { connection } = await open();
    const { signal } = connection;
    const seen: unknown[] = [];
    connection.onClose(() => seen.push(signal.aborted));
    connection.end('idle');
    expect([connection.state, signal.aborted]).toEqual(['closing', false]);
    connection.closed(4408);
    expect([seen, connection.signal === signal]).toEqual([[true], true]);
    const { connection: another } = await open();
    another.closed(1006);
    expect(another.signal.aborted).toBe(true);
  });
});

describe('connection.on', () => {
  test('connection.on throws for a type that is not in the policy, and for a second handler', async () => {
    const { on } = await open();
    expect(() => on('sya', () => {})).toThrow(/no message 'sya'/);
    expect(() => on('toString', () => {})).toThrow(/no message 'toString'/);
    on('say', () => {});
    expect(() => on('say', () => {})).toThrow(/has a handler already/);
  });
});

describe('connection.send', () => {
  test('send writes { type, ...body }, and the body cannot change the type', async () => {
    const { connection, socket } = await open();
    expect(connection.send('said' as never, { text: 'hi', type: 'error' } as never)).toBe(true);
    expect(socket.sent).toEqual([{ type: 'said', text: 'hi' }]);
  });

  test('send throws for a message that replies does not allow, and sends nothing', async () => {
    const { connection, socket } = await open({ replies: { said: SAY } });
    const send = connection.send.bind(connection) as (type: string, body: object) => boolean;
    expect(() => send('sayd', {})).toThrow(/no reply 'sayd'/);
    expect(() => send('said', { text: 7 })).toThrow(/'said' does not match its schema at '\/text'/);
    expect(() => send('said', { text: 'hi', password: 'x' })).toThrow(/does not match/);
    expect(socket.sent).toEqual([]);
    expect(send('said', { text: 'hi' })).toBe(true);
  });

  test('send returns false once the connection is closing', async () => {
    const { connection, socket } = await open();
    connection.close();
    expect(connection.send('said' as never, {} as never)).toBe(false);
    expect(socket.sent).toEqual([]);
  });
});

describe('a denied message', () => {
  const cases: [string, string, string, string | undefined][] = [
    ['no JSON', '{', 'message_malformed', undefined],
    ['null', 'null', 'message_malformed', undefined],
    ['a number', '7', 'message_malformed', undefined],
    ['a list', '[]', 'message_malformed', undefined],
    ['no type', '{}', 'message_type_unknown', undefined],
    ['an unknown type', '{"type":"shout"}', 'message_type_unknown', undefined],
    ['an inherited type', '{"type":"constructor"}', 'message_type_unknown', undefined],
    ['a wrong field', '{"type":"say","text":7}', 'message_invalid', '/text'],
    ['an unknown field', '{"type":"say","text":"a","isAdmin":true}', 'message_invalid', ''],
    ['a poisoned prototype', '{"type":"say","text":"a","__proto__":{}}', 'message_malformed', undefined],
  ];
  test.each(cases)('a denied message is answered: %s', async (_, text, code, path) => {
    const { connection, socket, guard } = await open();
    const denied = collect(guard, 'message.denied');
    connection.receive(text, false);
    expect(socket.sent).toEqual([
      { type: 'error', code, message: expect.any(String), ...(path !== undefined && { path }) },
    ]);
    expect(socket.delivered).toEqual([]);
    expect(socket.closes).toEqual([]);
    expect(denied).toEqual([expect.objectContaining({ reason: code, connection: connection.id })]);
  });

  test.each(cases)("with onDenied: 'close' a denied message closes: %s", async (_, text, code) => {
    const { connection, socket } = await open({ onDenied: 'close' });
    connection.receive(text, false);
    expect(socket.sent).toEqual([]);
    expect(socket.closes).toEqual([{ code: 4400, reason: expect.any(String) }]);
    let reason: unknown;
    connection.onClose((event) => {
      reason = event.reason;
    });
    connection.closed(4400);
    expect(reason).toBe(code);
  });

  test('one denied message too many ends the connection', async () => {
    const { connection, socket } = await open({ limits: { violations: 3 } });
    for (let i = 0; i < 5; i++) connection.receive('{', false);
    expect(socket.sent).toHaveLength(2);
    expect(socket.closes).toEqual([{ code: 1008, reason: 'Too many messages were refused.' }]);
  });

  test("a binary, too big or too fast message closes even with onDenied: 'reply'", async () => {
    for (const [options, data, isBinary, code] of [
      [{}, Buffer.from(say('a')), true, 1003],
      [{ limits: { message: 30 } }, say('a'.repeat(20)), false, 1009],
      [{ limits: { messages: { rate: '1/s', burst: 1 } } }, say('a'), false, 4429],
      [{ limits: { bytes: { rate: '10B/s', burst: 30 } } }, say('a'), false, 4429],
    ] as const) {
      const { connection, socket } = await open(options);
      connection.receive(data, isBinary);
      connection.receive(data, isBinary);
      expect(socket.closes).toEqual([{ code, reason: expect.any(String) }]);
    }
  });

  test('the size of a message is counted in bytes, not characters', async () => {
    const { connection, socket } = await open({ limits: { message: Buffer.byteLength(say('\u20ac')) - 1 } });
    connection.receive(say('\u20ac'), false);
    expect(socket.closes).toMatchObject([{ code: 1009 }]);
  });

  test('messages pass again once the clock has advanced', async () => {
    const { connection, socket, clock } = await open({ limits: { messages: { rate: '2/s', burst: 2 } } });
    for (let i = 0; i < 10; i++) {
      connection.receive(say('a'), false);
      clock.advance(500);
    }
    expect(socket.delivered).toHaveLength(10);
    for (let i = 0; i < 3; i++) connection.receive(say('a'), false);
    expect(socket.delivered).toHaveLength(12);
    expect(socket.closes).toMatchObject([{ code: 4429 }]);
  });
});

describe('report-only stages', () => {
  test('with a report-only schema a wrong message is handled and reported', async () => {
    const { connection, socket, guard } = await open({ report: ['schema'] });
    const reported = collect(guard, 'message.reported');
    connection.receive('{"type":"say","text":7}', false);
    expect(socket.delivered).toHaveLength(1);
    expect(reported).toEqual([
      expect.objectContaining({ reason: 'message_invalid', stage: 'schema', pointer: '/text' }),
    ]);
    // An unknown type has no schema that could be reported on.
    connection.receive('{"type":"shout"}', false);
    expect(socket.delivered).toHaveLength(1);
  });

  test('with a report-only rate a message too many is handled and reported', async () => {
    const { connection, socket, guard } = await open({
      report: ['message-rate'],
      limits: { messages: { rate: '1/s', burst: 1 } },
    });
    const reported = collect(guard, 'message.reported');
    for (let i = 0; i < 3; i++) connection.receive(say('a'), false);
    expect(socket.delivered).toHaveLength(3);
    expect(reported).toHaveLength(2);
  });
});

describe('connection.close', () => {
  test('a socket is terminated if its close is not answered in time, and not if it is', async () => {
    const { connection, socket, clock } = await open({ limits: { closeTimeout: '2s' } });
    connection.close(4000, 'bye');
    expect(connection.state).toBe('closing');
    clock.advance(1_999);
    expect(socket.calls).toEqual([]);
    clock.advance(1);
    expect(socket.calls).toEqual(['terminate']);

    const other = await open();
    other.connection.close();
    other.connection.closed(1000);
    expect(other.clock.pending).toBe(0);
    expect(other.connection.state).toBe('closed');
  });

  test('of several closes the first one counts', async () => {
    const { connection, socket } = await open();
    connection.close(4001, 'first');
    connection.close(4002, 'second');
    connection.end('internal');
    expect(socket.closes).toEqual([{ code: 4001, reason: 'first' }]);
  });

  test('a close reason is cut to 123 bytes without splitting a character', async () => {
    const { connection, socket } = await open();
    connection.close(4000, '\u{1f512}'.repeat(40));
    expect(socket.closes).toEqual([{ code: 4000, reason: '\u{1f512}'.repeat(30) }]);
  });

  test.each([0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 1000.5, Number.NaN])(
    'close throws for the code %s',
    async (code) => {
      const { connection, socket } = await open();
      expect(() => connection.close(code)).toThrow(RangeError);
      expect(socket.closes).toEqual([]);
    },
  );

  test('a paused socket is read again once the connection closes', async () => {
    const { connection, socket, on } = await open({ limits: { queuedMessages: 1 } });
    on('say', () => new Promise(() => {}));
    connection.receive(say('a'), false);
    connection.receive(say('b'), false);
    connection.close();
    expect(socket.calls).toEqual(['pause', 'resume']);
  });

  test('a closed connection releases its slots once, leaves the registry and is reported by an event', async () => {
    const { connection, guard, clock } = await open({ limits: { connections: 1 } });
    const closed = collect(guard, 'connection.closed');
    expect([...guard.connections()]).toEqual([connection]);
    clock.advance(1_500);
    for (let i = 0; i < 3; i++) connection.closed(1001);
    expect(closed).toEqual([expect.objectContaining({ code: 1001, reason: undefined, milliseconds: 1_500 })]);
    expect(guard.stats().connections).toBe(0);
    const next = await admitted(guard, REQUEST);
    connection.closed(1000);
    // Had a later call given a slot back, a second one would be free.
    await expect(admitted(guard, REQUEST)).rejects.toThrow(/capacity/);
    next.release();
  });

  test('an invalid frame that the WebSocket library found becomes the reason of the close and an event', async () => {
    const { connection, guard } = await open();
    const denied = collect(guard, 'message.denied');
    connection.broken('message_too_big');
    expect(denied).toEqual([expect.objectContaining({ reason: 'message_too_big', stage: 'size' })]);
    const closed = collect(guard, 'connection.closed');
    connection.closed(1009);
    connection.broken('message_too_big');
    expect(closed).toEqual([expect.objectContaining({ code: 1009, reason: 'message_too_big' })]);
    expect(denied).toHaveLength(1);
  });
});

test('each connection has another id, of 22 characters in base64url', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, async () => (await open()).connection.id));
  expect(new Set(ids).size).toBe(20);
  for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
});

test('an authorize that returns a thenable is awaited', async () => {
  const rule = { schema: SAY, authorize: () => bareThenable(false) };
  const { connection, socket } = await open({ messages: { say: rule } });
  connection.receive(say('a'), false);
  await settle();
  expect(socket.delivered).toEqual([]);
  expect(socket.sent).toMatchObject([{ code: 'message_forbidden' }]);
});
