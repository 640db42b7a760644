import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { isComposite, isNode, isObjectSchema, openEnd } from './closed.ts';
import { PlaceIndex, type Types } from './place-index.ts';
import { type Fault, formFault } from './schema-form.ts';
import { KEYWORDS } from './schema-keywords.ts';
import { type Place, placesOf } from './schema-places.ts';

/**
 * Refuses a schema that cannot be enforced completely: what TypeBox ignores, what cannot be closed, and what no value
 * could pass. `bodyTypes` are the types of every checked value, if known.
 *
 * @throws PolicyError that names the place, as a JSON Pointer behind the option.
 */
export function requireEnforceable(schema: SchemaNode, option: string, bodyTypes?: Types): void {
  const refuse = ({ pointer }: Place, fault: Fault | undefined): void => {
    if (fault === undefined) return;
    const at = fault.at === undefined ? pointer : `${pointer}/${fault.at}`;
    throw new PolicyError(at === '' ? option : `${option}#${at}`, fault.problem, fault.fix);
  };
  const places = placesOf(schema, option, (place) => refuse(place, formFault(place.node)));
  const index = new PlaceIndex(places, bodyTypes);
  for (const place of places) {
    for (const rule of RULES) refuse(place, rule(place, index));
  }
}

type Rule = (place: Place, index: PlaceIndex) => Fault | undefined;

const RULES: readonly Rule[] = [
  nameFault,
  referenceFault,
  loopFault,
  idleKeywordFault,
  subjectFault,
  rangeFault,
  itemsFault,
  requiredFault,
];

function nameFault(place: Place, index: PlaceIndex): Fault | undefined {
  const { $id } = place.node;
  if (typeof $id === 'string' && ($id === '' || $id.includes('#')))
    return {
      at: '$id',
      problem: `'${$id}' is no name`,
      fix: "Give a name without '#'; parts of a schema have an '$anchor'.",
    };
  if (index.namesakes(place).length === 0) return undefined;
  return {
    problem: 'another schema in it has the same name, so that a reference might lead to either',
    fix: "Give each '$id' and each '$anchor' once.",
  };
}

/**
 * A reference leads to a schema that is checked and closed by itself. Nothing beside the reference may describe more.
 */
function referenceFault(place: Place, index: PlaceIndex): Fault | undefined {
  const { node, position } = place;
  if (node.$ref === undefined) return undefined;
  const target = index.targetOf(place);
  const fault = (problem: string, fix: string): Fault => ({ at: '$ref', problem, fix });
  if (target === undefined)
    return fault(
      `'${String(node.$ref)}' leads to no schema in it`,
      "Define it in '$defs', and refer to '#/$defs/name'.",
    );
  if (target.position !== 'whole')
    return fault(
      'it leads to a part of a schema, which is not closed by itself',
      "Define it in '$defs', and refer to that.",
    );
  if (position === 'question')
    return fault('what is asked here is not closed, and what it leads to is', 'Write the schema out.');
  const types = index.typesOf(target);
  if (types !== undefined && !types.has('object')) return undefined;
  if (position !== 'part' && !isObjectSchema(node) && !describesMore(node)) return undefined;
  return fault(
    'it leads to an object that is closed by itself, and would refuse the properties that are described beside it',
    'Write the schema out.',
  );
}

function describesMore(node: SchemaNode): boolean {
  return Object.keys(node).some((key) => {
    const { role, about } = KEYWORDS.get(key) ?? {};
    return about === 'object' || (role !== undefined && role !== 'definition');
  });
}

/** References that never leave the same value cannot be evaluated. */
function loopFault(place: Place, index: PlaceIndex): Fault | undefined {
  const seen = new Set<Place>();
  const next = [place];
  for (let here = next.pop(); here !== undefined; here = next.pop()) {
    const target = index.targetOf(here);
    for (const other of [...index.sameValue(here), ...(target === undefined ? [] : [target])]) {
      if (other === place)
        return {
          problem: 'it leads back to itself without an end',
          fix: 'Refer to it from a property, or from items.',
        };
      if (!seen.has(other)) next.push(other);
      seen.add(other);
    }
  }
  return undefined;
}

/** Keywords that do nothing without another one. */
const COMPANIONS: readonly (readonly [
  keyword: string,
  needed: (node: SchemaNode) => boolean,
  fix: string,
])[] = [
  ['if', (node) => 'then' in node || 'else' in node, "Say what follows, in 'then' or 'else'."],
  ['then', (node) => 'if' in node, "Ask for something in 'if'."],
  ['else', (node) => 'if' in node, "Ask for something in 'if'."],
  ['minContains', (node) => 'contains' in node, "Say what is counted, in 'contains'."],
  ['maxContains', (node) => 'contains' in node, "Say what is counted, in 'contains'."],
  ['additionalItems', (node) => Array.isArray(node.items), "Write 'items'."],
  ['prefixItems', (node) => !Array.isArray(node.items), "Give one list of items, in 'prefixItems'."],
];

function idleKeywordFault({ node }: Place): Fault | undefined {
  for (const [at, isUsed, fix] of COMPANIONS) {
    if (at in node && !isUsed(node)) return { at, problem: 'it does nothing here', fix };
  }
  return undefined;
}

/** JSON Schema ignores a keyword for values of other types: `{ pattern: '^a' }` accepts any object. */
function subjectFault(place: Place, index: PlaceIndex): Fault | undefined {
  let types: Types | undefined;
  for (const at of Object.keys(place.node)) {
    const subject = KEYWORDS.get(at)?.about;
    if (subject === undefined) continue;
    types ??= index.typesOf(place);
    if (types?.has(subject) === true || (types === undefined && place.position === 'question')) continue;
    const others = types === undefined ? 'any value of another type' : [...types].join(' or ');
    return {
      at,
      problem: `it says something of ${subject}s only, and would let ${others} through`,
      fix: `Add type: '${subject}'.`,
    };
  }
  return undefined;
}

/** Pairs of bounds that may leave no value between them. */
const RANGES = [
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minContains', 'maxContains'],
  ['minProperties', 'maxProperties'],
  ['minimum', 'maximum'],
  ['exclusiveMinimum', 'maximum'],
  ['minimum', 'exclusiveMaximum'],
  ['exclusiveMinimum', 'exclusiveMaximum'],
] as const;

function rangeFault({ node }: Place): Fault | undefined {
  for (const [least, most] of RANGES) {
    const lower = node[least];
    const upper = node[most];
    if (typeof lower !== 'number' || typeof upper !== 'number') continue;
    const exclusive = least.startsWith('exclusive') || most.startsWith('exclusive');
    if (lower < upper || (lower === upper && !exclusive)) continue;
    return {
      at: least,
      problem: `with a ${most} of ${upper} nothing would pass`,
      fix: 'Lower it, or raise the other.',
    };
  }
  return undefined;
}

/** An array needs a schema for all its items. `items: true` allows any. */
function itemsFault(place: Place, index: PlaceIndex): Fault | undefined {
  const { node, position } = place;
  if (position === 'question') return undefined;
  const end = openEnd(node);
  if (end !== undefined && (position === 'part' || isComposite(node))) {
    return {
      problem: 'the list of its items has no end, and something else describes them as well',
      fix: `Say ${end}: false, or what else may come.`,
    };
  }
  const family = index.family(place);
  if ('contains' in node && family.some(({ node }) => 'unevaluatedItems' in node)) {
    return {
      at: 'contains',
      problem: 'what is contained would count as described, whatever else is in it',
      fix: 'Say items instead of unevaluatedItems.',
    };
  }
  if (
    position === 'part' ||
    ![node.type].flat().includes('array') ||
    family.some(({ node }) => saysItems(node))
  )
    return undefined;
  return {
    problem: 'it does not say what its items are, so that they could be anything',
    fix: 'Say so in items; items: true lets anything through.',
  };
}

function saysItems(node: SchemaNode): boolean {
  return ['items', 'prefixItems', 'unevaluatedItems', 'const', 'enum'].some((keyword) => keyword in node);
}

/** A required property must be one that the schema allows. */
function requiredFault(place: Place, index: PlaceIndex): Fault | undefined {
  const { node, position } = place;
  const { required, dependentRequired, dependencies } = node;
  const dependent = [dependentRequired, dependencies]
    .filter(isNode)
    .flatMap((record) => Object.values(record));
  const names = [required, ...dependent].filter(Array.isArray).flat() as string[];
  if (names.length === 0 || position === 'question') return undefined;
  const family = index.family(place);
  const open = family.some(({ node }) => leavesOpen(node));
  for (const name of names) {
    const declared = family.flatMap((one) => index.property(one, name) ?? []);
    if (INHERITED.has(name) && !declared.some((one) => index.typesOf(one) !== undefined)) {
      return {
        problem: `every object has a '${name}' that it inherits, which would do for the required one`,
        fix: 'Say its type among the properties, or call it something else.',
      };
    }
    const known = open || family.some(({ node }) => mayHave(node, name));
    if (required !== undefined && (required as string[]).includes(name) && !known) {
      return {
        at: 'required',
        problem: `'${name}' is required and not among the properties, so that nothing would pass`,
        fix: 'Describe it in properties, or leave it out.',
      };
    }
  }
  return undefined;
}

/** TypeBox checks these names of `Object.prototype` as own properties, and no others. */
const INHERITED: ReadonlySet<string> = new Set(
  Object.getOwnPropertyNames(Object.prototype).filter(
    (name) => name !== '__proto__' && name !== 'constructor',
  ),
);

function leavesOpen({ additionalProperties, unevaluatedProperties }: SchemaNode): boolean {
  return [additionalProperties, unevaluatedProperties].some(
    (others) => others !== undefined && others !== false,
  );
}

function mayHave({ properties, patternProperties }: SchemaNode, name: string): boolean {
  if (isNode(properties) && Object.hasOwn(properties, name)) return properties[name] !== false;
  return (
    isNode(patternProperties) &&
    Object.keys(patternProperties).some((pattern) => new RegExp(pattern, 'u').test(name))
  );
}
