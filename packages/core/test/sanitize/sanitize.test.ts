import { describe, expect, test } from '@jest/globals';
import { type } from 'arktype';
import { Type } from 'typebox';
import * as v from 'valibot';
import { z } from 'zod';
import { identifier } from '../../src/sanitize/identifier.ts';
import { safeText } from '../../src/sanitize/safe-text.ts';
import { sanitize } from '../../src/sanitize/sanitize.ts';
import { sanitizerOf } from '../../src/sanitize/sanitizer.ts';
import { PolicyError } from '../../src/vocabulary/policy-error.ts';

const schema = safeText({ maxLength: 5, on: 'remove' });

test('sanitize() applies the sanitizer of a schema', () => {
  expect(sanitize(schema, 'a\u200bb')).toBe('ab');
  expect(sanitize(schema, 'abcdef')).toBeUndefined();
});

describe('with the schemas of other libraries:', () => {
  test('sanitize() works in a zod transform', () => {
    const text = z.string().transform((value, context) => {
      const clean = sanitize(schema, value);
      if (clean === undefined) context.addIssue('refused');
      return clean ?? z.NEVER;
    });
    expect(text.parse('a\u202eb')).toBe('ab');
    expect(text.safeParse('abcdef').success).toBe(false);
  });
  test('sanitize() works in a valibot transform', () => {
    const text = v.pipe(
      v.string(),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const clean = sanitize(schema, dataset.value);
        if (clean !== undefined) return clean;
        addIssue({ message: 'refused' });
        return NEVER;
      }),
    );
    expect(v.parse(text, 'a\u202eb')).toBe('ab');
    expect(v.safeParse(text, 'abcdef').success).toBe(false);
  });
  test('sanitize() works in an arktype pipe', () => {
    const text = type('string').pipe((value, context) => sanitize(schema, value) ?? context.error('safe'));
    expect(text('a\u202eb')).toBe('ab');
    expect(text('abcdef')).toBeInstanceOf(type.errors);
  });
});

test.each([
  ['another schema', Type.String()],
  ['an object around it', Type.Object({ text: schema })],
  ['nothing', undefined],
  ['null', null],
  ['a text', 'schema'],
])('sanitize() throws for %s', (_name, other) => {
  expect(() => sanitize(other as object, 'a')).toThrow(PolicyError);
  expect(() => sanitize(other as object, 'a')).toThrow(TypeError);
  expect(() => sanitize(other as object, 'a')).toThrow(/sanitize\(\): the schema has no sanitizer/);
});

test('a schema keeps its sanitizer in the types that TypeBox derives from it', () => {
  const name = identifier();
  const object = Type.Object({ name, list: Type.Array(name), maybe: Type.Optional(name) });
  const { properties } = Type.Partial(Type.Pick(object, ['name']));
  for (const node of [
    object.properties.name,
    object.properties.list.items,
    object.properties.maybe,
    properties.name,
    Type.Readonly(name),
    Type.Union([name, Type.Null()]).anyOf[0],
    Type.Record(Type.String(), name).patternProperties['^.*$'],
  ]) {
    expect(sanitizerOf(node as object)).toBe(sanitizerOf(name));
  }
});
