import { describe, expect, test } from '@jest/globals';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { say } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });

/** A connection whose peer says nothing unless a test does. */
async function open(limits: object = {}, options: object = {}) {
  const clock = new ManualClock();
  const guard = guardOf({ clock, limits, ...options });
  const socket = new RecordingSocket();
  socket.alive = false;
  const connection = connect(await admitted(guard, REQUEST), socket);
  const denied = collect<'message.denied'>(guard, 'message.denied');
  const reported = collect<'message.reported'>(guard, 'message.reported');
  const closed = collect<'connection.closed'>(guard, 'connection.closed');
  return { clock, guard, socket, connection, denied, reported, closed };
}

/** Lets so many seconds pass, each with its own look; some bytes come in each. */
function hear(clock: ManualClock, socket: RecordingSocket, seconds: number, bytes: number): void {
  for (let i = 0; i < seconds; i++) {
    socket.read += bytes;
    clock.advance(1_000);
  }
}

describe('limits.heartbeat', () => {
  test('a silent peer is pinged once, and terminated within two intervals', async () => {
    const { clock, socket, connection, closed } = await open({ heartbeat: '25s' });
    clock.advance(23_999);
    expect(socket.calls).toEqual([]);
    clock.advance(1);
    expect(socket.calls).toEqual(['ping']);
    clock.advance(24_999);
    expect(socket.calls).toEqual(['ping']);
    clock.advance(1);
    expect(socket.calls).toEqual(['ping', 'terminate']);
    expect([connection.state, socket.closes]).toEqual(['closing', []]);
    connection.closed(1006);
    expect(closed).toEqual([expect.objectContaining({ code: 1006, reason: 'unresponsive' })]);
    expect(clock.pending).toBe(0);
  });

  test('by default a ping is sent within 25 s, so that a proxy with a timeout of 60 s does not cut', async () => {
    const { clock, socket } = await open();
    clock.advance(25_000);
    expect(socket.calls).toEqual(['ping']);
    clock.advance(25_000);
    expect(socket.calls).toEqual(['ping', 'terminate']);
  });

  test('any byte from the peer counts as a sign of life', async () => {
    const { clock, socket } = await open({ heartbeat: '10s' });
    hear(clock, socket, 120, 1);
    expect(socket.calls).toEqual([]);
    // The answer to a ping, a moment before it would have been too late.
    clock.advance(18_000);
    hear(clock, socket, 1, 6);
    expect(socket.calls).toEqual(['ping']);
    clock.advance(9_000);
    expect(socket.calls).toEqual(['ping', 'ping']);
    clock.advance(10_000);
    expect(socket.calls).toEqual(['ping', 'ping', 'terminate']);
  });

  test('bytes beyond 2^31 and 2^32 still count as a sign of life', async () => {
    const { clock, socket } = await open({ heartbeat: '2s', bytes: { rate: '4096MiB/s', burst: '4096MiB' } });
    for (const start of [2 ** 31 - 3, 2 ** 32 - 3]) {
      socket.read = start;
      clock.advance(1_000);
      hear(clock, socket, 10, 2);
    }
    expect(socket.calls).toEqual([]);
  });

  test('a message counts as a sign of life on a host that counts no bytes', async () => {
    const { clock, socket, connection } = await open({ heartbeat: '3s' });
    for (let i = 0; i < 10; i++) {
      connection.receive(say('hi'), false);
      clock.advance(1_000);
    }
    for (let i = 0; i < 10; i++) {
      connection.control(0);
      clock.advance(1_000);
    }
    expect(socket.calls).toEqual([]);
  });

  test('heartbeat: false neither pings nor terminates', async () => {
    const { clock, socket } = await open({ heartbeat: false });
    clock.advance(3_600_000);
    expect(socket.calls).toEqual([]);
  });

  test('a heartbeat of one second pings before it terminates', async () => {
    const { clock, socket } = await open({ heartbeat: '1s' });
    clock.advance(1_000);
    expect(socket.calls).toEqual(['ping']);
    clock.advance(1_000);
    expect(socket.calls).toEqual(['ping', 'terminate']);
  });

  test('while the guard or the application does not read the socket, silence does not count', async () => {
    const { clock, socket } = await open({ heartbeat: '10s' });
    clock.advance(9_000);
    expect(socket.calls).toEqual(['ping']);
    clock.advance(9_000);
    socket.held = true;
    clock.advance(600_000);
    expect(socket.calls).toEqual(['ping']);
    socket.held = false;
    clock.advance(9_000);
    expect(socket.calls).toEqual(['ping']);
    clock.advance(1_000);
    expect(socket.calls).toEqual(['ping', 'terminate']);
  });

  test.each([10_000, 3_600_000])(
    'after a stall of %d ms a peer that was pinged gets another interval',
    async (ms) => {
      const { clock, socket } = await open({ heartbeat: '10s' });
      clock.advance(18_000);
      expect(socket.calls).toEqual(['ping']);
      clock.stall(ms);
      clock.advance(9_000);
      expect(socket.calls).toEqual(['ping']);
      clock.advance(1_000);
      expect(socket.calls).toEqual(['ping', 'terminate']);
    },
  );

  test('after a stall a peer that was not pinged yet is not terminated', async () => {
    const { clock, socket } = await open({ heartbeat: '10s' });
    clock.advance(5_000);
    clock.stall(60_000);
    clock.advance(3_000);
    expect(socket.calls).toEqual([]);
    clock.advance(1_000);
    expect(socket.calls).toEqual(['ping']);
  });

  test.each([
    ['55s', 0],
    ['56s', 1],
    [false, 0],
  ])('a heartbeat of %s warns %d times that proxies cut sooner', (heartbeat, times) => {
    const lines: string[] = [];
    guardOf({
      limits: { heartbeat },
      logger: { warn: (_details: object, text: string) => lines.push(text) },
    });
    expect(lines.filter((line) => line.includes('limits.heartbeat'))).toHaveLength(times);
  });
});

describe('limits.idle', () => {
  test('limits.idle ends a connection without messages, although pings come', async () => {
    const { clock, socket, connection } = await open({ idle: '30s' });
    for (let i = 0; i < 29; i++) {
      connection.control(4);
      clock.advance(1_000);
    }
    expect(socket.closes).toEqual([]);
    clock.advance(2_000);
    expect(socket.closes).toEqual([{ code: 4408, reason: 'No message came for too long.' }]);
  });

  test('limits.idle begins anew with each message, and never ends a connection early', async () => {
    const { clock, socket, connection } = await open({ idle: '5s' });
    for (let i = 0; i < 5; i++) {
      clock.advance(4_999);
      connection.receive(say('hi'), false);
    }
    clock.advance(4_999);
    expect(socket.closes).toEqual([]);
    clock.advance(1_001);
    expect(socket.closes.map(({ code }) => code)).toEqual([4408]);
  });

  test('without limits.idle a connection without messages stays open', async () => {
    const { clock, socket } = await open({ lifetime: '30d' });
    hear(clock, socket, 86_400, 1);
    expect(socket.closes).toEqual([]);
  });

  test('limits.idle does not count a stall, nor the time in which the application does not read', async () => {
    const { clock, socket } = await open({ idle: '5s' });
    clock.advance(4_000);
    clock.stall(60_000);
    socket.held = true;
    clock.advance(60_000);
    expect(socket.closes).toEqual([]);
    socket.held = false;
    clock.advance(2_000);
    expect(socket.closes.map(({ code }) => code)).toEqual([4408]);
  });
});

describe('bytes outside of messages', () => {
  const limits = { bytes: { rate: '1KiB/s', burst: '10KiB' }, message: '20KiB' } as const;
  /** A burst, a message under way, and two chunks that are not counted yet. */
  const MOST = (10 + 20 + 128) * 1_024;

  test('more bytes outside of messages than the burst end the connection', async () => {
    const { clock, socket, denied } = await open(limits);
    socket.read += MOST + 1_024;
    clock.advance(1_000);
    expect(socket.closes).toEqual([]);
    socket.read += 1_025;
    clock.advance(1_000);
    expect(socket.closes.map(({ code }) => code)).toEqual([4429]);
    expect(denied).toEqual([expect.objectContaining({ reason: 'message_rate', stage: 'message-rate' })]);
  });

  test('bytes outside of messages are forgiven at the rate of limits.bytes', async () => {
    const { clock, socket } = await open(limits);
    socket.read += MOST;
    hear(clock, socket, 3_600, 1_024);
    expect(socket.closes).toEqual([]);
    hear(clock, socket, 2, 2_050);
    expect(socket.closes.map(({ code }) => code)).toEqual([4429]);
  });

  test('bytes of messages and control frames do not count as bytes outside of messages', async () => {
    const { clock, socket, connection } = await open({
      bytes: { rate: '1MiB/s', burst: '1KiB' },
      messages: { rate: '100/s', burst: 100 },
      message: '1KiB',
    });
    for (let second = 0; second < 600; second++) {
      // A large message is read before it has been looked at.
      for (const size of [0, 125, 126, 700]) {
        const text = say('').padEnd(size);
        const header = Buffer.byteLength(text) < 126 ? 6 : 8;
        socket.read += header + Buffer.byteLength(text);
        if (second % 7 === 0 && size === 700) clock.advance(1_000);
        connection.receive(text, false);
      }
      socket.read += 131 * 15;
      for (let i = 0; i < 15; i++) connection.control(125);
      clock.advance(1_000);
    }
    expect(socket.closes).toEqual([]);
  });

  test('bytes of dropped messages do not count as bytes outside of messages', async () => {
    const { clock, socket, connection } = await open(
      { ...limits, messages: { rate: '1/s', burst: 1 }, violations: 1_000 },
      { onRate: 'drop' },
    );
    for (let second = 0; second < 100; second++) {
      for (let i = 0; i < 20; i++) {
        connection.receive(say('').padEnd(20_000), false);
        socket.read += 8 + 20_000;
      }
      clock.advance(1_000);
    }
    expect(socket.closes).toEqual([]);
  });

  test('messages that inflate to more than was read do not offset bytes outside of messages', async () => {
    const { clock, socket, connection } = await open({
      ...limits,
      bytes: { rate: '1KiB/s', burst: '200KiB' },
    });
    for (let i = 0; i < 10; i++) {
      connection.receive(say('').padEnd(1_000), false);
      socket.read += 60;
      clock.advance(1_000);
    }
    socket.read += (200 + 20 + 128) * 1_024 + 2_000;
    clock.advance(1_000);
    expect(socket.closes.map(({ code }) => code)).toEqual([4429]);
  });

  test('a peer that keeps flooding instead of answering the close frame is terminated', async () => {
    const { clock, socket, connection } = await open(limits);
    connection.close();
    socket.read += MOST;
    clock.advance(1_000);
    expect(socket.calls).toEqual([]);
    socket.read += MOST;
    clock.advance(1_000);
    expect(socket.calls).toEqual(['terminate']);
  });

  test('with a report-only rate, bytes outside of messages are only reported', async () => {
    const { clock, socket, denied, reported } = await open(limits, { report: ['message-rate'] });
    socket.read += 2 * MOST;
    clock.advance(1_000);
    expect([socket.closes, denied]).toEqual([[], []]);
    expect(reported).toEqual([expect.objectContaining({ reason: 'message_rate' })]);
  });
});
