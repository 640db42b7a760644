import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type AnyGuard,
  passthrough,
  type Reason,
  reasons,
  safeText,
  type TSchema,
  Type,
} from '@sallyport/core';
import { safeHtml } from '@sallyport/core/html';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { chatGuard, goodHeaders, messages, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { admitted, frame, type Wire } from '../support/wire.ts';
import type { ChatHandler, RunningHost } from './hosts/host.ts';
import { hosts } from './hosts/index.ts';

const say = (text: string, more: object = {}): Buffer =>
  frame(JSON.stringify({ type: 'say', text, ...more }));
const error = (code: Reason, path?: string): string =>
  JSON.stringify({ type: 'error', code, path, message: reasons[code].text });

/** Only Alice may send `say`; `note` has no rule. */
const ruled: PolicyOverrides = {
  messages: {
    say: {
      schema: messages.say,
      authorize: ({ identity }: { identity: { subject: string } }) => identity.subject === 'alice',
    },
    note: messages.note,
  } as never,
};

describe.each(hosts)('$name', (host) => {
  const running: RunningHost[] = [];
  const wires: Wire[] = [];
  afterEach(async () => {
    for (const wire of wires.splice(0)) wire.destroy();
    await Promise.all(running.splice(0).map((each) => each.close()));
  });

  async function chat(
    policy: PolicyOverrides = {},
    { path = '/chat', subject = 'alice', handler = undefined as ChatHandler | undefined } = {},
  ) {
    const guard: AnyGuard = chatGuard(policy);
    const denied: string[] = [];
    guard.on('message.denied', ({ reason, stage, pointer }) =>
      denied.push(`${stage} ${reason} ${pointer ?? ''}`.trim()),
    );
    const started = await host.start({ guard, ...(handler && { chat: handler }) });
    running.push(started);
    const wire = await admitted(started.port, { target: path, headers: await goodHeaders(subject) });
    wires.push(wire);
    await eventually(() => started.handled.length === 1, 'the handler');
    return { guard, wire, denied, port: started.port };
  }

  test('three messages in one write are handled in order', async () => {
    const { wire } = await chat();
    wire.send(Buffer.concat([say('one'), say('two'), say('three')]));
    expect((await wire.messages(3)).map((text) => JSON.parse(text).text)).toEqual(['one', 'two', 'three']);
  });

  test('asynchronous handlers of different speed answer in the order of the messages', async () => {
    const handler: ChatHandler = (connection) => {
      const waits = [10, 5, 0];
      connection.on('say', async (message) => {
        await new Promise((resolve) => setTimeout(resolve, waits.shift()));
        connection.send('said', { text: (message as { text: string }).text });
      });
    };
    const { wire } = await chat({}, { handler });
    wire.send(Buffer.concat([say('slow'), say('quicker'), say('quick')]));
    expect((await wire.messages(3)).map((text) => JSON.parse(text).text)).toEqual([
      'slow',
      'quicker',
      'quick',
    ]);
  });

  test.each<[string, Buffer, string, PolicyOverrides]>([
    ['text that is no JSON', frame('{"type"'), error('message_malformed'), {}],
    ['a type that is not listed', frame('{"type":"shout","text":"hi"}'), error('message_type_unknown'), {}],
    ['no type', frame('{"text":"hi"}'), error('message_type_unknown'), {}],
    ['a value of the wrong form', frame('{"type":"say","text":1}'), error('message_invalid', '/text'), {}],
    ['an unknown property', say('hi', { admin: true }), error('message_invalid', ''), {}],
    [
      'a type without a rule, beside one with a rule,',
      frame('{"type":"note","text":"hi"}'),
      error('message_forbidden'),
      ruled,
    ],
  ])('%s gets an error reply, and the next message is handled', async (_what, sent, reply, policy) => {
    const { wire, denied } = await chat(policy);
    wire.send(Buffer.concat([sent, say('next')]));
    expect(await wire.messages(2)).toEqual([reply, '{"text":"next","type":"said"}']);
    expect(denied).toHaveLength(1);
  });

  test('authorize refuses a message of another identity', async () => {
    const { wire, denied } = await chat(ruled, { subject: 'mallory' });
    wire.send(say('hi'));
    expect(await wire.messages(1)).toEqual([error('message_forbidden')]);
    expect(denied).toEqual(['message-authorization message_forbidden']);
  });

  test.each<[string, Buffer, number, PolicyOverrides]>([
    ['a binary frame', frame('{"type":"say","text":"hi"}', 0x2), 1003, {}],
    ['a message over the limit', say('x'.repeat(200)), 1009, { limits: { message: '100B' } }],
    [
      'one message too many',
      Buffer.concat([say('1'), say('2'), say('3')]),
      4429,
      { limits: { messages: { rate: '1/m', burst: 2 } } },
    ],
    [
      'too many bytes',
      Buffer.concat([say('x'.repeat(80)), say('y'.repeat(80))]),
      4429,
      { limits: { bytes: { rate: '1B/s', burst: '150B' } } },
    ],
    [
      'the last of the violations',
      Buffer.concat([frame('1'), frame('2'), frame('3')]),
      1008,
      { limits: { violations: 3 } },
    ],
    ['a frame with an unknown opcode', frame('hi', 0x3), 1002, {}],
    ['bad UTF-8', frame(Buffer.from([0xff, 0xfe])), 1007, {}],
  ])('%s closes the connection and frees its slot', async (_what, sent, code, policy) => {
    const { wire, guard } = await chat(policy);
    wire.send(sent);
    expect(await wire.closeCode()).toBe(code);
    wire.destroy();
    await eventually(() => guard.stats().connections === 0, 'the end of the connection');
  });

  test.each<[Reason, Buffer]>([
    ['message_malformed', frame('[]]')],
    ['message_type_unknown', frame('{"type":"constructor"}')],
    ['message_invalid', frame('{"type":"say"}')],
  ])("with onDenied: 'close', %s closes with its code", async (reason, sent) => {
    const { wire } = await chat({ onDenied: 'close' });
    wire.send(sent);
    expect(await wire.closeCode()).toBe(reasons[reason].close);
  });

  test('a listener of the bare library gets only the messages that passed', async () => {
    const { wire, denied } = await chat({}, { path: '/bare' });
    wire.send(Buffer.concat([frame('junk'), say('hi'), say('no', { more: 1 })]));
    expect(await wire.messages(3)).toEqual([
      error('message_malformed'),
      'bare {"type":"say","text":"hi"} false',
      error('message_invalid', ''),
    ]);
    expect(denied).toEqual(['parse message_malformed', 'schema message_invalid']);
  });

  test('passthrough({ binary: true }) hands on binary frames, and a text frame closes with 1003', async () => {
    const { wire } = await chat({ messages: passthrough({ binary: true }) }, { path: '/bare' });
    wire.send(frame('any bytes', 0x2));
    expect(await wire.messages(1)).toEqual(['bare any bytes true']);
    wire.send(frame('text'));
    expect(await wire.closeCode()).toBe(1003);
  });

  test("report: ['schema'] records a wrong message and lets it through", async () => {
    const { guard, wire } = await chat({ report: ['schema'] }, { path: '/bare' });
    const reported: unknown[] = [];
    guard.on('message.reported', ({ reason, pointer }) => reported.push([reason, pointer]));
    wire.send(frame('{"type":"say","text":7}'));
    expect(await wire.messages(1)).toEqual(['bare {"type":"say","text":7} false']);
    expect(reported).toEqual([['message_invalid', '/text']]);
  });

  test("report: ['sanitize'] cleans texts, records what a sanitizer refuses and lets it through", async () => {
    const short = Type.Object({ text: safeText({ maxLength: 3 }) });
    const { guard, wire } = await chat(
      { messages: { say: short } as never, report: ['sanitize'] },
      { path: '/bare' },
    );
    const reported: unknown[] = [];
    guard.on('message.reported', ({ stage, pointer }) => reported.push([stage, pointer]));
    wire.send(Buffer.concat([frame('{"type":"say","text":"a\u200bb"}'), say('long')]));
    expect(await wire.messages(2)).toEqual([
      'bare {"type":"say","text":"ab"} false',
      'bare {"type":"say","text":"long"} false',
    ]);
    expect(reported).toEqual([['sanitize', '/text']]);
  });

  test("unknownProperties: 'strip' on one type strips its messages and refuses those of other types", async () => {
    const policy: PolicyOverrides = {
      messages: { ...messages, say: { schema: messages.say, unknownProperties: 'strip' } } as never,
    };
    const { wire, denied } = await chat(policy, { path: '/bare' });
    wire.send(Buffer.concat([say('hi', { more: 1 }), frame('{"type":"note","text":"hi","more":1}')]));
    expect(await wire.messages(2)).toEqual([
      'bare {"type":"say","text":"hi"} false',
      error('message_invalid', ''),
    ]);
    expect(denied).toEqual(['schema message_invalid']);
  });

  test('messages above the rate of their type get an error reply, and other types are handled', async () => {
    const clock = new ManualClock();
    const noted = { schema: messages.note, rate: { rate: '1/s', burst: 2 } };
    const { wire, denied } = await chat({ clock, messages: { ...messages, note: noted } as never });
    const note = frame('{"type":"note","text":"hi"}');
    wire.send(Buffer.concat([note, note, note, note, say('next')]));
    const refused = error('message_rate');
    expect(await wire.messages(3)).toEqual([refused, refused, '{"text":"next","type":"said"}']);
    clock.advance(1_000);
    wire.send(Buffer.concat([note, note, say('last')]));
    expect((await wire.messages(5)).slice(3)).toEqual([refused, '{"text":"last","type":"said"}']);
    expect(denied).toEqual(Array(3).fill('message-rate message_rate'));
  });

  test('messages of a type with cost 5 use up limits.messages five times as fast', async () => {
    const policy: PolicyOverrides = {
      messages: { ...messages, note: { schema: messages.note, cost: 5 } } as never,
      limits: { messages: { rate: '1/m', burst: 12 } },
    };
    const { wire, denied } = await chat(policy);
    const note = frame('{"type":"note","text":"hi"}');
    wire.send(Buffer.concat([note, note, say('next')]));
    expect(await wire.messages(1)).toEqual(['{"text":"next","type":"said"}']);
    wire.send(note);
    expect(await wire.closeCode()).toBe(4429);
    expect(denied).toEqual(['message-rate message_rate']);
  });

  test.each<[what: string, entry: (schema: TSchema) => unknown, cost: number]>([
    ['10 by default', (schema) => schema, 10],
    ['what its type says', (schema) => ({ schema, cost: 3 }), 3],
  ])('messages with a safeHtml() in them cost %s', async (_what, entry, cost) => {
    const page = entry(Type.Object({ in: Type.Object({ html: Type.Optional(safeHtml()) }) }));
    const policy = {
      messages: { ...messages, page },
      limits: { messages: { rate: '1/m', burst: 2 * cost } },
    } as unknown as PolicyOverrides;
    const { wire, denied } = await chat(policy);
    const pages = frame('{"type":"page","in":{}}');
    wire.send(Buffer.concat([pages, say('next')]));
    expect(await wire.messages(1)).toEqual(['{"text":"next","type":"said"}']);
    wire.send(pages);
    expect(await wire.closeCode()).toBe(4429);
    expect(denied).toEqual(['message-rate message_rate']);
  });

  test.each<['reply' | 'close']>([['reply'], ['close']])(
    "a handler that throws, with onFault: '%s', closes with 1011 or gets an error reply",
    async (onFault) => {
      const handler: ChatHandler = (connection) => {
        connection.on('say', () => {
          throw new Error('a bug');
        });
        connection.on('note', () => void connection.send('said', { text: 'noted' }));
      };
      const { wire } = await chat({ onFault }, { handler });
      wire.send(Buffer.concat([say('hi'), frame('{"type":"note","text":"hi"}')]));
      if (onFault === 'close') expect(await wire.closeCode()).toBe(1011);
      else expect(await wire.messages(2)).toEqual([error('internal'), '{"text":"noted","type":"said"}']);
    },
  );

  test('connection.send() throws TypeError for a body that policy.replies does not allow', async () => {
    const thrown: unknown[] = [];
    const handler: ChatHandler = (connection) => {
      connection.on('say', () => {
        try {
          connection.send('said', { text: 1 });
        } catch (fault) {
          thrown.push(fault);
        }
        connection.send('said', { text: 'right' });
      });
    };
    const { wire } = await chat({ replies: { said: messages.say } }, { handler });
    wire.send(say('hi'));
    expect(await wire.messages(1)).toEqual(['{"text":"right","type":"said"}']);
    expect(thrown).toEqual([expect.any(TypeError)]);
  });
});
