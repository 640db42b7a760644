// M3: __proto__ and constructor.prototype, deep nesting, too many keys or items, bad UTF-8, null, arrays, binary: an
// error reply or a close, never a throw and never a handler (Storybook CVE-2026-27148).
import { afterEach, describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders, messages } from '../support/chat-policy.ts';
import { frame } from '../support/wire.ts';

const any = Type.Object({ body: Type.Any() }, { additionalProperties: true });
const policy = { messages: { ...messages, any } as never, limits: { violations: 1_000 } };
const MALFORMED = 'message_malformed';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const keys = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1])));

/** Sent to a type whose schema takes anything, so that only the parser stands before the handler. */
const hostile: Record<string, string> = {
  __proto__: '{"type":"any","body":1,"__proto__":{"polluted":true}}',
  'a nested __proto__': '{"type":"any","body":[{"a":{"__proto__":{"polluted":true}}}]}',
  'an escaped __proto__': '{"type":"any","body":{"\\u005f_proto__":{"polluted":true}}}',
  'constructor.prototype': '{"type":"any","body":{"constructor":{"prototype":{"polluted":true}}}}',
  'nesting over limits.json.depth': `{"type":"any","body":${nested(32)}}`,
  'nesting that would end the stack': `{"type":"any","body":${nested(20_000)}}`,
  'more keys than limits.json.keys': `{"type":"any","body":${keys(1_000)}}`,
  'more items than limits.json.items': `{"type":"any","body":[${Array(1_001).fill(0).join()}]}`,
  null: 'null',
  'an array': '[{"type":"any","body":1}]',
  'a string': '"any"',
  'a number': '1e999',
  nothing: '',
  'half a message': '{"type":"any","body":',
  'two messages': '{"type":"any","body":1}{"type":"any","body":2}',
  'a byte order mark': '\ufeff{"type":"any","body":1}',
};

const types: readonly string[] = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'any '];

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();
  afterEach(() => expect(({} as { polluted?: unknown }).polluted).toBeUndefined());

  async function chat() {
    const guard = chatGuard(policy);
    const faults: unknown[] = [];
    const handled: unknown[] = [];
    guard.on('fault', ({ error }) => faults.push(error));
    const app = await start(host, {
      guard,
      chat: (connection) =>
        void connection.on('any', (message) => {
          handled.push(message);
          connection.send('done', {});
        }),
    });
    return { wire: await open(app, { headers: await goodHeaders() }), faults, handled };
  }

  test.each(Object.entries(hostile))('%s', async (_what, text) => {
    const { wire, faults, handled } = await chat();
    wire.send(Buffer.concat([frame(text), frame('{"type":"any","body":"next"}')]));
    const [denied, next] = await wire.messages(2);
    expect(JSON.parse(denied as string)).toMatchObject({ type: 'error', code: MALFORMED });
    expect(next).toBe('{"type":"done"}');
    expect(handled).toEqual([{ type: 'any', body: 'next' }]);
    expect(faults).toEqual([]);
  });

  test.each(types)('the type %j is unknown', async (type) => {
    const { wire, faults, handled } = await chat();
    wire.send(frame(JSON.stringify({ type, body: 1 })));
    expect(JSON.parse((await wire.messages(1))[0] as string)).toMatchObject({ code: 'message_type_unknown' });
    expect([...handled, ...faults]).toEqual([]);
  });

  test.each(['{"type":["any"]}', '{"type":{"toString":"any"}}', '{"type":null}', '{}'])(
    'and so is %s',
    async (text) => {
      const { wire, handled } = await chat();
      wire.send(frame(text));
      expect(JSON.parse((await wire.messages(1))[0] as string)).toMatchObject({
        code: 'message_type_unknown',
      });
      expect(handled).toEqual([]);
    },
  );

  test('what is within the bounds is handed on', async () => {
    const { wire, handled } = await chat();
    wire.send(frame(`{"type":"any","body":[${nested(29)},${keys(900)}]}`));
    expect(await wire.messages(1)).toEqual(['{"type":"done"}']);
    expect(handled).toHaveLength(1);
  });

  test.each([
    ['bad UTF-8', frame(Buffer.from([0x22, 0xc3, 0x28, 0x22])), 1007],
    ['a surrogate in UTF-8', frame(Buffer.from([0xed, 0xa0, 0x80])), 1007],
    ['binary', frame('{"type":"any","body":1}', 0x2), 1003],
  ])('%s closes', async (_what, sent, code) => {
    const { wire, handled } = await chat();
    wire.send(sent);
    expect(await wire.closeCode()).toBe(code);
    expect(handled).toEqual([]);
  });
});
