import { describe, expect, test } from '@jest/globals';
import { passthrough, Type } from '@sallyport/core';
import { type as arktype } from 'arktype';
import Joi from 'joi';
import * as v from 'valibot';
import * as yup from 'yup';
import * as z from 'zod';
import { compileTypes as compile } from '../../src/message/rules.ts';
import { messageSettings } from '../../src/policy/message-settings.ts';
import { Incoming } from '../../src/wire/incoming.ts';
import { admitted, connect } from '../support/decide.ts';
import { guardOf, SAY } from '../support/guards.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const compileTypes = (messages: Readonly<Record<string, unknown>>) =>
  compile(messageSettings(messages, { message: 1_000, messages: { interval: 100, burst: 10 } }), {
    mergesType: true,
    unknownProperties: 'refuse',
    maxBytes: 1_000,
    bounds: { depth: 32, keys: 1_000, items: 1_000, text: 1_000, number: 1_000 },
    bytes: false,
  });

/** Sends messages through a guard of these rules; tells what came of each. */
async function through(messages: object, ...sent: (string | Uint8Array)[]): Promise<unknown[]> {
  const socket = new RecordingSocket();
  const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
  const connection = connect(await admitted(guardOf({ messages }), request), socket);
  for (const data of sent) connection.receive(data, typeof data !== 'string');
  await new Promise((resolve) => setImmediate(resolve));
  return [
    ...socket.delivered.map(() => 'passed'),
    ...socket.sent.map((reply) => (reply as { code: string }).code),
    ...socket.closes.map(({ code }) => code),
  ];
}

const say = '{"type":"say","text":"a"}';
const ping = '{"type":"ping"}';
const PING = Type.Object({});

describe('permission by type', () => {
  test('without any rule every type of the policy passes', async () => {
    expect(await through({ say: SAY, ping: PING }, say, ping)).toEqual(['passed', 'passed']);
  });

  test('once one type has a rule, types without one are denied', async () => {
    expect(await through({ say: { schema: SAY, authorize: () => true }, ping: PING }, say, ping)).toEqual([
      'passed',
      'message_forbidden',
    ]);
    expect(
      await through({ say: { schema: SAY, authorize: 'any' }, ping: { schema: PING } }, say, ping),
    ).toEqual(['passed', 'message_forbidden']);
  });

  test.each([false, undefined, 'yes', 1, {}, Promise.resolve('yes'), Promise.resolve(false)])(
    'authorize that returns %p denies',
    async (answer) => {
      expect(await through({ say: { schema: SAY, authorize: () => answer } }, say)).toEqual([
        'message_forbidden',
      ]);
    },
  );

  test('authorize gets the identity and the message after its schema', async () => {
    const seen: unknown[] = [];
    const authorize = (context: unknown) => {
      seen.push(context);
      return Promise.resolve(true);
    };
    expect(await through({ say: { schema: SAY, authorize } }, say, '{"type":"say","text":7}')).toEqual([
      'passed',
      'message_invalid',
    ]);
    expect(seen).toEqual([
      {
        identity: expect.objectContaining({ scheme: 'anonymous' }),
        message: { type: 'say', text: 'a' },
        connection: expect.objectContaining({ path: '/chat', address: '127.0.0.1' }),
      },
    ]);
  });
});

describe('passthrough', () => {
  test('passthrough delivers the named kinds of frame unchanged and closes for others', async () => {
    expect(await through(passthrough({ text: true }), 'no JSON')).toEqual(['passed']);
    expect(await through(passthrough({ text: true }), Buffer.of(0))).toEqual([1003]);
    expect(await through(passthrough({ binary: true }), Buffer.of(0))).toEqual(['passed']);
    expect(await through(passthrough({ binary: true }), 'text')).toEqual([1003]);
    expect(await through(passthrough({ text: true, binary: true }), 'text', Buffer.of(0))).toEqual([
      'passed',
      'passed',
    ]);
  });

  test('passthrough still bounds the size of a message', async () => {
    expect(await through(passthrough({ text: true }), 'x'.repeat(65_537))).toEqual([1009]);
  });

  test.each([[{}], [{ text: false }], [{ txt: true }]])('passthrough(%j) throws a PolicyError', (frames) => {
    expect(() => passthrough(frames as never)).toThrow(/^passthrough\(/);
  });
});

describe('refused at construction', () => {
  test.each([
    [{ say: { schema: SAY, autorize: () => true } }, /policy\.messages\.say\.autorize.*unknown option/],
    [
      { say: { schema: SAY, authorize: true } },
      /policy\.messages\.say\.authorize.*neither a function nor any/,
    ],
    [{ say: { schema: SAY, authorize: 'all' } }, /neither a function nor any/],
    [{ say: { schema: undefined } }, /policy\.messages\.say.*not a schema/],
    [{ say: 'text' }, /not a schema/],
    [{ say: null }, /not a schema/],
  ])('a wrong message rule throws a PolicyError, case %#', (messages, message) => {
    expect(() => compileTypes(messages)).toThrow(message);
  });

  test.each<[string, object]>([
    ['authorize', { ...SAY, authorize: () => false }],
    ['authorize', { ...SAY, authorize: 'any' }],
    ['rate', { ...SAY, rate: '1/s' }],
    ['once', { type: 'object', properties: {}, once: true }],
    ['cost', { ...z.object({ text: z.string() }), cost: 5 }],
    ['authorize', Object.assign(z.object({ text: z.string() }), { authorize: () => false })],
    ['authorize', { ...v.object({ text: v.string() }), authorize: () => false }],
    ['after', Object.assign(arktype({ text: 'string' }), { after: ['hello'] })],
    ['authorize', Object.assign(Joi.object({ text: Joi.string() }), { authorize: () => false })],
    ['schema', { schema: SAY, type: 'object' }],
  ])('an option of a rule among the keywords of a schema: %s', (option, say) => {
    expect(() => compileTypes({ say })).toThrow(
      `policy.messages.say.${option}: it stands among the keywords of a schema, where it would be passed over. Write { schema: …, ${option}: … }.`,
    );
  });

  test('methods of a schema library with the names of options are accepted', () => {
    for (const say of [
      SAY,
      z.object({}),
      z.set(z.any()),
      v.object({}),
      arktype({}),
      Joi.object({}),
      yup.object({}),
    ])
      expect(() => compileTypes({ say })).not.toThrow(/among the keywords/);
  });

  test('a schema with a property called schema is still a schema', () => {
    const types = compileTypes({ say: Type.Object({ schema: Type.String() }) });
    const body = { type: 'say', schema: 'x' };
    expect(types.get('say')?.check.look(new Incoming('say', body, body, undefined, 0))).toBeUndefined();
  });
});
