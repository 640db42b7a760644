import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';

interface Issue {
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
  /** Not in the standard: what valibot and arktype expected. */
  readonly expected?: unknown;
  readonly message?: unknown;
}

/** A library's answer. Some failures hold a value as well. */
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

/** What valibot and arktype expect in place of a forbidden property. */
const NOTHING: ReadonlySet<unknown> = new Set(['never', 'removed']);
/** What joi says of one. */
const NOT_ALLOWED = /" is not allowed$/;

export function pathOf(issue: Issue | undefined): readonly PropertyKey[] {
  // An array of our own: arktype's paths are of a class whose `map` and `slice` make others of themselves.
  const path = Array.from(issue?.path ?? [], (step) => (typeof step === 'object' ? step.key : step));
  const { expected, message } = issue ?? {};
  // The sender chose the name of a forbidden property, so the pointer names the object around it.
  const unnamed = NOTHING.has(expected) || (typeof message === 'string' && NOT_ALLOWED.test(message));
  return unnamed ? path.slice(0, -1) : path;
}

/** Options under which zod and arktype leave out what JSON Schema cannot express, instead of throwing. */
const LENIENT = { unrepresentable: 'any', fallback: (context: { readonly base: unknown }) => context.base };

interface TellingSchema {
  readonly jsonSchema?: {
    readonly input?: (options: { readonly target: string; readonly libraryOptions?: object }) => unknown;
  };
}

/**
 * The JSON Schema of what a library takes in, where it tells one (Standard JSON Schema 1). A `lenient` one says nothing of what
 * JSON Schema has no words for, where there would be none otherwise.
 */
export function documentOf(schema: StandardSchema, lenient = false): SchemaNode | undefined {
  const { jsonSchema } = schema['~standard'] as TellingSchema;
  for (const target of ['draft-07', 'draft-2020-12']) {
    try {
      const document = jsonSchema?.input?.({ target, ...(lenient && { libraryOptions: LENIENT }) });
      if (isRecord(document)) return document;
    } catch {
      // Another target, or what JSON Schema has no words for.
    }
  }
  return undefined;
}
