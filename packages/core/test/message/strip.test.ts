import { describe, expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { compileSchema } from '../../src/message/schema.ts';
import { Incoming } from '../../src/wire/incoming.ts';

const bounds = { depth: 32, keys: 1_000, items: 1_000, text: 65_536, number: Number.MAX_SAFE_INTEGER };

/** What is left of a body; the pointer to the mistake where it does not fit. */
function left(schema: unknown, body: object): unknown {
  const check = compileSchema(schema, {
    type: undefined,
    option: 'policy.messages.say',
    unknown: 'strip',
    bounds,
  });
  const incoming = new Incoming('say', body, body, undefined, 0);
  const mistake = check.look(incoming) as { pointer: string } | undefined;
  return mistake?.pointer ?? incoming.body;
}

describe('what nobody named is left out', () => {
  const inner = Type.Object({ a: Type.Integer() });
  const extra = () => ({ a: 1, x: 2 });
  test.each<[string, unknown, object, object]>([
    [
      'of an object in a tuple',
      Type.Object({ pair: Type.Tuple([inner, Type.Integer()]) }),
      { pair: [extra(), 7] },
      { pair: [{ a: 1 }, 7] },
    ],
    [
      'of an object in a tuple of plain JSON Schema 2020-12',
      { type: 'object', properties: { pair: { type: 'array', prefixItems: [inner], items: inner } } },
      { pair: [extra(), extra()] },
      { pair: [{ a: 1 }, { a: 1 }] },
    ],
  ])('%s', (_where, schema, body, expected) => {
    expect(left(schema, body)).toEqual(expected);
  });
});
