import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import { isPlain, isRecord } from '../wire/incoming.ts';
import { pointerTo } from './check.ts';
import { close } from './closed.ts';
import { openPlaceOfJoi } from './declared-body.ts';
import { compileFit } from './fit.ts';
import { isolated } from './isolated.ts';
import { compileLocator } from './locator.ts';
import type { SchemaOptions } from './schema.ts';
import { requireEnforceable } from './schema-faults.ts';
import { isNote } from './schema-keywords.ts';
import { documentOf, pathOf, type Result, type StandardSchema } from './standard-schema.ts';
import { compileStrip } from './strip.ts';

/** The value that a library returned for a body, or a pointer to the mistake in the body. */
export interface Answer {
  readonly value?: unknown;
  readonly pointer?: string;
}

type Ask = (body: unknown) => MaybePromise<Answer>;
type LibraryOptions = Pick<SchemaOptions, 'option' | 'unknown'>;

/**
 * Calls the schema of another library so that no property reaches a handler unless the schema names it. Most libraries return a
 * value without the properties that they do not know. With `unknownProperties: 'refuse'`, a property that is missing in the
 * returned value refuses the message. So a transformation that renames or replaces properties needs `'strip'`. Libraries that
 * keep unknown properties are called with options against that.
 */
export function compileLibrary(schema: StandardSchema, options: LibraryOptions): Ask {
  const { vendor } = schema['~standard'];
  const compile = LIBRARIES.get(vendor) ?? (isDeclaring(schema) ? compileDeclaring : compileStranger);
  return compile(schema, options);
}

const LIBRARIES: ReadonlyMap<string, (schema: StandardSchema, options: LibraryOptions) => Ask> = new Map([
  ['zod', compileLeavingOut],
  ['valibot', compileLeavingOut],
  ['effect', compileLeavingOut],
  ['arktype', compileDeclaring],
  ['joi', compileJoi],
  ['yup', compileYup],
]);

/** Calls the schema's `validate`. If it passes, `judge` turns the returned value into the answer. */
function asking(
  { '~standard': standard }: StandardSchema,
  judge: (came: unknown, value: unknown) => Answer = (_came, value) => ({ value }),
): Ask {
  const answer = (came: unknown, { issues, value }: Result): Answer =>
    issues === undefined ? judge(came, value) : { pointer: pointerTo(pathOf(issues[0])) };
  return (body) => {
    const result = standard.validate(body);
    return isPromise(result) ? settled(result).then((late) => answer(body, late)) : answer(body, result);
  };
}

function compileLeavingOut(schema: StandardSchema, { unknown }: LibraryOptions): Ask {
  if (unknown === 'strip') return asking(schema);
  return asking(schema, (came, value) => lostIn(came, value) ?? { value });
}

function lostIn(came: unknown, value: unknown): Answer | undefined {
  const lost = lostKey(came, value, []);
  return lost && { pointer: pointerTo(lost) };
}

/** The path of the first object with a key that the library did not return. */
function lostKey(came: unknown, returned: unknown, path: PropertyKey[]): readonly PropertyKey[] | undefined {
  if (Array.isArray(came) && Array.isArray(returned)) {
    for (let i = 0; i < Math.min(came.length, returned.length); i++) {
      if (hasLost(came[i], returned[i], i, path)) return path;
    }
    return undefined;
  }
  if (!isRecord(came) || !isRecord(returned)) return undefined;
  for (const key of Object.keys(came)) {
    if (!Object.hasOwn(returned, key)) return path;
    if (hasLost(came[key], returned[key], key, path)) return path;
  }
  return undefined;
}

/** Leaves the path to what is lost. */
function hasLost(came: unknown, returned: unknown, key: PropertyKey, path: PropertyKey[]): boolean {
  path.push(key);
  if (lostKey(came, returned, path) !== undefined) return true;
  path.pop();
  return false;
}

/** A schema of arktype, which keeps unknown properties by default. */
interface DeclaringSchema extends StandardSchema {
  onDeepUndeclaredKey(behavior: 'reject' | 'delete'): StandardSchema;
}

function isDeclaring(schema: StandardSchema): schema is DeclaringSchema {
  return typeof (schema as Partial<DeclaringSchema>).onDeepUndeclaredKey === 'function';
}

function compileDeclaring(schema: StandardSchema, { unknown, option }: LibraryOptions): Ask {
  try {
    return asking(
      (schema as DeclaringSchema).onDeepUndeclaredKey(unknown === 'refuse' ? 'reject' : 'delete'),
    );
  } catch (error) {
    throw new PolicyError(
      option,
      `arktype cannot tell which properties to leave out: ${error instanceof Error ? error.message : String(error)}`,
      "Say unknownProperties: 'refuse', or tell the members of its unions apart by a literal.",
    );
  }
}

/**
 * joi refuses unknown properties, except in objects without keys, and with the preferences allowUnknown and stripUnknown. Both are
 * refused here. Objects with `unknown()` stay open.
 */
function compileJoi(schema: StandardSchema, options: LibraryOptions): Ask {
  const open = openPlaceOfJoi(schema);
  if (open !== undefined) {
    throw new PolicyError(
      options.option,
      `joi would keep unknown properties of the object at '${pointerTo(open)}'`,
      'Name its keys, or say unknown() for an object that is open; leave the preferences allowUnknown and stripUnknown to the policy.',
    );
  }
  const { prefs } = schema as { prefs?: (preferences: object) => StandardSchema };
  if (options.unknown === 'refuse' || typeof prefs !== 'function') return asking(schema);
  return asking(prefs.call(schema, { stripUnknown: { objects: true } }));
}

/** A schema of yup, which casts and validates by different rules. `validate` is always asynchronous. */
interface CastingSchema extends StandardSchema {
  cast(value: unknown, options: object): unknown;
  validate(value: unknown, options: object): Promise<unknown>;
}

/**
 * yup keeps unknown properties, and a `strict()` schema does so even with `stripUnknown`. Only `cast` always leaves them out, so
 * its result tells which properties are known. yup also takes inherited names such as `toString` for properties and throws, so
 * properties with such names are removed first.
 */
function compileYup(schema: StandardSchema, options: LibraryOptions): Ask {
  const casting = schema as CastingSchema;
  if (typeof casting.cast !== 'function' || typeof casting.validate !== 'function')
    return compileStranger(schema, options);
  const leavingOut = Object.create(casting, {
    validate: {
      value: (value: unknown, more: object) => casting.validate(value, { ...more, stripUnknown: true }),
    },
  }) as StandardSchema;
  const known = (body: unknown): unknown => casting.cast(body, { assert: false, stripUnknown: true });
  const strips = options.unknown === 'strip';
  const ask = asking(leavingOut, (came, value) => {
    const named = known(came);
    if (strips) return { value: keepNamed(value, named) };
    return lostIn(came, named) ?? lostIn(came, value) ?? { value };
  });
  return (came) => {
    const body = withoutInherited(came);
    return (strips ? undefined : lostIn(came, body)) ?? ask(body);
  };
}

/** A copy of `value` with only those properties that `named` has at the same place. */
function keepNamed(value: unknown, named: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(named)) return value.map((item, i) => keepNamed(item, named[i]));
  if (!isPlain(value) || !isRecord(named)) return value;
  const kept = Object.entries(value).filter(([key]) => Object.hasOwn(named, key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, keepNamed(inner, named[key])]));
}

function withoutInherited(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutInherited);
  if (!isPlain(value)) return value;
  const own = Object.entries(value).filter(([key]) => !(key in Object.prototype));
  return Object.fromEntries(own.map(([key, inner]) => [key, withoutInherited(inner)]));
}

/**
 * It is unknown what another library does with properties that its schema does not name. So it gets only bodies that fit its
 * JSON Schema with every object closed.
 */
function compileStranger(schema: StandardSchema, { unknown, option }: LibraryOptions): Ask {
  const document = documentOf(schema);
  if (document === undefined || Object.keys(document).every(isNote)) {
    throw new PolicyError(
      option,
      `it cannot be known which properties its library, '${schema['~standard'].vendor}', would keep although no schema names them`,
      'Give it a JSON Schema, in ~standard.jsonSchema.input (Standard JSON Schema), or use TypeBox, zod, valibot, arktype, joi or yup.',
    );
  }
  requireEnforceable(document, option);
  const closed = isolated(close(document));
  const { fits } = compileFit(closed);
  const pointer = compileLocator(closed);
  const leaveOut = unknown === 'strip' ? compileStrip(closed) : undefined;
  const ask = asking(schema);
  return (body) => {
    if (fits(body)) return ask(body);
    const left = leaveOut?.(body) ?? body;
    return leaveOut !== undefined && fits(left) ? ask(left) : { pointer: pointer(left) };
  };
}
