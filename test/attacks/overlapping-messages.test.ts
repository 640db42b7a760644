// M6: messages of one connection are checked and handled one after another, however long rules and handlers take. While they
// wait, the socket is not read, so that the queue is bounded, TCP pushes back and nothing is lost (hocuspocus #880).
import type { Socket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import type { WebSocket } from 'ws';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { type Answering, watch } from '../support/watched.ts';
import { frame, type HandshakeOptions, type Wire } from '../support/wire.ts';

const COUNT = 20_000;
/** How much the server may have read beyond the message that waits: a few of Node's chunks of at most 64 KiB. */
const A_FEW_CHUNKS = 512 * 1_024;
/** Only a failing test or a very busy machine takes this long. */
const PATIENCE = 60_000;

const ascending = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const text = (n: number, pad?: string): string => JSON.stringify({ type: 'say', n, pad });
const small = Buffer.concat(ascending(COUNT).map((n) => frame(text(n))));
/** More than the kernel buffers for a process that does not read. */
const large = Buffer.concat(ascending(COUNT).map((n) => frame(text(n, 'x'.repeat(700)))));
const FEWER = 400;
/** RFC 7692 §7.2.1: deflated, flushed, without the last four bytes; ws inflates it while it is not being called. */
const compressed = Buffer.concat(
  ascending(FEWER).map((n) => {
    const bytes = deflateRawSync(text(n, 'x'.repeat(20_000)), { level: 0, finishFlush: 2 });
    return frame(bytes.subarray(0, -4), 0x1, 0x40);
  }),
);

const SAY = Type.Object({ n: Type.Integer(), pad: Type.Optional(Type.String()) });
const PING = Type.Object({});
const limits: PolicyOverrides['limits'] = {
  messages: { rate: '1000000/s', burst: 1_000_000 },
  bytes: { rate: '1000MiB/s', burst: '1000MiB' },
};
const numberOf = (body: unknown): number => (body as { n: number }).n;

/** Holds the messages with these numbers until a test opens their gate. */
class Gates {
  readonly #waiting = new Map<number, () => void>();

  constructor(readonly at: readonly number[]) {}

  pass(n: number): Promise<void> | undefined {
    return this.at.includes(n) ? new Promise((resolve) => this.#waiting.set(n, resolve)) : undefined;
  }

  reached(n: number): Promise<void> {
    return eventually(() => this.#waiting.has(n), `message ${n}`);
  }

  open(n: number): void {
    this.#waiting.get(n)?.();
  }
}

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function serve(policy: PolicyOverrides, answer?: Answering) {
    const sockets: WebSocket[] = [];
    const app = await watch(start, host, { limits, ...policy }, answer, (_connection, socket) =>
      sockets.push(socket),
    );
    const connect = async (subject = 'alice', headers: HandshakeOptions['headers'] = {}): Promise<Wire> =>
      open(app, { headers: { ...(await goodHeaders(subject)), ...headers } });
    return { ...app, sockets, connect };
  }

  /** An application with gates before some messages, a connection that floods it and one that does not. */
  async function flood(
    where: 'handler' | 'rule',
    at: readonly number[],
    { count = COUNT, queuedMessages = 64, compression = false } = {},
  ) {
    const gates = new Gates(at);
    const handled: number[] = [];
    let last!: () => void;
    const done = new Promise<void>((resolve) => {
      last = resolve;
    });
    const authorize = ({ message }: { message: unknown }) =>
      gates.pass(numberOf(message))?.then(() => true) ?? true;
    const messages = {
      say: { schema: SAY, authorize: where === 'rule' ? authorize : 'any' },
      ping: { schema: PING, authorize: 'any' },
    };
    const app = await serve(
      { messages: messages as never, compression, limits: { ...limits, queuedMessages } },
      (type, body, connection) => {
        if (type === 'ping') return connection.send('pong', {});
        handled.push(numberOf(body));
        if (handled.length === count) last();
        return where === 'handler' ? gates.pass(numberOf(body)) : undefined;
      },
    );
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
    const flooding = await app.connect('mallory', compression ? offer : {});
    const other = await app.connect();
    const flooded = (app.sockets[0] as unknown as { _socket: Socket })._socket;
    const before = flooded.bytesRead;
    /** Round trips on the other connection: by then the server has read what it wants to read. */
    const turn = async (times: number): Promise<void> => {
      const answered = (await other.messages(0)).length;
      for (let i = 1; i <= times; i++) {
        other.send(frame('{"type":"ping"}'));
        await other.messages(answered + i);
      }
    };
    const read = (): number => flooded.bytesRead - before;
    /** Waits until nothing more is read. */
    const standstill = async (): Promise<void> => {
      for (let last = -1; last !== read(); ) {
        last = read();
        await turn(100);
      }
    };
    return { ...app, gates, handled, done, flooding, turn, standstill, read };
  }

  test.each<[string, object, Answering]>([
    [
      'rules',
      { schema: SAY, authorize: ({ message }: { message: unknown }) => later(numberOf(message)) },
      () => {},
    ],
    ['handlers', SAY, (_type, body) => later(numberOf(body))],
  ])(
    '300 messages with asynchronous %s of different speed are handled in the order in which they came',
    async (_what, rule, answer) => {
      const { connect, typed, raw } = await serve({ messages: { say: rule } as never }, answer);
      const wire = await connect();
      wire.send(Buffer.concat(ascending(300).map((n) => frame(text(n)))));
      await eventually(() => raw.length === 300, 'all messages');
      expect(typed.map(([, body]) => numberOf(body))).toEqual(ascending(300));
      expect(raw).toEqual(ascending(300).map((n) => text(n)));
    },
  );

  test('of 100 messages at once never two are in the handler at the same time', async () => {
    let inside = 0;
    const crowds: number[] = [];
    const { connect, typed } = await serve({ messages: { say: SAY } as never }, async () => {
      crowds.push(++inside);
      await later(0);
      inside--;
    });
    const wire = await connect();
    for (const n of ascending(100)) wire.send(frame(text(n)));
    await eventually(() => typed.length === 100 && inside === 0, 'all messages');
    expect(Math.max(...crowds)).toBe(1);
  });

  test.each(['handler', 'rule'] as const)(
    '20,000 messages behind a %s that waits stay unread, and all are handled afterwards',
    async (where) => {
      const { flooding, gates, standstill, read, handled, done, denied } = await flood(where, [0]);
      flooding.send(large);
      await gates.reached(0);
      // The other connection is served meanwhile.
      await standstill();
      expect(read()).toBeLessThan(A_FEW_CHUNKS);
      expect(flooding.socket.writableLength).toBeGreaterThan(0);
      expect(handled).toEqual(where === 'handler' ? [0] : []);
      gates.open(0);
      await done;
      expect([handled, denied]).toEqual([ascending(COUNT), []]);
    },
    PATIENCE,
  );

  test.each([
    ['small', small, { count: COUNT }],
    ['compressed', compressed, { count: FEWER, queuedMessages: 4, compression: true }],
  ])(
    '%s messages stay unread each time a handler waits, and all are handled in the end',
    async (_what, sent, options) => {
      const { count } = options;
      const at = [0, count / 4, count / 2];
      const { flooding, gates, standstill, read, handled, done } = await flood('handler', at, options);
      flooding.send(sent);
      for (const n of at) {
        await gates.reached(n);
        await standstill();
        // The messages are of nearly the same length.
        expect(read()).toBeLessThan((sent.length * n) / count + A_FEW_CHUNKS);
        gates.open(n);
      }
      await done;
      expect(handled).toEqual(ascending(count));
    },
    PATIENCE,
  );

  test('a connection that ends while messages wait gives none of them to the handler', async () => {
    const { flooding, gates, handled, raw, guard, faults, turn } = await flood('handler', [0]);
    flooding.send(Buffer.concat(ascending(50).map((n) => frame(text(n)))));
    await gates.reached(0);
    flooding.reset();
    await eventually(() => guard.stats().connections === 1, 'the end of the connection');
    gates.open(0);
    await turn(1);
    expect([handled, raw.filter((data) => data !== '{"type":"ping"}'), faults]).toEqual([[0], [text(0)], []]);
  });

  test('a reset of a connection that is not read is noticed when reading resumes', async () => {
    const { flooding, gates, guard } = await flood('handler', [0]);
    flooding.send(small);
    await gates.reached(0);
    flooding.reset();
    gates.open(0);
    await eventually(() => guard.stats().connections === 1, 'the end of the connection');
  });
});

/** Resolves sooner for later messages, so that they would overtake earlier ones if they could. */
function later(n: number): Promise<true> {
  return new Promise((resolve) => {
    if (n % 3 === 0) setImmediate(() => setImmediate(resolve, true));
    else if (n % 3 === 1) setImmediate(resolve, true);
    else queueMicrotask(() => resolve(true));
  });
}
