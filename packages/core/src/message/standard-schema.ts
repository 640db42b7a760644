import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';

interface Issue {
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
  /** What was expected. Not in the standard, but set by valibot and arktype. */
  readonly expected?: unknown;
  readonly message?: unknown;
}

/** The result of `validate`. It is a failure if it has `issues`, even with a value beside them. */
export interface Result {
  readonly value?: unknown;
  readonly issues?: readonly Issue[] | undefined;
}

/** A schema of any library that implements Standard Schema 1 (zod, valibot, arktype and others). A structural type. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Result | Promise<Result>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export function isStandardSchema(schema: unknown): schema is StandardSchema {
  const callable = typeof schema === 'function' || (typeof schema === 'object' && schema !== null);
  if (!callable) return false;
  const standard = (schema as { '~standard'?: { validate?: unknown } })['~standard'];
  return typeof standard?.validate === 'function';
}

/** The `expected` of valibot and arktype for a forbidden property. */
const NOTHING: ReadonlySet<unknown> = new Set(['never', 'removed']);
/** The end of joi's message for a forbidden property. */
const NOT_ALLOWED = /" is not allowed$/;

export function pathOf(issue: Issue | undefined): readonly PropertyKey[] {
  // Copied to a plain array, because arktype's paths are of a subclass, and so are the results of their `map` and `slice`.
  const path = Array.from(issue?.path ?? [], (step) => (typeof step === 'object' ? step.key : step));
  const { expected, message } = issue ?? {};
  // The sender chose the name of a forbidden property, so the pointer names the object around it.
  const unnamed = NOTHING.has(expected) || (typeof message === 'string' && NOT_ALLOWED.test(message));
  return unnamed ? path.slice(0, -1) : path;
}

interface Unsayable {
  readonly code: string;
  readonly base: unknown;
  readonly proto?: unknown;
}

/** Parts of arktype that JSON Schema cannot express, and no message can hold. */
const UNHELD: ReadonlySet<string> = new Set(['date', 'domain', 'unit']);

/** Options with which zod and arktype leave out what JSON Schema cannot express, instead of throwing. */
const LENIENT = {
  unrepresentable: 'any',
  fallback: ({ code, base, proto }: Unsayable) =>
    UNHELD.has(code) || (code === 'proto' && !HELD.has(proto)) ? { type: nameOf(proto) ?? code } : base,
};

/** Classes of values that a message may hold. */
const HELD: ReadonlySet<unknown> = new Set([Object, Array, Uint8Array]);

function nameOf(proto: unknown): string | undefined {
  return typeof proto === 'function' ? proto.name : undefined;
}

interface TellingSchema {
  readonly jsonSchema?: {
    readonly input?: (options: { readonly target: string; readonly libraryOptions?: object }) => unknown;
  };
}

/**
 * The JSON Schema of a schema's input, if the library offers one (Standard JSON Schema 1). What JSON Schema cannot express is left
 * out if `lenient`; otherwise the result is then `undefined`.
 */
export function documentOf(schema: StandardSchema, lenient = false): SchemaNode | undefined {
  const { jsonSchema } = schema['~standard'] as TellingSchema;
  for (const target of ['draft-07', 'draft-2020-12']) {
    try {
      const document = jsonSchema?.input?.({ target, ...(lenient && { libraryOptions: LENIENT }) });
      if (isRecord(document)) return document;
    } catch {
      // The library does not know this target, or JSON Schema cannot express the schema.
    }
  }
  return undefined;
}
