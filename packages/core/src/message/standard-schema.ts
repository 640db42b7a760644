import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { type Incoming, isRecord } from '../wire/incoming.ts';
import { type Check, type Mistake, pointerTo } from './check.ts';
import { close, isNode } from './closed.ts';
import type { BodyCheck, SchemaOptions, UnknownProperties } from './schema.ts';

interface Issue {
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
  /** Beyond the standard: what valibot and arktype had expected there. */
  readonly expected?: unknown;
}

/** What a library answers: the value it made, or what is wrong. Some failures carry a value as well. */
interface Result {
  readonly value?: unknown;
  readonly issues?: readonly Issue[] | undefined;
}

/** A schema of any library that keeps to Standard Schema 1 (zod, valibot, arktype and others). Structural. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Result | Promise<Result>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** A schema of arktype, which hands on what it does not know unless it is told otherwise. */
interface DeclaringSchema extends StandardSchema {
  onDeepUndeclaredKey(behavior: 'reject' | 'delete'): StandardSchema;
}

export function isStandardSchema(schema: unknown): schema is StandardSchema {
  const callable = typeof schema === 'function' || (typeof schema === 'object' && schema !== null);
  if (!callable) return false;
  const standard = (schema as { '~standard'?: { validate?: unknown } })['~standard'];
  return typeof standard?.validate === 'function';
}

/**
 * Compiles the body of a message whose schema belongs to another library. The handler gets what that library returns.
 * Where the library does not say itself what it does not know, a property that came and is not in what it returns was
 * unknown to it: that refuses the message, or is what stripping means. So a transformation that renames the properties of
 * an object, or makes something else of it, needs `unknownProperties: 'strip'`.
 */
export function compileStandard(schema: StandardSchema, { type, unknown, option }: SchemaOptions): Check {
  const declares = isDeclaring(schema);
  const { '~standard': standard } = declares ? declare(schema, unknown, option) : schema;
  const compares = unknown === 'refuse' && !declares;
  const document = documentOf(schema);
  return {
    // Nobody knows where it goes.
    fits: () => false,
    look(incoming) {
      const body = type === undefined ? incoming.body : withoutType(incoming.body as object);
      const result = standard.validate(body);
      return isPromise(result)
        ? settled(result).then((late) => judge(incoming, body, late))
        : judge(incoming, body, result);
    },
    // What a library makes of a body is all that it can say.
    sanitize: undefined,
    accelerated: true,
    fixedKeys: undefined,
    // What it does not name is not handed on, whatever the library itself does with it.
    document: document && close(document, undefined),
  };

  function judge(incoming: Incoming, came: unknown, { issues, value }: Result): Mistake | undefined {
    if (issues !== undefined) return { stage: 'schema', pointer: pointerTo(pathOf(issues[0])) };
    const lost = compares ? lostKey(came, value, []) : undefined;
    if (lost !== undefined) return { stage: 'schema', pointer: pointerTo(lost) };
    incoming.body = value;
    incoming.changed = true;
    return undefined;
  }
}

function isDeclaring(schema: StandardSchema): schema is DeclaringSchema {
  return typeof (schema as Partial<DeclaringSchema>).onDeepUndeclaredKey === 'function';
}

function declare(schema: DeclaringSchema, unknown: UnknownProperties, option: string): StandardSchema {
  try {
    return schema.onDeepUndeclaredKey(unknown === 'refuse' ? 'reject' : 'delete');
  } catch (error) {
    throw new PolicyError(
      option,
      `nobody can tell what to leave out of it: ${error instanceof Error ? error.message : String(error)}`,
      "Say unknownProperties: 'refuse', or tell the members of its unions apart by a literal.",
    );
  }
}

/** A reply's schema of another library; one that answers with a promise cannot be asked while something is sent. */
export function compileStandardReply(schema: StandardSchema, type: string | undefined): BodyCheck {
  const { '~standard': standard } = schema;
  const issuesOf = (body: unknown): readonly Issue[] | undefined => {
    const result: MaybePromise<Result> = standard.validate(
      type === undefined ? body : withoutType(body as object),
    );
    if (!isPromise(result)) return result.issues;
    // Nobody waits for it, so that nobody else would hear of its failure.
    settled(result).catch(() => undefined);
    throw new TypeError('A reply is checked as it is sent, so its schema cannot be asynchronous.');
  };
  return {
    passes: (body) => issuesOf(body) === undefined,
    pointer: (body) => pointerTo(pathOf(issuesOf(body)?.[0])),
    // What is sent is what was given, not what the library makes of it.
    document: documentOf(schema),
  };
}

/** The schema of the library knows nothing of the envelope. */
function withoutType(body: object): unknown {
  const { type: _type, ...rest } = body as { readonly type?: unknown };
  return rest;
}

/** What stands for a property that must not be there: `never` in valibot, `removed` in arktype. */
const NOTHING: ReadonlySet<unknown> = new Set(['never', 'removed']);

function pathOf(issue: Issue | undefined): readonly PropertyKey[] {
  // An array of our own: arktype's paths are of a class whose `map` and `slice` make others of themselves.
  const path = Array.from(issue?.path ?? [], (step) => (typeof step === 'object' ? step.key : step));
  // The name of such a property is content, too, so the object around it is told.
  return NOTHING.has(issue?.expected) ? path.slice(0, -1) : path;
}

/** The object that has a key in what came that is not in what the library returned. */
function lostKey(
  came: unknown,
  returned: unknown,
  path: readonly PropertyKey[],
): readonly PropertyKey[] | undefined {
  if (Array.isArray(came) && Array.isArray(returned)) {
    for (let i = 0; i < Math.min(came.length, returned.length); i++) {
      const lost = lostKey(came[i], returned[i], [...path, i]);
      if (lost !== undefined) return lost;
    }
    return undefined;
  }
  if (!isRecord(came) || !isRecord(returned)) return undefined;
  for (const key of Object.keys(came)) {
    if (!Object.hasOwn(returned, key)) return path;
    const lost = lostKey(came[key], returned[key], [...path, key]);
    if (lost !== undefined) return lost;
  }
  return undefined;
}

/** zod and arktype tell the JSON Schema of what they take in (Standard JSON Schema 1). */
function documentOf(schema: StandardSchema): SchemaNode | undefined {
  const { jsonSchema } = schema['~standard'] as {
    jsonSchema?: { input?: (options: { target: string }) => unknown };
  };
  try {
    const document = jsonSchema?.input?.({ target: 'draft-07' });
    return isNode(document) ? document : undefined;
  } catch {
    // What JSON Schema has no words for.
    return undefined;
  }
}
