import { Compile } from 'typebox/compile';
import { PolicyError } from '../errors.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { type Incoming, isRecord } from '../wire/incoming.ts';
import { withoutBytes } from './bytes.ts';
import { type Check, cutPointer, type Mistake, pointerTo } from './check.ts';
import { changed, close, isNode, isObjectSchema } from './closed.ts';
import { fixedKeys } from './fixed-shape.ts';
import { isolated } from './isolated.ts';
import type { ValueBounds } from './parse.ts';
import { compileSanitizers, withoutSanitized } from './sanitized.ts';
import { compileStrip } from './strip.ts';

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
  const document = documentOf(schema, options);
  const relaxed = isolated(withoutSanitized(document));
  const compiled = Compile((bytes ? withoutBytes(relaxed) : relaxed) as never);
  const sanitize = compileSanitizers(document, option);
  const leaveOut = compileStrip(relaxed);
  return {
    fits: (body) => compiled.Check(body),
    look(incoming, known = false) {
      if (!known && !compiled.Check(incoming.body)) {
        if (unknown === 'refuse' || !strip(incoming)) return mistakeIn(incoming.body);
      }
      if (sanitize === undefined) return undefined;
      const { body, changed, refused } = sanitize(incoming.body);
      incoming.body = body;
      if (changed) incoming.changed = true;
      return refused === undefined ? undefined : { stage: 'sanitize', pointer: pointerTo(refused) };
    },
    accelerated: compiled.IsAccelerated(),
    fixedKeys: fixedKeys(relaxed, bounds),
    document,
  };

  /** Leaves out what nobody named, and looks again. */
  function strip(incoming: Incoming): boolean {
    const stripped = leaveOut(incoming.body);
    if (!compiled.Check(stripped)) return false;
    incoming.body = stripped;
    incoming.changed = true;
    return true;
  }

  function mistakeIn(body: unknown): Mistake {
    return { stage: 'schema', pointer: pointerOf(compiled.Errors(body)[0]) };
  }
}

/** A body that is sent: what its schema says of it, and where it does not fit. */
export interface BodyCheck {
  passes(body: unknown): boolean;
  pointer(body: unknown): string;
  readonly document: SchemaNode | undefined;
}

export function compileReply(schema: unknown, options: Pick<SchemaOptions, 'type' | 'option'>): BodyCheck {
  const document = documentOf(schema, options);
  const compiled = Compile(isolated(document) as never);
  return {
    passes: (body) => compiled.Check(body),
    pointer: (body) => pointerOf(compiled.Errors(body)[0]),
    document,
  };
}

/**
 * The whole body. Objects that do not say otherwise are closed: a property that no schema names is refused (OWASP:
 * allow-list validation). A discriminating `type` among the properties is part of it.
 */
function documentOf(schema: unknown, { type, option }: Pick<SchemaOptions, 'type' | 'option'>): SchemaNode {
  if (!isRecord(schema)) throw new PolicyError(option, 'it is not a schema', 'Give Type.Object({ … }).');
  const closed = close(schema, option);
  return type === undefined ? closed : withType(closed, type, option);
}

function pointerOf(error: { readonly keyword: string; readonly instancePath: string } | undefined): string {
  if (error === undefined) return '';
  const { keyword, instancePath } = error;
  // A property that must not be there: its name is content, too, so the object around it is told.
  const path = keyword === 'boolean' ? instancePath.slice(0, instancePath.lastIndexOf('/')) : instancePath;
  return cutPointer(path);
}

/** Adds `type` to every object that the message may be. */
function withType(schema: SchemaNode, type: string, option: string): SchemaNode {
  if (isObjectSchema(schema)) {
    refuseOwnType(schema, option);
    return changed(schema, {
      properties: { ...(schema.properties as object | undefined), type: { const: type } },
      required: [...((schema.required as string[] | undefined) ?? []), 'type'],
    });
  }
  if (Array.isArray(schema.allOf)) {
    for (const member of schema.allOf.filter(isNode)) refuseOwnType(member, option);
    return changed(schema, { allOf: [...schema.allOf, typeObject(type)] });
  }
  const keyword = Array.isArray(schema.anyOf) ? 'anyOf' : 'oneOf';
  const members = schema[keyword];
  if (!Array.isArray(members)) {
    throw new PolicyError(
      option,
      'the body of a message is not an object',
      'Wrap it: Type.Object({ value: … }).',
    );
  }
  return changed(schema, {
    [keyword]: members.map((member) => withType(member as SchemaNode, type, option)),
  });
}

function typeObject(type: string): SchemaNode {
  return { type: 'object', properties: { type: { const: type } }, required: ['type'] };
}

function refuseOwnType(schema: SchemaNode, option: string): void {
  if (Object.hasOwn((schema.properties as object | undefined) ?? {}, 'type')) {
    throw new PolicyError(
      option,
      "it has a property 'type' of its own",
      "Rename it: 'type' names the message.",
    );
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const members = schema[keyword];
    if (Array.isArray(members)) for (const member of members.filter(isNode)) refuseOwnType(member, option);
  }
}
