// M10: a message that is refused costs at most a stated multiple of one that is accepted, and neither costs more than a multiple of its
// length. Forms in forms took 15 s for 342 bytes. What counts is how often a schema looks at a value, not time.
import { describe, expect, test } from '@jest/globals';
import { type TSchema, Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders } from '../support/chat-policy.ts';
import { CountedForms } from '../support/counted-forms.ts';
import { eventually } from '../support/eventually.ts';
import { watch } from '../support/watched.ts';
import { frame } from '../support/wire.ts';

/** A refused message beside an accepted one of about the same length. */
const MULTIPLE = 5;
/** What a short message may cost in any case. */
const LEAST = 500;
/** Looks at values for each byte of a message. */
const LOOKS_PER_BYTE = 30;

const forms = new CountedForms();
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const levels = (count: number, around: (inner: unknown) => unknown, inside: unknown): unknown =>
  times(count, () => 0).reduce<unknown>((inner) => around(inner), inside);

const list = (schema: TSchema): TSchema => Type.Object({ list: Type.Array(schema) });
const node = (more: object) => ({ a: 'x', kind: 'times', ...more });
const taggedInside = (more: object) => ({
  list: times(100, () => ({ kind: 'form 29', in: { kind: 'form 29', in: 'x', ...more } })),
});
const untaggedInside = (more: object) => ({
  list: times(100, () => ({ in: { in: 'x', p19: 'x', ...more }, p19: 'x' })),
});
const grid = (last: number) => ({
  list: times(20, (row) => times(500, (i) => (row === 19 && i === 499 ? last : 19))),
});
const chain = (more: object) => ({ list: [levels(15, (inner) => node({ in: inner }), node(more))] });
const deep = (last: string) =>
  levels(20, (inner) => ({ in: inner }), [...times(900, () => 'x'.repeat(50)), last]) as object;
const deepSchema = levels(
  20,
  (inner) => Type.Object({ in: inner as TSchema }),
  Type.Array(forms.text()),
) as TSchema;

const cases: readonly (readonly [what: string, schema: TSchema, right: object, wrong: object])[] = [
  [
    '30 forms in 30 forms',
    list(forms.tagged(30, forms.tagged(30, forms.text()))),
    taggedInside({}),
    taggedInside({ in: 1 }),
  ],
  [
    '20 forms in 20 forms that no tag tells apart',
    list(forms.untagged(20, forms.untagged(20, forms.text()))),
    untaggedInside({}),
    untaggedInside({ p19: 1 }),
  ],
  ['a grid of literals', list(Type.Array(forms.oneOf(20))), grid(19), grid(20)],
  ['forms in themselves', list(forms.recursive(false)), chain({}), chain({ a: 1 })],
  [
    'forms in themselves, told apart behind a reference',
    list(forms.recursiveByReference()),
    chain({}),
    chain({ a: 1 }),
  ],
  ['forms in themselves, with further properties', list(forms.recursive(true)), chain({}), chain({ a: 1 })],
  ['a mistake below many levels, behind long texts', deepSchema, deep('x'), deep('x'.repeat(200))],
];

describe.each(hosts.slice(0, 1))('$name', (host) => {
  const { start, open } = applications();

  describe.each(['refuse', 'strip'] as const)('unknown properties: %s', (unknownProperties) => {
    test.each(cases)('%s', async (_what, schema, right, wrong) => {
      const policy = {
        messages: { say: schema, next: Type.Object({}) },
        unknownProperties,
      };
      const app = await watch(start, host, policy as never);
      const wire = await open(app, { headers: await goodHeaders() });
      const looksAt = async (body: object): Promise<number> => {
        const [before, text] = [forms.looks, JSON.stringify({ type: 'say', ...body })];
        wire.send(Buffer.concat([frame(text), frame('{"type":"next"}')]));
        const handled = app.typed.length + (body === wrong ? 1 : 2);
        await eventually(() => app.typed.length === handled, 'the message after it');
        expect(forms.looks - before).toBeLessThan(LOOKS_PER_BYTE * text.length + LEAST);
        return forms.looks - before;
      };
      // What accepts a message costs more where something is left out of it.
      const accepted = await looksAt(unknownProperties === 'strip' ? { ...right, unknown: 1 } : right);
      expect(app.denied).toEqual([]);
      const refused = await looksAt(wrong);
      expect(app.denied).toEqual([expect.stringMatching(/^schema message_invalid/)]);
      expect(refused).toBeLessThanOrEqual(MULTIPLE * accepted + LEAST);
    });
  });
});
