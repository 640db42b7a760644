import { Compile } from 'typebox/compile';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';
import { withoutBytes } from './bytes.ts';
import { type Check, cutPointer, type Mistake, pointerTo } from './check.ts';
import { close } from './closed.ts';
import { fixedKeys } from './fixed-shape.ts';
import { isolated } from './isolated.ts';
import type { ValueBounds } from './parse.ts';
import { compileSanitizers, refuseReferred, withoutSanitized } from './sanitized.ts';
import { compileStrip } from './strip.ts';
import { hasOwnType, withType } from './type-property.ts';

/** What is done with a property that no schema names. */
export type UnknownProperties = 'refuse' | 'strip';

export interface SchemaOptions {
  /** The type that the body carries among its properties; `undefined` where the envelope holds it. */
  readonly type: string | undefined;
  /** Names the schema in errors. */
  readonly option: string;
  readonly unknown: UnknownProperties;
  readonly bounds: ValueBounds;
  /** Whether messages may hold bytes. Default: `false`. */
  readonly bytes?: boolean;
}

/** Compiles the body of a message: a TypeBox schema, or plain JSON Schema. */
export function compileSchema(schema: unknown, options: SchemaOptions): Check {
  const { option, unknown, bounds, bytes = false } = options;
  const closed = closedBody(schema, option);
  refuseReferred(closed, option);
  const whole = wholeBody(closed, options);
  const relaxed = isolated(withoutSanitized(whole));
  const compiled = Compile((bytes ? withoutBytes(relaxed) : relaxed) as never);
  const sanitize = sanitizing(whole, option);
  const leaveOut = unknown === 'strip' ? compileStrip(relaxed) : undefined;
  return {
    fits: (body) => compiled.Check(body),
    look(incoming, known = false) {
      if (!known && !compiled.Check(incoming.body)) {
        const body = leaveOut === undefined ? incoming.body : leaveOut(incoming.body);
        if (leaveOut === undefined || !compiled.Check(body)) return mistakeIn(body);
        incoming.body = body;
        incoming.changed = true;
      }
      return sanitize?.(incoming);
    },
    sanitize,
    accelerated: compiled.IsAccelerated(),
    fixedKeys: fixedKeys(relaxed, bounds),
    document: closed,
  };

  function mistakeIn(body: unknown): Mistake {
    return { stage: 'schema', pointer: pointerOf(compiled.Errors(body)[0]) };
  }
}

/** Sanitizes a body in its place, and says where a text was refused. */
function sanitizing(schema: SchemaNode, option: string): Check['sanitize'] {
  const sanitizeBody = compileSanitizers(schema, option);
  if (sanitizeBody === undefined) return undefined;
  return (incoming) => {
    const { body, changed, refused } = sanitizeBody(incoming.body);
    incoming.body = body;
    if (changed) incoming.changed = true;
    return refused === undefined ? undefined : { stage: 'sanitize', pointer: pointerTo(refused) };
  };
}

/** A body that is sent: what its schema says of it, and where it does not fit. */
export interface BodyCheck {
  passes(body: unknown): boolean;
  /**
   * Where the envelope puts the type among the properties: the same of a body without it, so that nothing has to be copied to
   * be looked at. Absent where a schema may say something else of a body that has one property more.
   */
  passesUntyped?(body: unknown): boolean;
  pointer(body: unknown): string;
  /** As that of a `Check`. */
  readonly document: SchemaNode | undefined;
}

export function compileReply(schema: unknown, options: Pick<SchemaOptions, 'type' | 'option'>): BodyCheck {
  const document = closedBody(schema, options.option);
  const compiled = Compile(isolated(wholeBody(document, options)) as never);
  const check: BodyCheck = {
    passes: (body) => compiled.Check(body),
    pointer: (body) => pointerOf(compiled.Errors(body)[0]),
    document,
  };
  if (options.type === undefined || !looksAtNamedProperties(document)) return check;
  const untyped = Compile(isolated(document) as never);
  return { ...check, passesUntyped: (body) => untyped.Check(body) };
}

/** Whether a schema says something of each property that it names, and nothing of how many there are or what they are called. */
function looksAtNamedProperties(schema: SchemaNode): boolean {
  return Object.keys(schema).every((keyword) => OF_NAMED_PROPERTIES.has(keyword));
}

const OF_NAMED_PROPERTIES: ReadonlySet<string> = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'title',
  'description',
]);

/** Objects that do not say otherwise are closed: a property that no schema names is refused (OWASP: allow-list validation). */
function closedBody(schema: unknown, option: string): SchemaNode {
  if (!isRecord(schema)) throw new PolicyError(option, 'it is not a schema', 'Give Type.Object({ … }).');
  return close(schema, option);
}

/** A discriminating `type` among the properties is part of the check. */
function wholeBody(body: SchemaNode, { type, option }: Pick<SchemaOptions, 'type' | 'option'>): SchemaNode {
  if (type === undefined) return body;
  if (hasOwnType(body)) {
    throw new PolicyError(
      option,
      "it has a property 'type' of its own",
      "Rename it: 'type' names the message.",
    );
  }
  const whole = withType(body, type);
  if (whole !== undefined) return whole;
  throw new PolicyError(
    option,
    'the body of a message is not an object',
    'Wrap it: Type.Object({ value: … }).',
  );
}

function pointerOf(error: { readonly keyword: string; readonly instancePath: string } | undefined): string {
  if (error === undefined) return '';
  const { keyword, instancePath } = error;
  // A property that must not be there: its name is content, too, so the object around it is told.
  const path = keyword === 'boolean' ? instancePath.slice(0, instancePath.lastIndexOf('/')) : instancePath;
  return cutPointer(path);
}
