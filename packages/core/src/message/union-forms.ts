import type { SchemaNode } from '../wire/envelope.ts';
import { isNode } from './closed.ts';
import { referredTo } from './references.ts';

/** What can be seen of a form of a union without a look into its value's insides. */
export interface FormSigns {
  readonly isOfType: (value: unknown) => boolean;
  readonly required: readonly string[];
  /** The values of properties that tell this form from others: constants. */
  readonly tags: readonly (readonly [name: string, values: ReadonlySet<unknown>])[];
  /** The properties that it names. */
  readonly names: ReadonlySet<string>;
  /** Whether it allows no others. */
  readonly closed: boolean;
}

/** References in references, and parts in parts, end here. */
const MAX_HOPS = 20;

export function signsOf(form: SchemaNode, whole: SchemaNode): FormSigns {
  const parts = partsOf(form, whole);
  const types = parts.map(({ type }) => type).find((type) => type !== undefined);
  const properties = parts.flatMap((part) =>
    isNode(part.properties) ? Object.entries(part.properties) : [],
  );
  return {
    isOfType: typeTest(types),
    required: parts.flatMap(({ required }) => (Array.isArray(required) ? (required as string[]) : [])),
    tags: properties.flatMap(([name, inner]): [string, ReadonlySet<unknown>][] => {
      const values = constantsOf(inner);
      return values === undefined ? [] : [[name, values]];
    }),
    names: new Set(properties.map(([name]) => name)),
    closed:
      parts.some(isClosed) && !parts.some((part) => OPENING.some((keyword) => part[keyword] !== undefined)),
  };
}

/** Keywords through which a form may name further properties. */
const OPENING = ['anyOf', 'oneOf', 'if', 'dependentSchemas', 'dependencies', 'patternProperties'];

function isClosed({ additionalProperties, unevaluatedProperties }: SchemaNode): boolean {
  return additionalProperties === false || unevaluatedProperties === false;
}

export function partsOf(form: SchemaNode, whole: SchemaNode, hops = 0): SchemaNode[] {
  if (hops > MAX_HOPS) return [];
  const target = form.$ref === undefined ? undefined : referredTo(whole, form.$ref);
  const members = Array.isArray(form.allOf) ? form.allOf.filter(isNode) : [];
  return [
    form,
    ...[...members, ...(target === undefined ? [] : [target])].flatMap((part) =>
      partsOf(part, whole, hops + 1),
    ),
  ];
}

/** The values that a schema allows, if it lists them and none is an object. */
export function constantsOf(schema: unknown): ReadonlySet<unknown> | undefined {
  if (!isNode(schema)) return undefined;
  if ('const' in schema) return allPlain([schema.const]);
  if (Array.isArray(schema.enum)) return allPlain(schema.enum);
  if (!Array.isArray(schema.anyOf)) return undefined;
  const members = schema.anyOf.map(constantsOf);
  if (members.some((values) => values === undefined)) return undefined;
  return new Set(members.flatMap((values) => [...(values as ReadonlySet<unknown>)]));
}

function allPlain(values: readonly unknown[]): ReadonlySet<unknown> | undefined {
  return values.some((value) => typeof value === 'object' && value !== null) ? undefined : new Set(values);
}

/** `false` only if the value does not fit the form, whatever is left out of it. */
function mayBe(value: unknown, { isOfType, required, tags }: FormSigns): boolean {
  if (!isOfType(value)) return false;
  if (!isNode(value)) return true;
  for (const name of required) if (!Object.hasOwn(value, name)) return false;
  for (const [name, values] of tags) {
    // TypeBox takes a property that is `undefined` for one that is not there.
    if (Object.hasOwn(value, name) && value[name] !== undefined && !values.has(value[name])) return false;
  }
  return true;
}

/** How many properties of a value a form does not name. */
export function lostBy({ closed, names }: FormSigns, value: SchemaNode): number {
  if (!closed) return 0;
  let lost = 0;
  for (const key in value) if (!names.has(key)) lost++;
  return lost;
}

/** The forms of one union. Those with a tag are found by it, however many there are. */
export class UnionForms<F extends { readonly signs: FormSigns }> {
  readonly #tag: string | undefined;
  readonly #byTag = new Map<unknown, F[]>();
  readonly #others: F[] = [];

  constructor(forms: readonly F[]) {
    this.#tag = commonTag(forms);
    for (const form of forms) {
      const [, values] = form.signs.tags.find(([name]) => name === this.#tag) ?? [];
      if (values === undefined || !form.signs.required.includes(this.#tag as string)) this.#others.push(form);
      else for (const value of values) this.#byTag.set(value, [...(this.#byTag.get(value) ?? []), form]);
    }
  }

  /** The forms that a value may be, by its type, its keys and its tags. */
  possible(value: unknown): F[] {
    const tagged =
      this.#tag !== undefined && isNode(value) && Object.hasOwn(value, this.#tag)
        ? this.#byTag.get(value[this.#tag])
        : undefined;
    const found = (tagged ?? []).filter(({ signs }) => mayBe(value, signs));
    for (const form of this.#others) if (mayBe(value, form.signs)) found.push(form);
    return found;
  }
}

/** The tag of most forms. */
function commonTag(forms: readonly { readonly signs: FormSigns }[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { signs } of forms) {
    for (const [name] of signs.tags) {
      if (signs.required.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

const TYPES: ReadonlyMap<unknown, (value: unknown) => boolean> = new Map<
  unknown,
  (value: unknown) => boolean
>([
  ['object', (value) => typeof value === 'object' && value !== null && !Array.isArray(value)],
  ['array', Array.isArray],
  ['string', (value) => typeof value === 'string'],
  ['number', (value) => typeof value === 'number'],
  ['integer', (value) => typeof value === 'number'],
  ['boolean', (value) => typeof value === 'boolean'],
  ['null', (value) => value === null],
]);

/** Other types than those of JSON tell nothing. */
function typeTest(type: unknown): (value: unknown) => boolean {
  if (!Array.isArray(type)) return TYPES.get(type) ?? (() => true);
  const tests = type.map(typeTest);
  return (value) => tests.some((test) => test(value));
}
