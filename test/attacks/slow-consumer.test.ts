// D5: a peer that stops reading costs the server a bounded number of bytes, whether typed sends, the bare library's sends,
// broadcasts, replies, pings or pongs fill it. The message about to be sent counts too. Other peers are not affected (uWebSockets, SignalR).
import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { AnyGuard, Connection } from '@sallyport/core';
import type { WebSocket } from 'ws';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, messages, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { SlowPeer } from '../support/slow-peer.ts';
import { watch } from '../support/watched.ts';
import { frame } from '../support/wire.ts';

const LIMIT = 65_536;
/** Bytes for the header of a frame and for a close frame. */
const FRAMING = 150;
const REFUSED = 'outbound slow_consumer';

interface Served {
  readonly guard: AnyGuard;
  readonly connection: Connection;
  readonly socket: WebSocket;
}

/** Sends one message, and tells whether it was accepted. */
type Sending = (served: Served, n: number, size: number) => Promise<boolean> | boolean;

const body = (n: number, size: number) => ({ n, pad: 'x'.repeat(size) });
const ways: Readonly<Record<string, Sending>> = {
  'typed sends': ({ connection }, n, size) => connection.send('said', body(n, size)),
  "the bare library's sends": ({ socket }, n, size) =>
    new Promise((resolve) => {
      let told: unknown = 'nothing';
      socket.send(JSON.stringify({ ...body(n, size), type: 'said' }), (error) => {
        told = error;
      });
      // The callback of a refused send runs in the next tick, that of a waiting one when it has been written.
      setImmediate(() => resolve(!(told instanceof Error)));
    }),
  "the bare library's sends with options": ({ socket }, n, size) =>
    new Promise((resolve) => {
      let told: unknown = 'nothing';
      const data = Buffer.from(JSON.stringify({ ...body(n, size), type: 'said' }));
      socket.send(data, { binary: false }, (error) => {
        told = error;
      });
      setImmediate(() => resolve(!(told instanceof Error)));
    }),
  broadcasts: ({ guard, connection }, n, size) =>
    guard.broadcast('said', body(n, size) as never, ({ id }) => id === connection.id) === 1,
};

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function serve(policy: PolicyOverrides = {}, headers = {}) {
    const clock = new ManualClock();
    const connected: Omit<Served, 'guard'>[] = [];
    const app = await watch(
      start,
      host,
      {
        messages: messages as never,
        ...policy,
        clock,
        limits: { buffered: LIMIT, controls: { rate: '1000/s', burst: 1_000 }, ...policy.limits },
      },
      (_type, message, connection) => connection.send('said', message as never),
      (connection, socket) => connected.push({ connection, socket }),
    );
    const peer = await SlowPeer.open(app.server, {
      headers: { ...(await goodHeaders('mallory')), ...headers },
    });
    await eventually(() => connected.length === 1, 'the handler');
    const served: Served = { guard: app.guard, ...(connected[0] as Omit<Served, 'guard'>) };
    return { ...app, clock, peer, served, connected };
  }

  /** Sends until a message is refused. Returns the accepted ones and the most bytes that waited at any time. */
  async function fill(served: Served, send: Sending, from = 0, size = 8_000) {
    const taken: number[] = [];
    let most = 0;
    for (let n = from; n < from + 100; n++) {
      const ok = await send(served, n, size);
      most = Math.max(most, served.socket.bufferedAmount);
      if (!ok) return { taken, most };
      taken.push(n);
    }
    throw new Error('Nothing was ever refused.');
  }

  const numbers = (peer: SlowPeer): number[] =>
    peer
      .frames()
      .filter(({ opcode }) => opcode === 0x1)
      .map(({ data }) => JSON.parse(String(data)).n);

  describe.each(Object.entries(ways))('by %s', (_what, send) => {
    test('a peer that does not read is closed with slow_consumer when limits.buffered is full, and then dropped', async () => {
      const { peer, served, denied, closed, clock } = await serve();
      peer.deafen();
      const { taken, most } = await fill(served, send);
      expect(taken).toHaveLength(8);
      expect(most).toBeLessThanOrEqual(LIMIT + FRAMING);
      expect(served.connection.state).toBe('closing');
      // From now on nothing more is taken, however much the application sends.
      const waiting = peer.writableLength;
      for (let n = 0; n < 50; n++) expect(await send(served, n, 8_000)).toBe(false);
      expect(peer.writableLength).toBe(waiting);
      expect(denied).toEqual([REFUSED]);
      clock.advance(4_999);
      expect(peer.destroyed).toBe(false);
      clock.advance(1);
      await eventually(() => closed.length === 1, 'the end of the connection');
      expect([peer.destroyed, closed]).toEqual([true, ['1006 slow_consumer']]);
    });

    test('a peer that reads again after the limit gets all accepted messages and then a close with 1013', async () => {
      const { peer, served } = await serve();
      peer.deafen();
      const { taken } = await fill(served, send);
      peer.hear();
      await eventually(() => peer.frames().some(({ opcode }) => opcode === 0x8), 'the close frame');
      expect(numbers(peer)).toEqual(taken);
      expect(peer.frames().at(-1)?.data.readUInt16BE(0)).toBe(1013);
    });

    test("with onSlowConsumer: 'drop', messages above the limit are lost and later ones arrive in order", async () => {
      const { peer, served, denied } = await serve({ onSlowConsumer: 'drop' });
      peer.deafen();
      const { taken, most } = await fill(served, send);
      for (let n = 500; n < 550; n++) expect(await send(served, n, 8_000)).toBe(false);
      expect(served.socket.bufferedAmount).toBeLessThanOrEqual(most);
      expect(most).toBeLessThanOrEqual(LIMIT + FRAMING);
      // A small message still fits.
      expect(await send(served, 50, 10)).toBe(true);
      peer.hear();
      await eventually(() => numbers(peer).length === taken.length + 1, 'what was taken');
      expect(await send(served, 51, 8_000)).toBe(true);
      peer.deafen();
      const { taken: again } = await fill(served, send, 60);
      peer.hear();
      const all = [...taken, 50, 51, ...again];
      await eventually(() => numbers(peer).length >= all.length, 'what was taken later');
      expect(numbers(peer)).toEqual(all);
      expect(denied).toHaveLength(52);
      expect(served.connection.state).toBe('open');
    });

    test('a single message above limits.buffered is refused although nothing waits', async () => {
      for (const onSlowConsumer of ['drop', 'close'] as const) {
        const { peer, served, denied } = await serve({ onSlowConsumer });
        expect(await send(served, 1, LIMIT)).toBe(false);
        expect(denied).toEqual([REFUSED]);
        if (onSlowConsumer === 'drop') expect(await send(served, 2, 10)).toBe(true);
        await eventually(() => peer.frames().length === 1, 'one frame');
        expect(peer.frames().map(({ opcode }) => opcode)).toEqual([onSlowConsumer === 'drop' ? 0x1 : 0x8]);
        expect(numbers(peer)).toEqual(onSlowConsumer === 'drop' ? [2] : []);
      }
    });

    test('with compression, the limit holds and every accepted message can be inflated', async () => {
      const headers = { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover' };
      const { peer, served } = await serve({ compression: true, onSlowConsumer: 'drop' }, headers);
      peer.deafen();
      const { taken, most } = await fill(served, send);
      expect(most).toBeLessThanOrEqual(LIMIT + FRAMING);
      peer.hear();
      const inflated = (): number[] =>
        peer.frames().map(({ data }) => {
          const whole = Buffer.concat([data, Buffer.from([0, 0, 0xff, 0xff])]);
          return JSON.parse(String(inflateRawSync(whole, { finishFlush: 2 }))).n;
        });
      await eventually(() => peer.frames().length === taken.length, 'what was taken');
      expect(inflated()).toEqual(taken);
    });
  });

  test('a peer that sends messages and does not read the replies is closed within limits.buffered', async () => {
    const { peer, served, denied } = await serve();
    peer.deafen();
    const note = frame(JSON.stringify({ type: 'note', text: 'x'.repeat(8_000) }));
    for (let n = 0; n < 50; n++) peer.push(note);
    await eventually(() => denied.includes(REFUSED), 'the refusal');
    expect(served.socket.bufferedAmount).toBeLessThanOrEqual(LIMIT + FRAMING);
    expect(served.connection.state).toBe('closing');
  });

  test('a peer that sends pings and does not read the pongs is closed within limits.buffered', async () => {
    const { peer, served, closed, clock, denied } = await serve();
    peer.deafen();
    // Messages fill the buffer first: ws bounds how many pongs wait, but not how many bytes wait before them.
    while (served.socket.bufferedAmount < LIMIT - 1_000) served.connection.send('said', body(1, 500));
    peer.push(Buffer.concat(Array(50).fill(frame('x'.repeat(125), 0x9))));
    await eventually(() => denied.length === 1, 'the refusal');
    expect(denied).toEqual([REFUSED]);
    expect(served.socket.bufferedAmount).toBeLessThanOrEqual(LIMIT + FRAMING);
    clock.advance(5_000);
    await eventually(() => closed.length === 1, 'the end of the connection');
    expect(closed).toEqual(['1006 slow_consumer']);
  });

  test("with onSlowConsumer: 'drop', pongs above the limit are left out and the connection stays open", async () => {
    const { peer, served, settled } = await serve({ onSlowConsumer: 'drop' });
    peer.deafen();
    while (served.socket.bufferedAmount < LIMIT - 1_000) served.connection.send('said', body(1, 500));
    for (let round = 0; round < 5; round++) {
      // ws itself drops a client that sends more than 60 at once.
      peer.push(Buffer.concat(Array(40).fill(frame('x'.repeat(125), 0x9))));
      await new Promise((resolve) => setImmediate(resolve));
    }
    peer.push(frame('{"type":"say","text":"hi"}'));
    await settled('say');
    expect(served.socket.bufferedAmount).toBeLessThanOrEqual(LIMIT + FRAMING);
    expect(served.connection.state).toBe('open');
    peer.hear();
    await eventually(() => peer.writableLength === 0, 'the peer to have read it all');
    served.connection.send('said', body(2, 10));
    await eventually(() => numbers(peer).includes(2), 'the last message');
  });

  describe.each(['ping', 'pong'] as const)('%s of the application', (name) => {
    const data = Buffer.alloc(125, 'x');
    type Done = (error?: Error) => void;
    const calls: Readonly<Record<string, (socket: WebSocket, done: Done) => void>> = {
      'data, mask and callback': (socket, done) => socket[name](data, false, done),
      'data and callback': (socket, done) => socket[name](data, done as never),
      'a text': (socket, _done) => socket[name](String(data)),
    };

    test.each(Object.entries(calls))('in a loop stays within limits.buffered, with %s', async (how, call) => {
      for (const onSlowConsumer of ['close', 'drop'] as const) {
        const { peer, served, denied, clock, closed } = await serve({ onSlowConsumer });
        peer.deafen();
        const refused: Error[] = [];
        const done: Done = (error) => {
          if (error instanceof Error) refused.push(error);
        };
        for (let n = 0; n < 2_000; n++) call(served.socket, done);
        expect(served.socket.bufferedAmount).toBeLessThanOrEqual(LIMIT + FRAMING);
        // Refused pings and pongs are told to their callbacks, in the next tick as ws does.
        expect(refused).toEqual([]);
        await new Promise((resolve) => setImmediate(resolve));
        expect(refused.length > 1_400).toBe(how !== 'a text');
        expect(new Set(denied)).toEqual(new Set([REFUSED]));
        expect(served.connection.state).toBe(onSlowConsumer === 'close' ? 'closing' : 'open');
        if (onSlowConsumer === 'drop') continue;
        clock.advance(5_000);
        await eventually(() => closed.length === 1, 'the end of the connection');
        expect(closed).toEqual(['1006 slow_consumer']);
      }
    });

    test('arrives with its data, and without any, and calls back', async () => {
      const { peer, served, denied } = await serve();
      const told: unknown[] = [];
      served.socket[name](data, false, (error) => told.push(error));
      // A callback in the first place is no data, however long its source is.
      served.socket[name]((() => told.push('written')) as never);
      served.socket[name]();
      const opcode = name === 'ping' ? 0x9 : 0xa;
      const arrived = () => peer.frames().filter((frame) => frame.opcode === opcode);
      await eventually(() => arrived().length === 3 && told.length === 2, 'the frames');
      expect(arrived().map((frame) => frame.data.length)).toEqual([125, 0, 0]);
      expect([told[0] instanceof Error, told[1], denied]).toEqual([false, 'written', []]);
    });
  });

  test('a broadcast reaches the other peer completely while one peer does not read', async () => {
    const { peer, guard, connected, closed, ...app } = await serve();
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => connected.length === 2, 'both handlers');
    peer.deafen();
    const taken: number[] = [];
    for (let n = 0; n < 100; n++) {
      taken.push(guard.broadcast('said', body(n, 8_000) as never));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken).toEqual([...Array(8).fill(2), ...Array(92).fill(1)]);
    expect((await wire.messages(100)).map((text) => JSON.parse(text).n)).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
    expect([closed, wire.ended]).toEqual([[], false]);
  });

  test('over a real socket a peer that pauses is closed at limits.buffered and then dropped', async () => {
    const { guard, connected, closed, clock, ...app } = await serve({ limits: { buffered: '1MiB' } });
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => connected.length === 2, 'both handlers');
    const { connection, socket } = connected[1] as Served;
    wire.socket.pause();
    let most = 0;
    // Bytes in the kernel's buffers do not count.
    for (let n = 0; n < 3_000 && connection.send('said', body(n, 60_000)); n++) {
      most = Math.max(most, socket.bufferedAmount);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([connection.state, most > 0, most <= 1_048_576 + FRAMING]).toEqual(['closing', true, true]);
    clock.advance(5_000);
    await eventually(() => closed.length === 1, 'the end of the connection');
    expect(closed).toEqual(['1006 slow_consumer']);
    expect(guard.stats().connections).toBe(1);
  });
});
