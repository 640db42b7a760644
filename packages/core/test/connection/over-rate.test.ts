import { describe, expect, test } from '@jest/globals';
import { passthrough } from '../../src/message/passthrough.ts';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf, SAY } from '../support/guards.ts';
import { auth, byName, keys, replies, say } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });

async function open(options: object = {}) {
  const clock = new ManualClock();
  const guard = guardOf({ clock, ...options });
  const socket = new RecordingSocket();
  const connection = connect(await admitted(guard, REQUEST), socket);
  const seen: string[] = [];
  const on = connection.on.bind(connection) as unknown as (
    type: string,
    handler: (message: { text: string }) => void,
  ) => void;
  if (!('messages' in options)) on('say', ({ text }) => void seen.push(text));
  const denied = collect<'message.denied'>(guard, 'message.denied');
  const codes = () => socket.closes.map(({ code }) => code);
  const send = (count: number, text = 'hi') => {
    for (let i = 0; i < count; i++) connection.receive(say(text), false);
  };
  return { clock, guard, socket, connection, seen, denied, codes, send };
}

describe("onRate: 'close', the default", () => {
  test("onRate: 'close' ends the connection with the first message too many", async () => {
    const { send, seen, codes, denied } = await open({ limits: { messages: { rate: '10/s', burst: 2 } } });
    send(5);
    expect([seen.length, codes(), denied.length]).toEqual([2, [4429], 1]);
  });
});

describe("onRate: 'drop'", () => {
  const drop = { onRate: 'drop', limits: { messages: { rate: '10/s', burst: 2 }, violations: 3 } } as const;

  test("onRate: 'drop' handles messages within the rate, and answers the others at most once a second", async () => {
    const { clock, send, seen, socket, denied } = await open(drop);
    send(50);
    expect([seen.length, replies(socket), denied.length]).toEqual([2, ['message_rate'], 1]);
    clock.advance(999);
    send(50);
    expect([seen.length, replies(socket), denied.length]).toEqual([4, ['message_rate'], 1]);
    clock.advance(1);
    send(50);
    expect([seen.length, replies(socket), denied.length]).toEqual([4, ['message_rate', 'message_rate'], 2]);
  });

  test("onRate: 'drop' counts each answer as one violation, until there are too many", async () => {
    const { clock, send, socket, codes } = await open(drop);
    for (let second = 0; second < 2; second++) {
      send(100);
      clock.advance(1_000);
    }
    expect(codes()).toEqual([]);
    send(100);
    expect([codes(), replies(socket)]).toEqual([[1008], ['message_rate', 'message_rate']]);
  });

  test("onRate: 'drop' answers even with onDenied: 'close'", async () => {
    const { send, socket, codes } = await open({ ...drop, onDenied: 'close' });
    send(5);
    expect([codes(), replies(socket)]).toEqual([[], ['message_rate']]);
    send(1, 'x'.repeat(30));
    expect(codes()).toEqual([]);
  });

  test("onRate: 'drop' drops a message whose type costs too much, and messages beyond limits.bytes", async () => {
    const { connection, send, seen, socket, codes } = await open({
      ...drop,
      messages: { say: SAY, search: { schema: SAY, cost: 9 } },
      limits: { messages: { rate: '10/s', burst: 10 }, bytes: { rate: '1B/s', burst: '150B' } },
    });
    connection.receive(say('hi').replace('say', 'search'), false);
    connection.receive(say('hi').replace('say', 'search'), false);
    send(1);
    expect([seen.length, replies(socket), codes()]).toEqual([0, ['message_rate'], []]);
  });

  test("onRate: 'drop' answers no opaque message, because its sender could not read the answer", async () => {
    const { connection, socket, denied } = await open({ ...drop, messages: passthrough({ text: true }) });
    for (const text of ['a', 'b', 'c']) connection.receive(text, false);
    expect([socket.delivered, socket.sent, socket.closes]).toEqual([['a', 'b'], [], []]);
    expect(denied.map(({ reason }) => reason)).toEqual(['message_rate']);
  });

  test("onRate: 'drop' still closes for a message that is too big", async () => {
    const { send, codes } = await open({ ...drop, limits: { message: '50B' } });
    send(1, 'x'.repeat(60));
    expect(codes()).toEqual([1009]);
  });
});

describe('limits.controls', () => {
  test('limits.controls allows fifty pings and pongs at once and twenty a second, and closes beyond', async () => {
    const { clock, connection, codes, denied } = await open();
    for (let i = 0; i < 50; i++) connection.control(4);
    for (let second = 0; second < 30; second++) {
      clock.advance(1_000);
      for (let i = 0; i < 20; i++) connection.control(4);
    }
    expect(codes()).toEqual([]);
    connection.control(4);
    connection.control(4);
    expect(codes()).toEqual([4429]);
    expect(denied).toEqual([expect.objectContaining({ reason: 'message_rate', stage: 'message-rate' })]);
  });

  test.each(['drop', 'throttle'])('limits.controls closes even with onRate: %s', async (onRate) => {
    const { connection, codes } = await open({ onRate, limits: { controls: { rate: '1/m', burst: 2 } } });
    for (let i = 0; i < 3; i++) connection.control(0);
    expect(codes()).toEqual([4429]);
  });

  test("pings and messages do not count towards each other's rate", async () => {
    const limits = { controls: { rate: '1/m', burst: 2 }, messages: { rate: '1/m', burst: 2 } };
    const { connection, send, seen, codes } = await open({ limits });
    connection.control(0);
    connection.control(0);
    send(2);
    expect([seen.length, codes()]).toEqual([2, []]);
  });

  test('with a report-only rate, too many pings are only reported', async () => {
    const { guard, connection, codes } = await open({
      report: ['message-rate'],
      limits: { controls: { rate: '1/m', burst: 1 } },
    });
    const reported = collect<'message.reported'>(guard, 'message.reported');
    connection.control(0);
    connection.control(0);
    expect([codes(), reported.length]).toEqual([[], 1]);
  });

  test('limits.controls also closes pending connections', async () => {
    const guard = guardOf({
      auth: [keys(byName).authenticator],
      firstMessage: true,
      limits: { controls: { rate: '1/m', burst: 3 } },
    });
    const socket = new RecordingSocket();
    const receiver = (await admitted(guard, upgradeRequest())).open(socket, () => {});
    for (let i = 0; i < 3; i++) receiver.control(0);
    expect(socket.closes).toEqual([]);
    receiver.control(0);
    expect(socket.closes.map(({ code }) => code)).toEqual([4429]);

    const later = new RecordingSocket();
    const opened = (await admitted(guard, upgradeRequest())).open(later, () => {});
    opened.receive(auth('alice'), false);
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 3; i++) opened.control(0);
    expect(later.closes).toEqual([]);
    opened.control(0);
    expect(later.closes.map(({ code }) => code)).toEqual([4429]);
  });
});

describe('limits.violations', () => {
  const junk = (connection: { receive(data: string, isBinary: boolean): void }, count: number) => {
    for (let i = 0; i < count; i++) connection.receive('junk', false);
  };

  test('limits.violations as a number: one of them is forgiven every minute', async () => {
    const { clock, connection, codes } = await open({ limits: { violations: 3 } });
    junk(connection, 2);
    for (let minute = 0; minute < 20; minute++) {
      clock.advance(60_000);
      junk(connection, 1);
    }
    expect(codes()).toEqual([]);
    clock.advance(59_000);
    junk(connection, 1);
    expect(codes()).toEqual([1008]);
  });

  test('limits.violations: 1 ends the connection with the first denied message', async () => {
    const { connection, codes } = await open({ limits: { violations: 1 } });
    junk(connection, 1);
    expect(codes()).toEqual([1008]);
  });

  test.each([
    ['5/m', 5, 12_000],
    [{ rate: '1/s', burst: 4 }, 4, 1_000],
  ])('limits.violations as the rate %j', async (violations, most, interval) => {
    const { clock, connection, codes } = await open({ limits: { violations } });
    junk(connection, most - 1);
    clock.advance(interval);
    junk(connection, 1);
    expect(codes()).toEqual([]);
    junk(connection, 1);
    expect(codes()).toEqual([1008]);
  });
});
