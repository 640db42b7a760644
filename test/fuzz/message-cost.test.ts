// Random schemas with unions in unions, and messages that fit them, that are wrong in one place, or that have a property too many: the
// answer is known from how the message was made, and the cost is counted in looks of the schema at a value.
import { expect, test } from '@jest/globals';
import { type TSchema, Type } from '@sallyport/core';
import { compileCheck } from '../../packages/core/src/message/compile.ts';
import { Incoming } from '../../packages/core/src/wire/incoming.ts';
import { WIDE } from '../../packages/core/test/support/message-room.ts';
import { CountedForms } from '../support/counted-forms.ts';
import { Random } from './random.ts';

const RUNS = Number(process.env.SALLYPORT_FUZZ_RUNS ?? 50_000);
const SEED = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_300_103);
const MESSAGES_OF_A_SCHEMA = 1_000;
/** The most looks at values for each character of a message. */
const LOOKS_PER_CHARACTER = 30;
/** What a short message may cost in any case. */
const LEAST = 500;
const TYPE = 'say';

const forms = new CountedForms();

interface Kind {
  readonly schema: TSchema;
  /** Whether constants tell all its forms apart, so that what is left out does not depend on a limit. */
  readonly tagged: boolean;
  make(): unknown;
}

function leaf(random: Random): Kind {
  const count = 1 + random.below(6);
  return random.chance(0.7)
    ? { schema: forms.text(), tagged: true, make: () => 'x'.repeat(random.below(20)) }
    : { schema: forms.oneOf(count), tagged: true, make: () => random.below(count) };
}

function kindOf(random: Random, depth: number): Kind {
  if (depth === 0) return leaf(random);
  const inner = kindOf(random, depth - 1);
  const count = 2 + random.below(3);
  const { tagged } = inner;
  switch (random.below(6)) {
    case 0:
      return {
        schema: forms.tagged(3 * count, inner.schema),
        tagged,
        make: () => ({ in: inner.make(), kind: `form ${random.below(3 * count)}` }),
      };
    case 1:
      return {
        schema: forms.untagged(count, inner.schema),
        tagged: false,
        make: () => ({ in: inner.make(), [`p${random.below(count)}`]: 'x' }),
      };
    case 2:
      return { schema: forms.recursive(false), tagged: true, make: () => chain(random, random.below(10)) };
    case 3: {
      const other = kindOf(random, depth - 1);
      return {
        schema: Type.Object({ a: inner.schema, b: Type.Optional(other.schema) }),
        tagged: tagged && other.tagged,
        make: () => (random.chance(0.5) ? { a: inner.make() } : { b: other.make(), a: inner.make() }),
      };
    }
    case 4:
      return {
        schema: Type.Record(Type.String(), inner.schema),
        tagged,
        make: () => Object.fromEntries(listOf(random, inner).map((value, i) => [`k${i}`, value])),
      };
    default:
      return { schema: Type.Array(inner.schema), tagged, make: () => listOf(random, inner) };
  }
}

function listOf(random: Random, { make }: Kind): unknown[] {
  return Array.from({ length: random.below(random.chance(0.05) ? 60 : 4) }, make);
}

function chain(random: Random, length: number): object {
  const end = { a: 'x', kind: random.pick(['plus', 'times']) };
  return length === 0 ? end : { in: chain(random, length - 1), ...end };
}

type Holder = Record<string, unknown>;

/** All objects and lists in a value, or those that are closed objects: a record has keys of its own. */
function holdersIn(value: unknown, found: Holder[] = []): Holder[] {
  if (typeof value !== 'object' || value === null) return found;
  found.push(value as Holder);
  for (const inner of Object.values(value)) holdersIn(inner, found);
  return found;
}

/** Puts a value that no schema takes in the place of one leaf. */
function spoil(random: Random, body: object): void {
  const places = holdersIn(body).flatMap((holder) =>
    Object.keys(holder)
      .filter((key) => typeof holder[key] !== 'object')
      .map((key): [Holder, string] => [holder, key]),
  );
  const [holder, key] = places.length === 0 ? [body as Holder, 'body'] : random.pick(places);
  holder[key] = true;
}

function isClosed(holder: Holder): boolean {
  return (
    !Array.isArray(holder) &&
    !Object.keys(holder).some((key) => /^k\d/.test(key)) &&
    Object.keys(holder).length > 0
  );
}

test(`${RUNS} messages cost at most ${LOOKS_PER_CHARACTER} looks for each of their characters, and get the right answer`, () => {
  const random = new Random(SEED);
  const told = { accepted: 0, refused: 0, stripped: 0 };
  for (let run = 0; run < RUNS; run += MESSAGES_OF_A_SCHEMA) {
    const { schema, tagged, make } = kindOf(random, 1 + random.below(2));
    const body = Type.Object({ body: schema });
    const [refusing, stripping] = (['refuse', 'strip'] as const).map((unknown) =>
      compileCheck(body, { type: undefined, option: 'test', unknown, bounds: WIDE }),
    ) as [ReturnType<typeof compileCheck>, ReturnType<typeof compileCheck>];
    for (let i = run; i < Math.min(RUNS, run + MESSAGES_OF_A_SCHEMA); i++) {
      const right = { body: make() };
      const came = structuredClone(right);
      const what = random.pick(['right', 'wrong', 'more'] as const);
      if (what === 'wrong') spoil(random, came);
      if (what === 'more') random.pick(holdersIn(came).filter(isClosed)).evil = 1;
      const strips = random.chance(0.5);
      const incoming = new Incoming(TYPE, came, came, undefined, 0);
      const before = forms.looks;
      const mistake = (strips ? stripping : refusing).look(incoming);
      const [looks, text] = [forms.looks - before, JSON.stringify(came)];
      const at = `message ${i} of seed ${SEED}, ${what}, ${strips ? 'strip' : 'refuse'}: ${text.slice(0, 2_000)}`;
      if (looks > LOOKS_PER_CHARACTER * text.length + LEAST) throw new Error(`${looks} looks at ${at}`);
      const accepted = mistake === undefined;
      // Where no constant tells forms apart, another form may fit once something is left out.
      const known = !strips || tagged || what === 'right';
      if (known && accepted !== (what === 'right' || (what === 'more' && strips)))
        throw new Error(`${accepted ? 'accepted' : 'refused'} ${at}`);
      if (known && accepted && JSON.stringify(sorted(incoming.body)) !== JSON.stringify(sorted(right)))
        throw new Error(`handed on ${JSON.stringify(incoming.body)} for ${at}`);
      told[accepted ? (what === 'more' ? 'stripped' : 'accepted') : 'refused']++;
    }
  }
  for (const count of Object.values(told)) expect(count).toBeGreaterThan(RUNS / 10);
}, 400_000);

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.entries(value)
    .map(([key, inner]) => [key, sorted(inner)])
    .sort();
}
