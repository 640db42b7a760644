import { Format } from 'typebox/format';
import { isSanitizerMark, sanitizerOf } from '../sanitize/sanitizer.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { isPlain } from '../wire/incoming.ts';
import { isNode } from './closed.ts';
import { type Content, isNote, KEYWORDS } from './schema-keywords.ts';

/** What is wrong with a schema, and the fix. `at` is the keyword, if the fault is about one. */
export interface Fault {
  readonly at?: string;
  readonly problem: string;
  readonly fix: string;
}

/** Finds what TypeBox would not check, because it ignores what it does not know. */
export function formFault(node: SchemaNode): Fault | undefined {
  if (!isPlain(node))
    return { problem: 'it is an instance of a class, and no schema', fix: 'Give a plain object.' };
  // Symbols tell which library a schema comes from.
  for (const key of Object.getOwnPropertySymbols(node)) {
    const fault = symbolFault(node, key);
    if (fault !== undefined) return fault;
  }
  for (const key of Object.getOwnPropertyNames(node)) {
    const fault = keyFault(node, key);
    if (fault !== undefined) return fault;
  }
  return sanitizerOf(node) === undefined ? undefined : sanitizedFault(node);
}

function keyFault(node: SchemaNode, key: string): Fault | undefined {
  const value = node[key];
  if (key.startsWith('~')) return markFault(key, value);
  const keyword = KEYWORDS.get(key);
  if (keyword === undefined) return isNote(key) ? undefined : unknownKeyword(key);
  const hidden = !Object.prototype.propertyIsEnumerable.call(node, key);
  if (hidden) {
    // TypeBox asks for the pattern of a sanitized text if it is a key, and then throws.
    if (key === 'pattern' && sanitizerOf(node) !== undefined) return undefined;
    return {
      at: key,
      problem: 'it is hidden, so that it would be left out of copies',
      fix: 'Make it enumerable.',
    };
  }
  const wrong = contentFault(keyword.holds, value);
  return wrong === undefined ? undefined : { at: key, ...wrong };
}

/** Properties in which TypeBox keeps what JSON Schema cannot say. */
const MARKS: ReadonlySet<string> = new Set(['~kind', '~optional', '~readonly', '~immutable', '~unsafe']);
const CODEC: Fault = {
  problem: 'it holds a codec, which would not be run',
  fix: 'Describe what is sent, and convert in the handler.',
};

function markFault(key: string, value: unknown): Fault | undefined {
  if (MARKS.has(key)) return undefined;
  if (key === '~codec') return CODEC;
  if (key === '~refine') return refinementFault(value);
  return {
    problem: `its '${key}' is of another version of TypeBox, and would not be looked at`,
    fix: 'Use the Type of @sallyport/core.',
  };
}

/** `Type.Refine(schema, check, 'text')` compiles in JavaScript, and is never called. */
function refinementFault(refinements: unknown): Fault | undefined {
  const checks = Array.isArray(refinements) ? refinements : [undefined];
  for (const refinement of checks as ({ check?: unknown; error?: unknown } | undefined)[]) {
    const { check, error } = refinement ?? {};
    if (typeof check !== 'function' || typeof error !== 'function') {
      return {
        problem: 'it has a refinement that TypeBox would never ask, since its parts are no functions',
        fix: "Write Type.Refine(schema, (value) => …, () => 'what is wrong').",
      };
    }
    if (check.constructor.name !== 'AsyncFunction') continue;
    return {
      problem: 'it has an asynchronous refinement, whose promise would pass for a yes',
      fix: 'Ask at once, or in the rule with authorize.',
    };
  }
  return undefined;
}

/** Kinds of @sinclair/typebox 0.34 that are plain JSON Schema. */
const PLAIN_KINDS: ReadonlySet<unknown> = new Set([
  'Any', 'Array', 'Boolean', 'Import', 'Integer', 'Intersect', 'Literal', 'Never', 'Not', 'Null', 'Number', 'Object',
  'Record', 'Ref', 'String', 'TemplateLiteral', 'This', 'Tuple', 'Union', 'Unknown', 'Unsafe',
]); // biome-ignore format: a list of names reads best as a block

function symbolFault(node: SchemaNode, key: symbol): Fault | undefined {
  if (isSanitizerMark(key)) return undefined;
  if (key.description === 'TypeBox.Transform') return CODEC;
  const kind = (node as Record<symbol, unknown>)[key];
  if (key.description === 'TypeBox.Kind' && !PLAIN_KINDS.has(kind)) {
    return {
      problem: `'${String(kind)}' of @sinclair/typebox 0.34 is no type of JSON Schema, so that it would check nothing`,
      fix: "Describe what is sent, such as a text with format: 'date-time'.",
    };
  }
  if (key.description?.startsWith('TypeBox.') === true) return undefined;
  return {
    problem: `it has a property ${String(key)}, which would not be looked at`,
    fix: 'Give plain JSON Schema, or a schema of TypeBox.',
  };
}

function sanitizedFault({ type }: SchemaNode): Fault | undefined {
  if (type === 'string') return undefined;
  return {
    at: 'type',
    problem: 'a sanitizer is about a text and nothing else',
    fix: 'Leave the type as it is; for what may be null as well, write Type.Union([safeText(), Type.Null()]).',
  };
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ['nullable', "Write type: ['string', 'null'], or a union with null."],
  ['discriminator', 'Leave it out: a oneOf whose members differ by a const needs none.'],
  ['id', "Write '$id'."],
  ['divisibleBy', "Write 'multipleOf'."],
  ['example', "Write 'examples', with a list."],
  ['contentEncoding', 'Use a format or a pattern.'],
  ['contentMediaType', 'Use a format or a pattern.'],
  ['contentSchema', 'Describe what is sent.'],
  ...['$dynamicRef', '$recursiveRef'].map((key) => [key, "Use '$ref'."] as const),
  ...['$dynamicAnchor', '$recursiveAnchor'].map((key) => [key, "Use '$anchor', or '$defs'."] as const),
]);

function unknownKeyword(key: string): Fault {
  const near = [...KEYWORDS.keys()].find((keyword) => isNear(keyword, key));
  const fix = HINTS.get(key) ?? (near === undefined ? undefined : `Did you mean '${near}'?`);
  return {
    at: key,
    problem: 'it is no keyword that is known here, so that it would be passed over',
    fix: fix ?? `Leave it out; a note of your own is called 'x-${key}'.`,
  };
}

/** Whether the names differ by one letter: added, missing, wrong, or swapped with its neighbour. */
function isNear(keyword: string, key: string): boolean {
  const [a, b] = [keyword.toLowerCase(), key.toLowerCase()];
  let from = 0;
  while (from < a.length && a[from] === b[from]) from++;
  const [restA, restB] = [a.slice(from), b.slice(from)];
  const swapped = restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
  const one = [restA.slice(1) === restB, restA === restB.slice(1), restA.slice(1) === restB.slice(1)];
  return a.length > 2 && (swapped || one.includes(true));
}

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
/** TypeBox types that no message can hold. */
const FOREIGN_TYPES = ['bigint', 'symbol', 'undefined', 'void', 'function', 'constructor'];

const CONTENTS: Readonly<Record<Content, (value: unknown) => Omit<Fault, 'at'> | undefined>> = {
  anything: () => undefined,
  boolean: expecting('true or false', (value) => typeof value === 'boolean'),
  count: expecting(
    'a whole number of at least 0',
    (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  ),
  number: expecting('a number', Number.isFinite),
  'positive number': expecting('a number above 0', (value) => Number.isFinite(value) && Number(value) > 0),
  text: expecting('a text', (value) => typeof value === 'string'),
  names: expecting('a list of names', isNames),
  'lists of names': expecting('an object of lists of names', (value) => isRecordOf(value, isNames)),
  schema: expecting('a schema', isSchema),
  schemas: expecting(
    'a list of schemas, at least one',
    (value) => isListOf(value, isSchema) && value.length > 0,
  ),
  items: expecting('a schema, or a list of schemas', (value) => isSchema(value) || isListOf(value, isSchema)),
  'schemas by name': expecting('an object of schemas', (value) => isRecordOf(value, isSchema)),
  dependencies: expecting('an object of schemas, or of lists of names', (value) =>
    isRecordOf(value, (inner) => isSchema(inner) || isNames(inner)),
  ),
  value: expecting('a value that JSON has', isJson),
  values: expecting(
    'a list of values that JSON has, at least one',
    (value) => isListOf(value, isJson) && value.length > 0,
  ),
  type: typeFault,
  format: formatFault,
  pattern: patternFault,
  'schemas by pattern': patternsFault,
};

function contentFault(holds: Content, value: unknown): Omit<Fault, 'at'> | undefined {
  return CONTENTS[holds](value);
}

function expecting(
  what: string,
  holds: (value: unknown) => boolean,
): (value: unknown) => Omit<Fault, 'at'> | undefined {
  return (value) =>
    holds(value)
      ? undefined
      : { problem: `it is not ${what}, so that it would check nothing`, fix: `Give ${what}.` };
}

function isSchema(value: unknown): boolean {
  return typeof value === 'boolean' || isNode(value);
}

function isNames(value: unknown): boolean {
  return isListOf(value, (name) => typeof name === 'string');
}

function isListOf(value: unknown, is: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && Array.from(value as unknown[]).every(is);
}

function isRecordOf(value: unknown, is: (item: unknown) => boolean): boolean {
  return isPlain(value) && Object.values(value).every(is);
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  return isListOf(value, isJson) || isRecordOf(value, isJson);
}

function typeFault(type: unknown): Omit<Fault, 'at'> | undefined {
  const types = Array.isArray(type) ? (type as unknown[]) : [type];
  if (types.length === 0) return { problem: 'it names no type', fix: 'Name at least one.' };
  if (types.every((name) => TYPES.includes(name as string))) return undefined;
  const unknown = types.find((name) => !TYPES.includes(name as string));
  if (FOREIGN_TYPES.includes(unknown as string)) {
    const optional = unknown === 'undefined' || unknown === 'void';
    return {
      problem: `no message can hold '${String(unknown)}'`,
      fix: optional ? 'Make the property optional.' : 'Describe what is sent, such as a text or a number.',
    };
  }
  return {
    problem: `${typeof unknown === 'string' ? `'${unknown}'` : String(unknown)} is no type of JSON Schema, so that it would check nothing`,
    fix: `Use ${TYPES.map((name) => `'${name}'`).join(', ')}.`,
  };
}

function formatFault(format: unknown): Omit<Fault, 'at'> | undefined {
  if (typeof format === 'string' && Format.Has(format)) return undefined;
  return {
    problem: `the format '${String(format)}' is unknown, so that it would check nothing`,
    fix: 'Register it with typebox/format, or use a pattern.',
  };
}

function patternFault(pattern: unknown): Omit<Fault, 'at'> | undefined {
  if (pattern instanceof RegExp) {
    if (!pattern.global && !pattern.sticky) return undefined;
    return {
      problem: 'it remembers where it was, so that it would check every other text',
      fix: "Leave out the flags 'g' and 'y'.",
    };
  }
  if (typeof pattern !== 'string')
    return { problem: 'it is not a pattern, so that it would check nothing', fix: 'Give a text.' };
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch (error) {
    return {
      problem: error instanceof Error ? error.message : String(error),
      fix: 'Write it as RegExp takes it with the flag u.',
    };
  }
}

/** TypeBox joins patterns into one, which changes the meaning of group numbers and names. */
const GROUPS_BY_NAME = /(?<!\\)(?:\\\\)*(?:\\[1-9]|\\k<|\(\?<[^=!])/;

function patternsFault(value: unknown): Omit<Fault, 'at'> | undefined {
  if (!isRecordOf(value, isSchema))
    return {
      problem: 'it is not an object of schemas, so that it would check nothing',
      fix: 'Give { pattern: schema }.',
    };
  for (const pattern of Object.keys(value as object)) {
    const fault = patternFault(pattern);
    if (fault !== undefined) return fault;
    if (GROUPS_BY_NAME.test(pattern)) {
      return {
        problem: `'${pattern}' refers to a group, or names one, which cannot be checked`,
        fix: 'Write the group out.',
      };
    }
  }
  return undefined;
}
