export type Content =
  | 'anything'
  | 'boolean'
  | 'count'
  | 'dependencies'
  | 'format'
  | 'items'
  | 'lists of names'
  | 'names'
  | 'number'
  | 'pattern'
  | 'positive number'
  | 'schema'
  | 'schemas'
  | 'schemas by name'
  | 'schemas by pattern'
  | 'text'
  | 'type'
  | 'value'
  | 'values';

/**
 * What the schemas of a keyword describe: the same value as the schema around them, a value inside it, or nothing
 * until something refers to them. A question is a condition: closing its objects would change its answer.
 */
export type Role = 'same' | 'inner' | 'definition' | 'question' | 'question inside';

/** The one type of value that a keyword applies to. */
type Subject = 'string' | 'number' | 'array' | 'object';

export interface Keyword {
  readonly holds: Content;
  readonly role?: Role;
  readonly about?: Subject;
}

/** Every keyword that is checked, and those that only describe. Others are refused, because TypeBox ignores them. */
export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ['type', { holds: 'type' }],
  ['const', { holds: 'value' }],
  ['enum', { holds: 'values' }],

  ['minLength', { holds: 'count', about: 'string' }],
  ['maxLength', { holds: 'count', about: 'string' }],
  ['pattern', { holds: 'pattern', about: 'string' }],
  ['format', { holds: 'format', about: 'string' }],

  ['minimum', { holds: 'number', about: 'number' }],
  ['maximum', { holds: 'number', about: 'number' }],
  ['exclusiveMinimum', { holds: 'number', about: 'number' }],
  ['exclusiveMaximum', { holds: 'number', about: 'number' }],
  ['multipleOf', { holds: 'positive number', about: 'number' }],

  ['items', { holds: 'items', role: 'inner', about: 'array' }],
  ['prefixItems', { holds: 'schemas', role: 'inner', about: 'array' }],
  ['additionalItems', { holds: 'schema', role: 'inner', about: 'array' }],
  ['unevaluatedItems', { holds: 'schema', role: 'inner', about: 'array' }],
  ['contains', { holds: 'schema', role: 'question inside', about: 'array' }],
  ['minContains', { holds: 'count', about: 'array' }],
  ['maxContains', { holds: 'count', about: 'array' }],
  ['minItems', { holds: 'count', about: 'array' }],
  ['maxItems', { holds: 'count', about: 'array' }],
  ['uniqueItems', { holds: 'boolean', about: 'array' }],

  ['properties', { holds: 'schemas by name', role: 'inner', about: 'object' }],
  ['patternProperties', { holds: 'schemas by pattern', role: 'inner', about: 'object' }],
  ['additionalProperties', { holds: 'schema', role: 'inner', about: 'object' }],
  ['unevaluatedProperties', { holds: 'schema', role: 'inner', about: 'object' }],
  ['propertyNames', { holds: 'schema', role: 'question inside', about: 'object' }],
  ['required', { holds: 'names', about: 'object' }],
  ['minProperties', { holds: 'count', about: 'object' }],
  ['maxProperties', { holds: 'count', about: 'object' }],
  ['dependencies', { holds: 'dependencies', role: 'same', about: 'object' }],
  ['dependentSchemas', { holds: 'schemas by name', role: 'same', about: 'object' }],
  ['dependentRequired', { holds: 'lists of names', about: 'object' }],

  ['allOf', { holds: 'schemas', role: 'same' }],
  ['anyOf', { holds: 'schemas', role: 'same' }],
  ['oneOf', { holds: 'schemas', role: 'same' }],
  ['if', { holds: 'schema', role: 'question' }],
  ['then', { holds: 'schema', role: 'same' }],
  ['else', { holds: 'schema', role: 'same' }],
  ['not', { holds: 'schema', role: 'question' }],

  ['$ref', { holds: 'text' }],
  ['$defs', { holds: 'schemas by name', role: 'definition' }],
  ['definitions', { holds: 'schemas by name', role: 'definition' }],
  ['$id', { holds: 'text' }],
  ['$anchor', { holds: 'text' }],

  ['$schema', { holds: 'text' }],
  ['$comment', { holds: 'text' }],
  ['title', { holds: 'text' }],
  ['description', { holds: 'text' }],
  ['default', { holds: 'anything' }],
  ['examples', { holds: 'anything' }],
  ['deprecated', { holds: 'boolean' }],
  ['readOnly', { holds: 'boolean' }],
  ['writeOnly', { holds: 'boolean' }],
]);

/** Keywords that check nothing. */
const NOTES: ReadonlySet<string> = new Set([
  '$id', '$anchor', '$schema', '$comment', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly',
]); // biome-ignore format: a list of names reads best as a block

/** Whether a keyword only describes. Custom ones begin with `x-`. */
export function isNote(keyword: string): boolean {
  return NOTES.has(keyword) || keyword.startsWith('x-');
}
