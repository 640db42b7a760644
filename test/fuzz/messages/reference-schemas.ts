import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** What each type accepts, written by hand as closed JSON Schema 2020-12, without code of the guard. */
const S = (most = 9_999, more: object = {}) => ({ type: 'string', maxLength: most, ...more });
const matching = (pattern: string) => ({ type: 'string', pattern });
const int = (minimum?: number, maximum?: number) => ({
  type: 'integer',
  ...(minimum !== undefined && { minimum }),
  ...(maximum !== undefined && { maximum }),
});
const number = { type: 'number' };
const boolean = { type: 'boolean' };
const array = (items: object, maxItems = 9_999) => ({ type: 'array', items, maxItems });
const tuple = (...prefixItems: object[]) => ({
  type: 'array',
  prefixItems,
  minItems: prefixItems.length,
  maxItems: prefixItems.length,
});
/** An object with exactly these properties. A name that ends with `?` is optional. */
function closed(named: Readonly<Record<string, unknown>>, more: object = {}) {
  const names = Object.keys(named);
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(named).map(([name, schema]) => [name.replace(/\?$/, ''), schema]),
    ),
    required: names.filter((name) => !name.endsWith('?')),
    additionalProperties: false,
    ...more,
  };
}
const record = (pattern: string, values: object) => ({
  type: 'object',
  patternProperties: { [pattern]: values },
  additionalProperties: false,
});

const digit = int(0, 9);
const point = closed({ x: int(-100, 100), y: int(-100, 100) });
/** Any text, since a schema does not decide what a sanitizer accepts. */
const unclean = { type: 'string' };

const forms = {
  circle: closed({ kind: { const: 'circle' }, r: { type: 'number', minimum: 0.5 } }),
  p: closed({ k: { const: 'p' }, v: digit }),
  q: closed({ k: { const: 'q' }, w: S() }),
};

const schemas: Readonly<Record<string, object>> = {
  say: closed({ room: matching('^[a-z]{1,12}$'), text: S(20, { minLength: 1 }) }),
  move: closed({ from: point, to: point, speed: { type: 'number', exclusiveMinimum: 0, maximum: 10 } }),
  score: closed({ player: S(16), points: number, level: { type: 'integer', minimum: 0, multipleOf: 5 } }),
  tags: closed({ tags: { ...array(S(8), 6), uniqueItems: true }, matrix: array(array(digit, 4), 4) }),
  pair: closed({
    pair: tuple(S(8), digit, closed({ on: boolean })),
    'note?': S(8),
    'none?': { type: 'null' },
  }),
  prefs: closed({
    values: record('^[a-z]{1,6}$', { anyOf: [S(8), number, { type: 'null' }] }),
    // TypeBox's pattern for any text is `.`, which matches no line terminators.
    teams: record('^[^\\n\\r\\u2028\\u2029]*$', closed({ size: int(0, 99) })),
  }),
  shape: {
    oneOf: [
      forms.circle,
      closed({ kind: { const: 'rect' }, w: int(), h: int() }),
      closed({ kind: { const: 'path' }, points: array(tuple(number, number), 5) }),
    ],
  },
  order: closed(
    { id: int(0), 'note?': S(), 'more?': closed({ deep: boolean }), 'card?': S(5), 'cash?': number },
    { anyOf: [{ required: ['card'] }, { required: ['cash'] }] },
  ),
  profile: closed({
    uid: { type: 'string', format: 'uuid' },
    'born?': { type: 'string', format: 'date' },
    'ip?': { type: 'string', format: 'ipv4' },
    'mood?': { enum: ['good', 'bad', 3, false] },
  }),
  note: closed({
    title: unclean,
    lines: array(unclean, 4),
    'by?': { anyOf: [{ const: 'anon' }, closed({ name: unclean })] },
    'links?': record('^[a-z]{1,4}$', unclean),
  }),
  plain: {
    anyOf: [
      plainForm({ kind: { const: 'a' } }, { list: true }),
      plainForm({ kind: { enum: ['b', 3, null] }, 'extra?': boolean }),
    ],
  },
  tree: closed({ root: { $ref: '#/$defs/node' } }, { $defs: { node: treeNode() } }),
  trim: closed({ a: digit, b: matching('^[a-z]{1,6}$') }),
  loose: closed({
    id: int(),
    inner: closed({ x: number }),
    items: array(closed({ n: digit }), 3),
    pair: tuple(closed({ u: S() }), digit),
    one: { anyOf: [forms.p, forms.q] },
    map: record('^[a-z]{1,4}$', closed({ z: boolean })),
  }),
  blend: closed({ a: digit, b: closed({ c: digit }) }),
  zod: closed({
    room: matching('^[a-z]{1,6}$'),
    count: int(0, 50),
    'mode?': { enum: ['slow', 'fast'] },
    'tags?': array(matching('^[a-z]{1,5}$'), 3),
  }),
  zodLoose: closed({ n: digit, 'inner?': closed({ s: matching('^[a-z]{1,5}$') }) }),
  secret: closed({ level: int(0, 5), word: S(10) }),
  vote: closed({ n: digit }),
  nobody: closed({ 'why?': S(10) }),
  any: closed({ value: {} }),
  open: { type: 'object', properties: { a: digit } },
  wide: closed(Object.fromEntries(Array.from({ length: 22 }, (_, i) => [`k${i}`, digit]))),
};

/** The plain JSON Schema as its two cases. */
function plainForm(own: Readonly<Record<string, unknown>>, { list = false } = {}) {
  return closed(
    {
      ...own,
      [list ? 'list' : 'list?']: {
        type: 'array',
        prefixItems: [{ type: 'string' }],
        items: { type: 'integer' },
        minItems: 1,
      },
      'map?': {
        type: 'object',
        patternProperties: { '^x-': S(6) },
        additionalProperties: { type: 'integer' },
      },
      'never?': { not: number },
      'pick?': { type: 'integer', not: { const: 0 } },
    },
    { anyOf: [{ not: { required: ['map'] } }, { required: ['pick'] }] },
  );
}

function treeNode() {
  return closed({ v: int(), 'kids?': { type: 'array', items: { $ref: '#/$defs/node' } } });
}

/** Formats, written from their standards: RFC 9562 §4, RFC 3339 §5.6, RFC 2673 §3.2. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  uuid: (text) => {
    const groups = text.split('-');
    return (
      groups.map(({ length }) => length).join() === '8,4,4,4,12' &&
      groups.every((group) => /^[\da-f]*$/i.test(group))
    );
  },
  date: (text) => {
    if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
    const date = new Date(`${text}T00:00:00Z`);
    return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
  },
  ipv4: (text) => {
    const parts = text.split('.');
    return (
      parts.length === 4 &&
      parts.every((part) => /^[0-9]{1,3}$/.test(part) && String(Number(part)) === part && Number(part) < 256)
    );
  },
};

const ajv = new Ajv2020({ strict: false, ownProperties: true, formats });
const compile = (schema: object): ValidateFunction => ajv.compile(schema);

export const validators: ReadonlyMap<string, ValidateFunction> = new Map(
  Object.entries(schemas).map(([type, schema]) => [type, compile(schema)]),
);
export const isP = compile(forms.p);
export const isQ = compile(forms.q);

/** All properties that the schema of a type names; `undefined` if it allows others. */
export const namesIn: ReadonlyMap<string, ReadonlySet<string> | undefined> = new Map(
  Object.entries(schemas).map(([type, schema]) => [type, type === 'open' ? undefined : namesOf(schema)]),
);

function namesOf(schema: object): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  const isFree = (part: unknown): boolean => {
    if (typeof part !== 'object' || part === null) return false;
    const { properties, patternProperties } = part as { properties?: object; patternProperties?: object };
    if (patternProperties !== undefined) return true;
    for (const name of Object.keys(properties ?? {})) names.add(name);
    return Object.values(part).some(isFree);
  };
  return isFree(schema) ? undefined : names;
}
