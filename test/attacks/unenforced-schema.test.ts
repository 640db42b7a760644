// M9: a schema, a keyword or an option that would check nothing stops the program at construction, before there is a socket, and the
// error names its place. Each of these let any value through, or was passed over.
import { describe, expect, test } from '@jest/globals';
import { anonymous, createGuard, PolicyError, safeText, Type } from '@sallyport/core';
import { Type as Old } from '@sinclair/typebox';
import Joi from 'joi';
import { z } from 'zod';

const say = (schema: unknown, more: object = {}) => ({
  auth: [anonymous()],
  messages: { say: schema },
  ...more,
});
const holding = (a: unknown) => ({ type: 'object', properties: { a } });
const handsOn = { '~standard': { version: 1, vendor: 'unknown', validate: (value: unknown) => ({ value }) } };

const unenforced: readonly (readonly [what: string, policy: object, place: string])[] = [
  ['a type that is none', say(holding({ type: 'int' })), 'say#/properties/a/type'],
  ['a kind of TypeBox 0.34', say(Old.Object({ a: Old.Date() })), 'say#/properties/a'],
  ['a misspelt keyword', say(holding({ type: 'string', maxLenght: 5 })), 'say#/properties/a/maxLenght'],
  ['a keyword of the wrong kind', say(holding({ type: 'string', enum: 'x' })), 'say#/properties/a/enum'],
  ['a keyword without its type', say(holding({ pattern: '^a' })), 'say#/properties/a/pattern'],
  ['a pattern that is none', say(holding({ type: 'string', pattern: '(' })), 'say#/properties/a/pattern'],
  ['an unknown format', say(holding({ type: 'string', format: 'made-up' })), 'say#/properties/a/format'],
  ['a reference to nothing', say(holding({ $ref: '#/$defs/b' })), 'say#/properties/a/$ref'],
  ['an array of anything', say(holding({ type: 'array' })), 'say#/properties/a'],
  [
    'a refinement that is never asked',
    say(Type.Object({ a: Type.Refine(Type.String(), () => false, 'no' as never) })),
    'say#/properties/a',
  ],
  [
    'a keyword that a sanitizer passes over',
    say(holding({ ...safeText(), $ref: '#/$defs/b' })),
    'say#/properties/a/$ref',
  ],
  ['an option among keywords', say({ ...Type.Object({}), authorize: () => false }), 'say.authorize'],
  ['an option among those of a library', say({ ...z.object({}), authorize: () => false }), 'say.authorize'],
  ['a library that may keep unknown properties', say(handsOn), 'say'],
  [
    'a preference to keep unknown properties',
    say(Joi.object({ a: 1 }).options({ allowUnknown: true })),
    'say',
  ],
  ['another type than the message’s', say(z.object({ type: z.literal('shout') })), 'say'],
  ['a body that is no object', say(z.string()), 'say'],
];

describe('refused at construction, with its place', () => {
  test.each(unenforced)('%s', (_what, policy, place) => {
    let refusal: unknown;
    try {
      createGuard(policy as never);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(PolicyError);
    expect((refusal as PolicyError).option).toBe(`policy.messages.${place}`);
  });

  test('a codec that would let a repeated key through', () => {
    const codec = {
      contentType: 'application/json',
      frames: 'binary',
      decode: (data: Uint8Array) => JSON.parse(String(data)) as unknown,
      encode: (value: unknown) => JSON.stringify(value),
    };
    expect(() => createGuard(say(Type.Object({}), { codec }) as never)).toThrow(
      /^policy\.codec: .*uniqueKeys/,
    );
  });

  test('a sanitized text as the key of a record', () => {
    expect(() => Type.Record(safeText(), Type.Number())).toThrow(PolicyError);
  });
});
