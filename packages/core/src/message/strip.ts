import type { SchemaNode } from '../wire/envelope.ts';
import { isNode } from './closed.ts';
import { Effort } from './effort.ts';
import { compileFit } from './fit.ts';
import { holderOf, referredTo, withDefinitions, withOwnTop } from './references.ts';
import { type FormSigns, lostBy, signsOf, UnionForms } from './union-forms.ts';

/**
 * Returns a copy without the properties that a closed schema does not name. The check still follows. When the effort
 * is spent, the rest stays as it is, so that the check refuses it.
 */
export type Strip = (value: unknown) => unknown;

/** A form that is tried costs two looks at its value, so there can be four tries one inside the other. */
const MULTIPLE = 8;

export function compileStrip(given: SchemaNode): Strip {
  const schema = withOwnTop(given);
  const scope = { whole: schema, resource: schema, definitions: schema, targets: new Map() };
  const shapes = [shapeOf(schema, scope)];
  return (value) => leaveOut(value, shapes, new Effort(value, MULTIPLE));
}

/** Where references are resolved: `#` in `resource`, names in `whole`. */
interface Scope {
  readonly whole: SchemaNode;
  readonly resource: SchemaNode;
  /** The nearest schema with definitions. */
  readonly definitions: SchemaNode;
  /** The shapes of the targets of references, with the definitions that they saw. Each is made once, however deep a message is. */
  readonly targets: Map<SchemaNode, Map<SchemaNode, Shape>>;
}

/** What a schema says about the properties and items of one value. */
interface Shape {
  readonly closed: boolean;
  /** The schema and all others about the same value. */
  readonly parts: readonly Part[];
  /** The members of a union. */
  readonly forms: UnionForms<Form> | undefined;
}

interface Part {
  readonly properties: ReadonlyMap<string, Shape>;
  readonly patterns: readonly (readonly [pattern: RegExp, shape: Shape])[];
  /** The shape of properties that neither `properties` nor `patterns` describes. */
  readonly others: Shape | undefined;
  readonly items: readonly Shape[];
  /** The shape of the items after `items`. */
  readonly rest: Shape | undefined;
}

interface Form {
  readonly shape: Shape;
  readonly signs: FormSigns;
  fits(value: unknown): boolean;
}

/** Several shapes describe one value together, so a property that any of them names stays. */
function leaveOut(value: unknown, shapes: readonly Shape[], effort: Effort): unknown {
  if (shapes.length === 0) return value;
  if (Array.isArray(value)) return value.map((item, i) => leaveOut(item, shapesOfItem(shapes, i), effort));
  if (!isNode(value) || value instanceof Uint8Array) return value;
  const forms = shapes.length === 1 ? shapes[0]?.forms : undefined;
  if (forms !== undefined) return choose(value, forms, effort);
  const kept: [name: string, inner: unknown][] = [];
  const closed = shapes.every((shape) => shape.closed);
  for (const [name, inner] of Object.entries(value)) {
    const named = shapesOfProperty(shapes, name);
    if (named.length > 0 || !closed) kept.push([name, leaveOut(inner, named, effort)]);
  }
  return Object.fromEntries(kept);
}

/**
 * The first form that fits the value unchanged, or else the one that fits after the fewest properties of the value are
 * left out, of those that it may be by its tags and keys.
 */
function choose(value: SchemaNode, forms: UnionForms<Form>, effort: Effort): unknown {
  const possible = forms.possible(value);
  const [only] = possible;
  // The check that follows judges it.
  if (only !== undefined && possible.length === 1) return leaveOut(value, [only.shape], effort);
  if (!effort.pay(possible.length)) return value;
  const ranked = possible
    .map((form) => ({ form, lost: lostBy(form.signs, value) }))
    .sort((one, other) => one.lost - other.lost);
  for (const { form, lost } of ranked)
    if (lost === 0 && effort.spend(value) && form.fits(value)) return value;
  for (const { form } of ranked) {
    // A look at the value to leave something out of it, and one at what is left.
    if (!effort.spend(value) || !effort.spend(value)) break;
    const candidate = leaveOut(value, [form.shape], effort);
    if (form.fits(candidate)) return candidate;
  }
  return value;
}

function shapesOfProperty(shapes: readonly Shape[], name: string): Shape[] {
  return shapes.flatMap(({ parts }) =>
    parts.flatMap(({ properties, patterns, others }) => {
      const own = properties.get(name);
      const found = patterns.filter(([pattern]) => pattern.test(name)).map(([, shape]) => shape);
      if (own !== undefined) found.push(own);
      return found.length === 0 && others !== undefined ? [others] : found;
    }),
  );
}

function shapesOfItem(shapes: readonly Shape[], index: number): Shape[] {
  return shapes.flatMap(({ parts }) => parts.flatMap(({ items, rest }) => items[index] ?? rest ?? []));
}

function shapeOf(schema: unknown, outside: Scope): Shape {
  // `true`, `false`, or a value that is no schema.
  if (!isNode(schema)) return { closed: false, parts: [], forms: undefined };
  const scope = {
    ...outside,
    definitions: holderOf(schema, outside.definitions),
    resource: typeof schema.$id === 'string' ? schema : outside.resource,
  };
  if (schema.$ref !== undefined) return referred(schema.$ref, scope);
  return {
    closed: schema.additionalProperties === false || schema.unevaluatedProperties === false,
    parts: schemasOfSame(schema).map((same) => partOf(same, scope)),
    forms: formsOf(schema, scope),
  };
}

/**
 * The shape of a reference's target, which alone describes the value. It is computed on first use, because references may be
 * circular.
 */
function referred(reference: unknown, scope: Scope): Shape {
  let found: Shape | undefined;
  const shape = (): Shape => {
    found ??= targetShape(reference, scope);
    return found;
  };
  return {
    get closed() {
      return shape().closed;
    },
    get parts() {
      return shape().parts;
    },
    get forms() {
      return shape().forms;
    },
  };
}

function targetShape(reference: unknown, scope: Scope): Shape {
  const { whole, definitions, targets } = scope;
  const resource = String(reference).startsWith('#') ? scope.resource : whole;
  const target = referredTo(resource, reference);
  if (target === undefined) return shapeOf(target, scope);
  const shapes = targets.get(target) ?? new Map<SchemaNode, Shape>();
  targets.set(target, shapes);
  const shape = shapes.get(definitions) ?? shapeOf(target, { ...scope, resource, definitions });
  shapes.set(definitions, shape);
  return shape;
}

function schemasOfSame(schema: SchemaNode): SchemaNode[] {
  const { allOf, anyOf, oneOf, dependentSchemas, dependencies } = schema;
  const lists = [allOf, anyOf, oneOf].flatMap((members) => (Array.isArray(members) ? members : []));
  const dependent = [dependentSchemas, dependencies]
    .filter(isNode)
    .flatMap((record) => Object.values(record));
  const conditional = [schema.then, schema.else];
  return [schema, ...[...lists, ...dependent, ...conditional].filter(isNode).flatMap(schemasOfSame)];
}

function partOf(schema: SchemaNode, scope: Scope): Part {
  const { properties, patternProperties, additionalProperties, unevaluatedProperties } = schema;
  const { items, prefixItems, additionalItems } = schema;
  const others = additionalProperties ?? unevaluatedProperties ?? false;
  const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
  const rest = Array.isArray(items) ? additionalItems : items;
  return {
    properties: new Map(shapesOf(properties, scope)),
    patterns: shapesOf(patternProperties, scope).map(([pattern, shape]) => [new RegExp(pattern, 'u'), shape]),
    others: others === false ? undefined : shapeOf(others, scope),
    items: tuple.map((item: unknown) => shapeOf(item, scope)),
    rest: isNode(rest) ? shapeOf(rest, scope) : undefined,
  };
}

function shapesOf(record: unknown, scope: Scope): [name: string, shape: Shape][] {
  return isNode(record) ? Object.entries(record).map(([name, inner]) => [name, shapeOf(inner, scope)]) : [];
}

function formsOf(schema: SchemaNode, scope: Scope): UnionForms<Form> | undefined {
  const members = Array.isArray(schema.anyOf) ? schema.anyOf : schema.oneOf;
  if (!Array.isArray(members) || schema.unevaluatedProperties !== undefined || 'properties' in schema)
    return undefined;
  return new UnionForms(
    members.filter(isNode).map((member) => ({
      shape: shapeOf(member, scope),
      signs: signsOf(member, scope.whole),
      fits: compileFit(withDefinitions(member, scope.definitions)).fits,
    })),
  );
}
