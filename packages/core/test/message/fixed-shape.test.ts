import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { replies } from '../support/late-auth.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

/**
 * What a message becomes whose type has a fixed form, and which has as many colons as that form: nobody walks through
 * it before its schema has been asked.
 */
async function through(messages: object, text: string, options: object = {}) {
  const guard = guardOf({ messages, ...options });
  const faults = collect<'fault'>(guard, 'fault');
  const socket = new RecordingSocket();
  const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
  connect(await admitted(guard, request), socket).receive(text, false);
  const codes = socket.sent.map((answer) => (answer as { error?: { code: number } }).error?.code);
  return {
    delivered: socket.delivered,
    told: 'envelope' in options ? codes : replies(socket),
    faults: faults.map(({ error }) => String(error)),
    closed: socket.closes.map(({ code }) => code),
  };
}

const refused = (told: unknown) => ({ delivered: [], told: [told], faults: [], closed: [] });

test('what nests too deep for a look at its mistakes is malformed, and no fault', async () => {
  const tags = Type.Object({ tags: Type.Array(Type.String(), { uniqueItems: true }) });
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  const options = { limits: { json: { items: 65_536 } } };
  const text = `{"type":"tags","tags":${deep}}`;
  expect(await through({ tags }, text, options)).toEqual(refused('message_malformed'));
});

describe('a property that stripping leaves out', () => {
  const pair = {
    schema: Type.Object({ a: Type.Integer({ minimum: 0, maximum: 9 }), b: Type.String() }),
    unknownProperties: 'strip',
  };

  test('in the place of one that is missing is no repeated key', async () => {
    expect(await through({ pair }, '{"type":"pair","a":1,"x":2}')).toEqual(refused('message_invalid'));
  });

  test('is held to the bounds before', async () => {
    const deep = '['.repeat(100) + ']'.repeat(100);
    expect(await through({ pair }, `{"type":"pair","a":1,"x":${deep}}`)).toEqual(
      refused('message_malformed'),
    );
  });
});

describe('the envelope around a fixed form', () => {
  const two = Type.Object({ a: Type.Boolean(), b: Type.Boolean() });
  const call = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"two","params":{"a":true,"b":true}}`;
  const options = (json: object) => ({ envelope: 'json-rpc', limits: { json } });

  test('counts among the keys', async () => {
    expect(await through({ two }, call(1), options({ keys: 5 }))).toEqual(refused(-32600));
    expect((await through({ two }, call(1), options({ keys: 6 }))).delivered).toEqual([call(1)]);
  });

  test('has an id within the bound of numbers', async () => {
    expect(await through({ two }, call(1_001), options({ number: 1_000 }))).toEqual(refused(-32600));
    expect((await through({ two }, call(1_000), options({ number: 1_000 }))).delivered).toEqual([
      call(1_000),
    ]);
  });
});
