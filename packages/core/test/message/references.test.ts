import { describe, expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { compileSchema } from '../../src/message/schema.ts';
import { sanitizedText } from '../../src/sanitize/sanitizer.ts';
import { Incoming } from '../../src/wire/incoming.ts';

const bounds = { depth: 32, keys: 1_000, items: 1_000, text: 65_536, number: Number.MAX_SAFE_INTEGER };

function compile(schema: unknown, type: string | undefined) {
  const option = 'policy.messages.say';
  const check = compileSchema(schema, { type, option, unknown: 'refuse', bounds });
  return (body: object) => check.look(new Incoming('say', body, body, undefined, 0)) === undefined;
}

const lower = () => sanitizedText({}, (text) => text.toLowerCase());
const node = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  required: ['name'],
  ...more,
});

describe('a body that contains bodies of the same schema', () => {
  const name = { type: 'string' };
  const recursive = node({ name, child: { $ref: '#' } });

  test.each([
    ['the whole', recursive],
    ['a definition', node({ name, child: { $ref: '#/$defs/child' } }, { $defs: { child: recursive } })],
    [
      'a name',
      Type.Object({
        name: Type.String(),
        child: Type.Optional(
          Type.Cyclic(
            { Node: Type.Object({ name: Type.String(), child: Type.Optional(Type.Ref('Node')) }) },
            'Node',
          ),
        ),
      }),
    ],
  ])('a body that refers to %s has the message type at its top only', (_what, schema) => {
    const passes = compile(schema, 'say');
    expect(passes({ type: 'say', name: 'a', child: { name: 'b', child: { name: 'c' } } })).toBe(true);
    expect(passes({ type: 'say', name: 'a', child: { type: 'say', name: 'b' } })).toBe(false);
    expect(passes({ type: 'say', name: 'a', child: { name: 'b', child: { name: 1 } } })).toBe(false);
    expect(
      passes({ type: 'say', name: 'a', child: { name: 'b', child: { name: 'c', isAdmin: true } } }),
    ).toBe(false);
    expect(passes({ name: 'a' })).toBe(false);
  });
});

describe('a sanitized text that would be skipped', () => {
  test.each([
    ['the whole', node({ name: lower(), child: { $ref: '#' } })],
    ['a part', node({ name: lower(), nick: { $ref: '#/properties/name' } })],
    [
      'a part that holds it',
      node({ name: lower(), a: node({ name: lower() }), b: { $ref: '#/properties/a' } }),
    ],
    ['an anchor', node({ name: Object.assign(lower(), { $anchor: 'name' }), nick: { $ref: '#name' } })],
    ['an id', node({ name: Object.assign(lower(), { $id: 'Name' }), nick: { $ref: 'Name' } })],
  ])('a sanitized text behind a reference to %s is refused', (_what, schema) => {
    for (const type of ['say', undefined])
      expect(() => compile(schema, type)).toThrow(
        /policy\.messages\.say: it has a reference to a sanitized text/,
      );
  });

  test('a reference to a part without a sanitizer is accepted', () => {
    const schema = node(
      { name: lower(), a: { $ref: '#/$defs/plain' } },
      { $defs: { plain: { type: 'string' } } },
    );
    const incoming = new Incoming('say', { name: 'A', a: 'B' }, {}, undefined, 0);
    const check = compileSchema(schema, { type: undefined, option: 'x', unknown: 'refuse', bounds });
    expect(check.look(incoming)).toBeUndefined();
    expect(incoming.body).toEqual({ name: 'a', a: 'B' });
  });
});
