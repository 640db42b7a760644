import { describe, expect, test } from '@jest/globals';
import { type Codec, Type } from '@sallyport/core';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

/** JSON in which `"bytes:3"` stands for so many bytes. */
const codec: Codec = {
  contentType: 'application/x-test',
  frames: 'binary',
  uniqueKeys: true,
  decode: (data) =>
    JSON.parse(Buffer.from(data as Uint8Array).toString(), (_key, value: unknown) => {
      const count = typeof value === 'string' ? /^bytes:(\d+)$/.exec(value)?.[1] : undefined;
      return count === undefined ? value : new Uint8Array(Number(count));
    }),
  encode: (value) =>
    Buffer.from(
      JSON.stringify(value, (_key, inner: unknown) =>
        inner instanceof Uint8Array ? `bytes:${inner.length}` : inner,
      ),
    ),
};

async function through(messages: object, text: string, options: object = {}): Promise<unknown[]> {
  const guard = guardOf({ messages, codec, ...options });
  const faults = collect<'fault'>(guard, 'fault');
  const socket = new RecordingSocket();
  const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
  connect(await admitted(guard, request), socket).receive(Buffer.from(text), true);
  return [
    ...faults.map(({ error }) => String(error)),
    ...socket.delivered.map((data) => Buffer.from(data).toString()),
    ...socket.sent.map(
      (data) => (codec.decode(data as Uint8Array, () => undefined) as { code: string }).code,
    ),
  ];
}

const digits = Type.Record(Type.String(), Type.Integer());
const some = Type.Object({ a: Type.Optional(Type.Integer()) });

describe('bytes in messages', () => {
  test.each<[string, unknown, number]>([
    ['of optional properties', some, 0],
    ['that is a record of numbers', digits, 0],
    ['that is a record of numbers, each of them one', digits, 3],
    ['of a union', Type.Union([Type.String(), some]), 0],
    ['of an intersection', Type.Intersect([some, some]), 0],
    ['of plain JSON Schema, or null', { type: ['object', 'null'] }, 0],
    ['behind a reference', { $ref: '#/$defs/some' }, 0],
  ])('bytes do not fit an object schema %s', async (_what, schema, count) => {
    const say = { type: 'object', properties: { value: schema }, $defs: { some } };
    expect(await through({ say }, '{"type":"say","value":{}}')).toEqual(['{"type":"say","value":{}}']);
    expect(await through({ say }, `{"type":"say","value":"bytes:${count}"}`)).toEqual(['message_invalid']);
  });

  test('bytes as a whole message are denied with message_malformed', async () => {
    expect(await through({ say: some }, '"bytes:0"')).toEqual(['message_malformed']);
    expect(await through({ say: some }, '"bytes:3"')).toEqual(['message_malformed']);
  });

  test('bytes do not fit an object whose properties are all optional, with unknown properties stripped', async () => {
    const say = { schema: Type.Object({ value: some, list: Type.Array(some) }), unknownProperties: 'strip' };
    expect(await through({ say }, '{"type":"say","value":"bytes:3","list":[]}')).toEqual(['message_invalid']);
    expect(await through({ say }, '{"type":"say","value":{},"list":["bytes:3"]}')).toEqual([
      'message_invalid',
    ]);
  });
});

test('bytes count as one value for the bound of depth', async () => {
  const say = Type.Object({ value: Type.Unknown() });
  const sent = '{"type":"say","value":["bytes:3"]}';
  expect(await through({ say }, sent, { limits: { json: { depth: 2 } } })).toEqual([sent]);
});
