// M7: a handler or hook of the application that throws or rejects closes its connection with 1011, or gets an error reply if the
// policy says so. Other connections and the process go on, and no rejection stays unhandled (express-ws; uppy #5920).
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Codec, Type } from '@sallyport/core';
import * as v from 'valibot';
import { z } from 'zod';
import { sanitizedText } from '../../packages/core/src/sanitize/sanitizer.ts';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders, messages, type PolicyOverrides } from '../support/chat-policy.ts';
import { envelopes } from '../support/envelopes.ts';
import { eventually } from '../support/eventually.ts';
import { frame } from '../support/wire.ts';

const boom = (): never => {
  throw new Error('a bug, with a secret in it');
};
const reject = async (): Promise<never> => boom();
const rejectLater = async (): Promise<never> => {
  await new Promise((resolve) => setImmediate(resolve));
  return boom();
};

const on =
  (handler: () => unknown): ChatHandler =>
  (connection) =>
    void connection.on('say', handler);
const bare =
  (...listeners: (() => unknown)[]): ChatHandler =>
  (_connection, socket) => {
    for (const listener of listeners) socket.on('message', listener);
  };

/** What the application does with a message. */
const handlers: Readonly<Record<string, ChatHandler>> = {
  'a typed handler throws': on(boom),
  'a typed handler rejects': on(reject),
  'a typed handler rejects later': on(rejectLater),
  'a typed handler throws undefined': on(() => {
    throw undefined;
  }),
  'a typed handler rejects with undefined': on(() => Promise.reject(undefined)),
  'a typed handler returns a thenable that rejects': on(() => ({
    // biome-ignore lint/suspicious/noThenProperty: it is meant to be one
    then: (_resolve: unknown, fail: (error: unknown) => void) => fail(new Error('a bug')),
  })),
  "the bare library's handler throws": bare(boom),
  "the bare library's handler rejects": bare(reject),
  'one listener of the bare library rejects, and the next one throws': bare(reject, boom),
  'all listeners of the bare library reject': bare(reject, rejectLater, reject),
  'a typed handler and a bare one reject': (connection, socket, native) => {
    on(rejectLater)(connection, socket, native);
    bare(reject)(connection, socket, native);
  },
  'a typed handler rejects, and a bare one throws': (connection, socket, native) => {
    on(reject)(connection, socket, native);
    bare(boom)(connection, socket, native);
  },
  'a handler sends a bigint, which JSON cannot hold': (connection) =>
    void connection.on('say', () => void connection.send('said', { text: 1n as never })),
};

/** Handlers that return a wrong reply. */
const replying =
  (answer: () => unknown): ChatHandler =>
  (connection) =>
    void connection.on('say', 'said', answer as never);
const answers: Readonly<Record<string, ChatHandler>> = {
  'throws instead of returning a reply': replying(boom),
  'rejects instead of returning a reply': replying(reject),
  'returns a reply that its schema refuses': replying(() => ({ text: 1 })),
  'resolves to a reply that its schema refuses': replying(async () => ({ text: 1 })),
  'returns undefined as a reply': replying(() => undefined),
  'returns a text as a reply': replying(() => 'said'),
  'returns a reply whose toJSON throws': replying(() => ({ text: 'said', toJSON: boom })),
};

/** Parts of the policy that fail. */
const odd = (schema: unknown): PolicyOverrides => ({
  messages: { say: schema, note: messages.note } as never,
});
const policies: Readonly<Record<string, PolicyOverrides>> = {
  'a rule throws': odd({ schema: messages.say, authorize: boom }),
  'a rule rejects': odd({ schema: messages.say, authorize: rejectLater }),
  'a refinement throws': odd(Type.Object({ text: Type.Refine(Type.String(), boom) })),
  'a schema of another library throws': odd(z.object({ text: z.string().transform(boom) })),
  'a schema of another library rejects': odd(
    v.objectAsync({ text: v.pipeAsync(v.string(), v.checkAsync(rejectLater)) }),
  ),
  'a sanitizer throws': odd(Type.Object({ text: sanitizedText({}, boom) })),
};

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  beforeEach(() => void process.on('unhandledRejection', note));
  afterEach(async () => {
    // Node emits 'unhandledRejection' after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled.splice(0)).toEqual([]);
  });

  /** Two connections of one application: `wire` is for the test, and `other` must not be affected. */
  async function chat(handler: ChatHandler, policy: PolicyOverrides = {}) {
    const guard = chatGuard(policy);
    const faults: string[] = [];
    guard.on('fault', (event) => faults.push(event.stage));
    const app = await start(host, { guard, chat: handler });
    const other = await open(app, { headers: await goodHeaders('bob') });
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => app.handled.length === 2, 'both handlers');
    return { guard, faults, wire, other };
  }

  /** The connection closes with 1011 and one fault, and the other one stays open. */
  async function closes({ guard, faults, wire, other }: Awaited<ReturnType<typeof chat>>): Promise<void> {
    expect(await wire.closeCode()).toBe(1011);
    expect(
      wire
        .frames()
        .map(({ data }) => data.toString())
        .join(),
    ).not.toContain('secret');
    expect(faults).toEqual(['dispatch']);
    wire.destroy();
    await eventually(() => guard.stats().connections === 1, 'the end of one connection');
    expect([other.ended, other.frames()]).toEqual([false, []]);
  }

  const say = frame('{"type":"say","text":"hi"}');
  const said = { said: messages.say };

  test.each(Object.entries(handlers))(
    '%s: closes this connection with 1011 and no other',
    async (_what, handler) => {
      const running = await chat(handler);
      running.wire.send(say);
      await closes(running);
    },
  );

  test.each(Object.entries(answers))(
    'a handler %s: closes this connection with 1011 and no other',
    async (_what, handler) => {
      const running = await chat(handler, { replies: said });
      running.wire.send(say);
      await closes(running);
      expect(running.wire.frames()).toHaveLength(1);
    },
  );

  test.each(Object.entries(policies))(
    '%s: closes this connection with 1011 and no other',
    async (_what, policy) => {
      const running = await chat(() => {}, policy);
      running.wire.send(say);
      await closes(running);
    },
  );

  test('a codec that throws while it encodes a reply closes this connection with 1011 and no other', async () => {
    const codec: Codec = {
      contentType: 'application/x-odd',
      frames: 'text',
      uniqueKeys: true,
      decode: (data) => JSON.parse(String(data)),
      encode: boom,
    };
    const running = await chat(
      replying(() => ({ text: 'said' })),
      { codec },
    );
    running.wire.send(say);
    await closes(running);
  });

  describe("with onFault: 'reply'", () => {
    type Case = [what: string, handler: ChatHandler, policy: PolicyOverrides];
    const cases: Case[] = [
      ...Object.entries(handlers).map(([what, handler]): Case => [what, handler, {}]),
      ...Object.entries(answers).map(([what, handler]): Case => [what, handler, { replies: said }]),
      ...Object.entries(policies).map(([what, policy]): Case => [what, () => {}, policy]),
    ];
    test.each(cases)(
      '%s: this message gets an error reply, and both connections stay open',
      async (_what, handler, policy) => {
        const rpc = { onFault: 'reply', envelope: 'json-rpc' } as const;
        const { faults, wire, other } = await chat(handler, { ...rpc, ...policy });
        wire.send(frame('{"jsonrpc":"2.0","method":"say","params":{"text":"hi"},"id":"first"}'));
        expect((await wire.messages(1)).map((answer) => JSON.parse(answer))).toEqual([
          {
            jsonrpc: '2.0',
            id: 'first',
            error: { code: -32603, message: 'Something went wrong.', data: { code: 'internal' } },
          },
        ]);
        expect(faults).toEqual(['dispatch']);
        expect([wire.ended, other.ended, other.frames()]).toEqual([false, false, []]);
      },
    );

    test.each(envelopes)(
      "in the $name envelope, the error reply carries the message's id if the envelope has ids",
      async (envelope) => {
        const { wire } = await chat(on(reject), { onFault: 'reply', envelope: envelope.name });
        wire.send(frame(JSON.stringify(envelope.write('say', { text: 'hi' }, 7))));
        expect((await wire.messages(1)).map(envelope.errorOf)).toEqual([
          { code: 'internal', ...(envelope.hasIds && { id: 7 }) },
        ]);
      },
    );
  });

  test("with onFault: 'reply', faults are answered in order with other messages and count as no violation", async () => {
    const handler: ChatHandler = (connection) => {
      connection.on('say', rejectLater);
      connection.on(
        'note',
        (message) => void connection.send('said', { text: (message as { text: string }).text }),
      );
    };
    const { wire, faults } = await chat(handler, { onFault: 'reply', limits: { violations: 2 } });
    const note = (text: string): Buffer => frame(JSON.stringify({ type: 'note', text }));
    wire.send(Buffer.concat([note('1'), say, note('2'), say, say, note('3')]));
    // The client did nothing wrong: faults count as no violation.
    expect(
      (await wire.messages(6)).map((text) => JSON.parse(text)).map(({ text, code }) => text ?? code),
    ).toEqual(['1', 'internal', '2', 'internal', 'internal', '3']);
    expect(faults).toHaveLength(3);
  });

  test("with onFault: 'reply', a JSON-RPC notification whose handler throws is not answered", async () => {
    const handler: ChatHandler = (connection) => {
      connection.on('say', boom);
      connection.on('note', () => undefined);
    };
    const { wire, faults } = await chat(handler, { onFault: 'reply', envelope: 'json-rpc' });
    const call = (method: string, id?: number): Buffer =>
      frame(JSON.stringify({ jsonrpc: '2.0', method, params: { text: 'hi' }, id }));
    wire.send(Buffer.concat([call('say'), call('note', 1)]));
    expect(await wire.messages(1)).toEqual(['{"jsonrpc":"2.0","id":1,"result":null}']);
    expect(faults).toEqual(['dispatch']);
  });

  test('a route handler that throws closes the connection with 1011', async () => {
    const guard = chatGuard();
    const faults: string[] = [];
    guard.on('fault', (event) => faults.push(event.stage));
    const app = await start(host, { guard, chat: boom });
    const wire = await open(app, { headers: await goodHeaders() });
    expect(await wire.closeCode()).toBe(1011);
    expect(faults).toEqual(['dispatch']);
  });

  if (host.capabilities.catchesRejections) {
    test('a route handler that rejects closes the connection with 1011', async () => {
      const guard = chatGuard();
      const faults: string[] = [];
      guard.on('fault', (event) => faults.push(event.stage));
      const app = await start(host, { guard, chat: reject });
      const wire = await open(app, { headers: await goodHeaders() });
      expect(await wire.closeCode()).toBe(1011);
      expect(faults).toEqual(['dispatch']);
    });
  }

  test('event listeners and onClose listeners that throw change neither an admission nor a close', async () => {
    const guard = chatGuard();
    const app = await start(host, { guard, chat: (connection) => void connection.onClose(boom) });
    for (const name of ['handshake.admitted', 'connection.opened', 'connection.closed', 'fault'] as const)
      guard.on(name, boom);
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => guard.stats().connections === 1, 'the connection');
    wire.destroy();
    await eventually(() => guard.stats().connections === 0, 'the end of the connection');
  });

  test('broken frames and resets end their own connections, and the server admits the next client', async () => {
    // @fastify/websocket CVE-2022-39386, socket.io CVE-2024-38355: without an error listener the process ended.
    const guard = chatGuard();
    const app = await start(host, { guard, chat: () => {} });
    for (const bytes of [
      frame('x', 0x3),
      frame('x', 0x1, 0x40),
      Buffer.from([0x81, 0x01, 0x00]),
      Buffer.from([0x89, 0xff]),
    ]) {
      const wire = await open(app, { headers: await goodHeaders() });
      wire.send(bytes);
      wire.socket.end();
      const reset = await open(app, { headers: await goodHeaders() });
      reset.send(frame('{"type":"say"')).reset();
    }
    await eventually(() => guard.stats().connections === 0, 'the end of all connections');
    await open(app, { headers: await goodHeaders() });
  });
});
