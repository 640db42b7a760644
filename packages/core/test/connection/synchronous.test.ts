import { createHook } from 'node:async_hooks';
import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { type } from 'arktype';
import * as v from 'valibot';
import * as z from 'zod';
import { sanitizedText } from '../../src/sanitize/sanitizer.ts';
import { settle } from '../support/late-auth.ts';
import { openConnection } from '../support/open-connection.ts';

/** How many promises come into being while something runs. */
function promisesOf(run: () => void): number {
  let promises = 0;
  const hook = createHook({
    init(_id, kind) {
      if (kind === 'PROMISE') promises++;
    },
  });
  hook.enable();
  try {
    run();
  } finally {
    hook.disable();
  }
  return promises;
}

const SAY = Type.Object({ text: Type.String() });
const trimmed = sanitizedText({}, (text) => text.trim());
const rule = (more: object) => ({ schema: SAY, authorize: 'any', ...more });

describe('with a synchronous policy and handler, a message is handled before receive returns, without a promise', () => {
  test.each<[string, object]>([
    ['of a TypeBox schema', {}],
    ['of plain JSON Schema', { schema: { type: 'object', properties: { text: { type: 'string' } } } }],
    ['of zod', { schema: z.object({ text: z.string() }) }],
    ['of valibot', { schema: v.object({ text: v.string() }) }],
    ['of arktype', { schema: type({ text: 'string' }) }],
    ['with a sanitizer', { schema: Type.Object({ text: trimmed }) }],
    ['that strips', { unknownProperties: 'strip' }],
    ['with a permission', { authorize: () => true }],
    ['with a rate, a cost and a size', { rate: '100/s', cost: 2, size: '1KiB' }],
    ['with steps', { after: ['first'] }],
  ])('%s', async (_, more) => {
    for (const envelope of ['flat', 'nested', 'json-rpc'] as const) {
      const { connection, socket, on } = await openConnection({
        messages: { first: { schema: Type.Object({}), authorize: 'any' }, say: rule(more) },
        replies: { said: SAY },
        envelope,
      });
      const seen: unknown[] = [];
      on('say', 'said', ({ text }: { text: string }) => {
        seen.push(text);
        return { text };
      });
      const write = (name: string, body: object) =>
        JSON.stringify(
          envelope === 'flat'
            ? { type: name, ...body }
            : envelope === 'nested'
              ? { type: name, data: body, id: 7 }
              : { jsonrpc: '2.0', method: name, params: body, id: 7 },
        );
      const extra = 'unknownProperties' in more ? { extra: 1 } : {};
      const first = write('first', {});
      const message = write('say', { text: 'hi', ...extra });
      const promises = promisesOf(() => {
        connection.receive(first, false);
        connection.receive(message, false);
      });
      expect({
        envelope,
        seen,
        sent: socket.sent.length,
        delivered: socket.delivered.length,
        promises,
      }).toEqual({
        envelope,
        seen: ['hi'],
        sent: 1,
        delivered: 2,
        promises: 0,
      });
    }
  });

  test('denied messages are answered before receive returns, without a promise', async () => {
    const { connection, socket } = await openConnection({ messages: { say: SAY } });
    const messages = ['{', '{"type":"say","text":7}', '{"type":"shout"}', '{"type":"say","text":"a","b":1}'];
    expect(
      promisesOf(() => {
        for (const message of messages) connection.receive(message, false);
      }),
    ).toBe(0);
    expect(socket.sent).toHaveLength(4);
  });

  test('every message of a burst is handled before receive returns, without a promise', async () => {
    const { connection, on } = await openConnection({ messages: { say: SAY } });
    const seen: string[] = [];
    on('say', ({ text }: { text: string }) => void seen.push(text));
    const messages = Array.from({ length: 50 }, (_, i) => JSON.stringify({ type: 'say', text: String(i) }));
    expect(
      promisesOf(() => {
        for (const message of messages) connection.receive(message, false);
      }),
    ).toBe(0);
    expect(seen).toEqual(messages.map((_, i) => String(i)));
  });
});

test('an asynchronous policy or handler creates promises, which the tests above would notice', async () => {
  for (const [options, handler] of [
    [{}, async () => undefined],
    [{ messages: { say: rule({ authorize: async () => true }) } }, () => undefined],
    [{ messages: { say: z.object({ text: z.string().refine(async () => true) }) } }, () => undefined],
  ] as const) {
    const { connection, on } = await openConnection({ messages: { say: SAY }, ...options });
    on('say', handler);
    expect(promisesOf(() => connection.receive('{"type":"say","text":"a"}', false))).toBeGreaterThan(0);
    await settle();
  }
});
