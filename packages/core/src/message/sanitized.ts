import { keywordsOfSanitizer, type Sanitizer, sanitizerOf } from '../sanitize/sanitizer.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isComposite, isNode, mapInner } from './closed.ts';
import { compileFit } from './fit.ts';
import { isolated } from './isolated.ts';
import { referredTo, withDefinitions } from './references.ts';
import { isNote } from './schema-keywords.ts';

interface Visit {
  readonly path: PropertyKey[];
  changed: boolean;
  /** The path of the first refused text. */
  refused: readonly PropertyKey[] | undefined;
}

/** Sanitizes a value in place and returns it, or its replacement. */
type Plan = (value: unknown, visit: Visit) => unknown;

export interface Sanitized {
  readonly body: unknown;
  readonly changed: boolean;
  readonly refused: readonly PropertyKey[] | undefined;
}

/** Removes the keywords that sanitizers check themselves: lengths count after normalizing. */
export function withoutSanitized(schema: SchemaNode): SchemaNode {
  if (sanitizerOf(schema) === undefined) return mapInner(schema, withoutSanitized);
  // A hidden pattern is not enumerable.
  const keywords = Object.getOwnPropertyNames(schema).filter((key) => key !== 'type' && !key.startsWith('~'));
  const relaxed = changed(schema, {});
  for (const keyword of keywords) delete relaxed[keyword];
  return relaxed;
}

/** Finds every text with a sanitizer; `undefined` if there is none. */
export function compileSanitizers(
  schema: SchemaNode,
  option: string,
): ((body: unknown) => Sanitized) | undefined {
  const plan = planOf(schema, { option, whole: schema });
  if (plan === undefined) return undefined;
  return (value) => {
    const visit: Visit = { path: [], changed: false, refused: undefined };
    const body = plan(value, visit);
    return { body, changed: visit.changed, refused: visit.refused };
  };
}

/** What is the same for every part of a schema. */
interface Around {
  readonly option: string;
  readonly whole: SchemaNode;
}

/** Keywords through which sanitizers are found. Below any other keyword a sanitizer would be skipped, so it is refused. */
const REACHED = [
  'properties',
  'patternProperties',
  'additionalProperties',
  'items',
  'prefixItems',
  'allOf',
  'anyOf',
  'oneOf',
];

/** A `part` describes an object together with others, as in `close`. */
function planOf(schema: SchemaNode, around: Around, part = false): Plan | undefined {
  const sanitizer = sanitizerOf(schema);
  if (sanitizer !== undefined) return textPlan(sanitizer, besideSanitizer(schema, around));
  refuseUnreached(schema, around);
  const together = part || isComposite(schema);
  const plans = [
    objectPlan(schema, around),
    arrayPlan(schema, around),
    ...allPlans(schema, around),
    ...choicePlans(schema, around, together),
  ].filter((plan) => plan !== undefined);
  if (plans.length <= 1) return plans[0];
  return (value, visit) => plans.reduce((current, plan) => plan(current, visit), value);
}

/** Checks the keywords beside a sanitizer on the sanitized text. */
function besideSanitizer(schema: SchemaNode, around: Around): ((text: string) => boolean) | undefined {
  const beside = changed(schema, {});
  for (const [keyword, value] of Object.entries(keywordsOfSanitizer(schema))) {
    if (beside[keyword] === value) delete beside[keyword];
  }
  const { type: _type, ...more } = beside;
  if (Object.keys(more).every(isNote) && !('~refine' in schema)) return undefined;
  if (holdsReference(more) || Object.values(more).some(holdsSanitizer)) {
    throw new PolicyError(
      around.option,
      'what stands beside a sanitizer refers to something, or has a sanitizer of its own, which would be passed over',
      'Write it out, and use one sanitizer.',
    );
  }
  return compileFit(isolated(beside)).fits;
}

function holdsReference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return '$ref' in value || Object.values(value).some(holdsReference);
}

function textPlan(sanitizer: Sanitizer, fits: ((text: string) => boolean) | undefined): Plan {
  return (value, visit) => {
    if (typeof value !== 'string') return value;
    const text = sanitizer(value);
    if (text === undefined || fits?.(text) === false) {
      refuse(visit);
      return value;
    }
    if (text !== value) visit.changed = true;
    return text;
  };
}

function objectPlan(
  { properties, patternProperties, additionalProperties }: SchemaNode,
  around: Around,
): Plan | undefined {
  const named = plansOf(properties, around);
  const patterns = plansOf(patternProperties, around).map(
    ([pattern, plan]) => [new RegExp(pattern, 'u'), plan] as const,
  );
  const rest = isNode(additionalProperties) ? planOf(additionalProperties, around) : undefined;
  if (named.length + patterns.length === 0 && rest === undefined) return undefined;
  const known = new Set(isNode(properties) ? Object.keys(properties) : []);
  const everyPattern = isNode(patternProperties)
    ? Object.keys(patternProperties).map((pattern) => new RegExp(pattern, 'u'))
    : [];
  return (value, visit) => {
    if (!isNode(value)) return value;
    for (const [name, plan] of named) if (Object.hasOwn(value, name)) step(value, name, plan, visit);
    if (patterns.length === 0 && rest === undefined) return value;
    for (const name of Object.keys(value)) {
      for (const [pattern, plan] of patterns) if (pattern.test(name)) step(value, name, plan, visit);
      if (rest === undefined || known.has(name) || everyPattern.some((pattern) => pattern.test(name)))
        continue;
      step(value, name, rest, visit);
    }
    return value;
  };
}

function arrayPlan({ items, prefixItems }: SchemaNode, around: Around): Plan | undefined {
  const first = (Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : []) as unknown[];
  const prefix = first.map((inner) => (isNode(inner) ? planOf(inner, around) : undefined));
  const rest = isNode(items) ? planOf(items, around) : undefined;
  if (rest === undefined && prefix.every((plan) => plan === undefined)) return undefined;
  return (value, visit) => {
    if (!Array.isArray(value)) return value;
    for (let i = 0; i < value.length; i++) {
      const plan = i < prefix.length ? prefix[i] : rest;
      if (plan !== undefined) step(value as never, i, plan, visit);
    }
    return value;
  };
}

function step(holder: { [key: PropertyKey]: unknown }, key: PropertyKey, plan: Plan, visit: Visit): void {
  visit.path.push(key);
  holder[key] = plan(holder[key], visit);
  visit.path.pop();
}

function refuse(visit: Visit): void {
  visit.refused ??= [...visit.path];
}

function allPlans({ allOf }: SchemaNode, around: Around): (Plan | undefined)[] {
  return Array.isArray(allOf) ? allOf.filter(isNode).map((member) => planOf(member, around, true)) : [];
}

/**
 * Of several whole forms, the first that fits has its texts sanitized, unless it changes none and a later one does.
 * Forms that describe one object together are all applied.
 */
function choicePlans(schema: SchemaNode, around: Around, together: boolean): (Plan | undefined)[] {
  return ['anyOf', 'oneOf'].map((keyword) => {
    const members = schema[keyword];
    if (!Array.isArray(members)) return undefined;
    const nodes = members.filter(isNode);
    const plans = nodes.map((member) => planOf(member, around, together));
    if (plans.every((plan) => plan === undefined)) return undefined;
    const choices = nodes.map((member, i) => ({
      fits: compileFit(isolated(withoutSanitized(withDefinitions(member, around.whole)))).fits,
      plan: plans[i],
    }));
    return (value, visit) => {
      const fitting = choices.filter(({ fits }) => fits(value));
      // The schema has passed before, so another sanitizer has changed the value.
      if (fitting.length === 0) refuse(visit);
      const found = fitting.map(({ plan }) => plan).filter((plan) => plan !== undefined);
      return (together ? found : found.slice(0, 1)).reduce((current, plan) => plan(current, visit), value);
    };
  });
}

function plansOf(record: unknown, around: Around): [name: string, plan: Plan][] {
  if (!isNode(record)) return [];
  return Object.entries(record).flatMap(([name, inner]) => {
    const plan = isNode(inner) ? planOf(inner, around) : undefined;
    return plan === undefined ? [] : [[name, plan] as [string, Plan]];
  });
}

function refuseUnreached(schema: SchemaNode, around: Around): void {
  for (const [keyword, inner] of Object.entries(schema)) {
    if (REACHED.includes(keyword) || !holdsSanitizer(inner)) continue;
    throw new PolicyError(
      around.option,
      `it has a sanitized text under '${keyword}', where it would be passed over`,
      'Put it among the properties, the items, or the members of a union or an intersection.',
    );
  }
}

/** References are not followed, so a text behind one would not be sanitized. */
export function refuseReferred(schema: SchemaNode, option: string): void {
  if (!holdsSanitizer(schema) || !refersToSanitizer(schema, schema)) return;
  throw new PolicyError(
    option,
    'it has a reference to a sanitized text, or to nobody knows what, which would be passed over',
    'Write the text out where it is referred to.',
  );
}

function refersToSanitizer(value: unknown, whole: SchemaNode): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { $ref } = value as SchemaNode;
  if (typeof $ref === 'string') {
    const target = referredTo(whole, $ref);
    if (target === undefined || holdsSanitizer(target)) return true;
  }
  return Object.values(value).some((inner) => refersToSanitizer(inner, whole));
}

function holdsSanitizer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return sanitizerOf(value) !== undefined || Object.values(value).some(holdsSanitizer);
}
