import type { SchemaNode } from '../wire/envelope.ts';
import { pointerTo } from './check.ts';
import { isNode } from './closed.ts';
import { Effort } from './effort.ts';
import { compileFit } from './fit.ts';
import { areResolved, holderOf, referredTo, withDefinitions, withOwnTop } from './references.ts';
import { type FormSigns, lostBy, signsOf, UnionForms } from './union-forms.ts';

/** Tells where a value that does not fit is wrong: a JSON Pointer, never what stood there. */
export type Locate = (value: unknown) => string;

/** A value of the message, and what of the schema describes it. */
interface Spot {
  readonly schema: SchemaNode;
  readonly value: unknown;
  /** Where it is in the value around; `undefined` for that value itself. */
  readonly key?: PropertyKey;
  /** Holds the definitions that may be referred to. */
  readonly definitions: SchemaNode;
}

interface Form {
  readonly schema: SchemaNode;
  readonly signs: FormSigns;
}

/** The check that refused the message was one; those that find the place may cost two more. */
const MULTIPLE = 2;
/** More schemas on the way to one mistake are a reference that leads to itself. */
const MAX_HOPS = 200;

/**
 * Goes from the outside to the first value inside that does not fit by itself. TypeBox would collect the errors of all
 * forms of all unions inside each other. Of a union this enters one form at most, which the value may be by its tags
 * and keys. When the effort is spent, the pointer is to the object or list around the mistake.
 */
export function compileLocator(given: SchemaNode): Locate {
  const schema = withOwnTop(given);
  const checks = new Map<SchemaNode, ((value: unknown) => boolean) | undefined>();
  const unions = new Map<SchemaNode, UnionForms<Form>>();

  return (value) => {
    const effort = new Effort(value, MULTIPLE);
    const path: PropertyKey[] = [];
    let spot: Spot | undefined = { schema, value, definitions: schema };
    for (let hops = 0; spot !== undefined && hops < MAX_HOPS; hops++) {
      if (spot.key !== undefined) path.push(spot.key);
      spot = next(spot, effort);
    }
    return pointerTo(path);
  };

  function next(spot: Spot, effort: Effort): Spot | undefined {
    for (const inner of spotsIn(spot)) {
      if (!effort.spend(inner.value)) return undefined;
      if (isWrong(inner)) return inner;
    }
    const form = likeliest(spot);
    return form !== undefined && effort.spend(form.value) && isWrong(form) ? form : undefined;
  }

  function* spotsIn(spot: Spot): Generator<Spot> {
    const { schema: node, value } = spot;
    const definitions = holderOf(node, spot.definitions);
    const around = { value, definitions };
    const target = node.$ref === undefined ? undefined : referredTo(schema, node.$ref);
    if (target !== undefined) yield { ...around, schema: target };
    if (isNode(value) && !(value instanceof Uint8Array)) yield* inObject(node, value, definitions);
    if (Array.isArray(value)) yield* inList(node, value, definitions);
    for (const member of [...nodesIn(node.allOf), ...dependentOn(node, value)])
      yield { ...around, schema: member };
    const branch = branchOf(node, around);
    if (isNode(branch)) yield { ...around, schema: branch };
  }

  function branchOf(node: SchemaNode, around: Omit<Spot, 'schema'>): unknown {
    if (!isNode(node.if)) return undefined;
    return isWrong({ ...around, schema: node.if }) ? node.else : node.then;
  }

  function likeliest({ schema: node, value, definitions }: Spot): Spot | undefined {
    const possible = formsOf(node).possible(value);
    const [form] = possible.length === 1 ? possible : possible.filter(({ signs }) => namesAll(signs, value));
    return form && { schema: form.schema, value, definitions: holderOf(node, definitions) };
  }

  function formsOf(node: SchemaNode): UnionForms<Form> {
    const known = unions.get(node);
    if (known !== undefined) return known;
    const members = [...nodesIn(node.anyOf), ...nodesIn(node.oneOf)];
    const forms = new UnionForms(members.map((form) => ({ schema: form, signs: signsOf(form, schema) })));
    unions.set(node, forms);
    return forms;
  }

  /** A part whose references lead elsewhere than to definitions cannot be asked about by itself. */
  function isWrong({ schema: part, value, definitions }: Spot, hops = 0): boolean {
    if (!checks.has(part)) {
      const whole = withDefinitions(part, definitions);
      checks.set(part, areResolved(whole) ? compileFit(whole).fits : undefined);
    }
    const check = checks.get(part);
    if (check !== undefined) return !check(value);
    // What it refers to may be asked about, though.
    const target = hops < MAX_HOPS ? referredTo(schema, part.$ref) : undefined;
    return target !== undefined && isWrong({ schema: target, value, definitions }, hops + 1);
  }
}

/** Schemas of the whole object that a property brings with it: `dependentSchemas`, `dependencies` before that. */
function* dependentOn(node: SchemaNode, value: unknown): Generator<SchemaNode> {
  if (!isNode(value)) return;
  for (const given of [node.dependentSchemas, node.dependencies]) {
    if (!isNode(given)) continue;
    for (const [key, schema] of Object.entries(given)) {
      if (isNode(schema) && Object.hasOwn(value, key)) yield schema;
    }
  }
}

function* inObject(node: SchemaNode, value: SchemaNode, definitions: SchemaNode): Generator<Spot> {
  const properties = isNode(node.properties) ? node.properties : {};
  const patterns = isNode(node.patternProperties) ? Object.entries(node.patternProperties) : [];
  for (const [key, schema] of Object.entries(properties)) {
    if (isNode(schema) && Object.hasOwn(value, key)) yield { schema, value: value[key], key, definitions };
  }
  const rest = node.additionalProperties;
  if (patterns.length === 0 && !isNode(rest)) return;
  const compiled = patterns.map(([pattern, schema]) => [new RegExp(pattern, 'u'), schema] as const);
  for (const key of Object.keys(value)) {
    const found = compiled.filter(([pattern]) => pattern.test(key));
    for (const [, schema] of found) if (isNode(schema)) yield { schema, value: value[key], key, definitions };
    if (found.length === 0 && isNode(rest) && !Object.hasOwn(properties, key))
      yield { schema: rest, value: value[key], key, definitions };
  }
}

function* inList(node: SchemaNode, value: readonly unknown[], definitions: SchemaNode): Generator<Spot> {
  const tuple: readonly unknown[] = Array.isArray(node.prefixItems)
    ? node.prefixItems
    : Array.isArray(node.items)
      ? node.items
      : [];
  const rest = Array.isArray(node.items) ? node.additionalItems : node.items;
  for (let key = 0; key < value.length; key++) {
    const schema = key < tuple.length ? tuple[key] : rest;
    if (isNode(schema)) yield { schema, value: value[key], key, definitions };
  }
}

function nodesIn(list: unknown): SchemaNode[] {
  return Array.isArray(list) ? list.filter(isNode) : [];
}

function namesAll(signs: FormSigns, value: unknown): boolean {
  return isNode(value) && lostBy(signs, value) === 0;
}
