import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { type Incoming, isRecord } from '../wire/incoming.ts';
import { refuseBranching } from './branching.ts';
import { withoutBytes } from './bytes.ts';
import { type Check, type Mistake, pointerTo, withoutType } from './check.ts';
import { close } from './closed.ts';
import { compileFit } from './fit.ts';
import { fixedKeys } from './fixed-shape.ts';
import { refuseImpossible } from './impossible.ts';
import { isolated } from './isolated.ts';
import { compileLocator } from './locator.ts';
import type { ValueBounds } from './parse.ts';
import { compileSanitizers, refuseReferred, type Sanitized, withoutSanitized } from './sanitized.ts';
import { requireEnforceable } from './schema-faults.ts';
import { compileStrip } from './strip.ts';
import { isObjectBody, ownType, takesType, withType } from './type-property.ts';

/** What happens to a property that no schema names. */
export type UnknownProperties = 'refuse' | 'strip';

export interface SchemaOptions {
  /** The type among the body's properties; `undefined` if the envelope holds it. */
  readonly type: string | undefined;
  /** Names the schema in errors. */
  readonly option: string;
  readonly unknown: UnknownProperties;
  readonly bounds: ValueBounds;
  /** Whether messages may hold bytes. Default: `false`. */
  readonly bytes?: boolean;
}

/** Compiles a message's body from a TypeBox schema or plain JSON Schema. */
export function compileSchema(schema: unknown, options: SchemaOptions): Check {
  const { option, type } = options;
  const body = closedBody(schema, options);
  refuseReferred(body, option);
  if (!sharesType(body, options)) return compileBody(body, options, body);
  if (takesType(body)) return compileBody(body, options, withType(body, type as string) as SchemaNode);
  return withoutTypeOf(compileBody(body, options, body), type as string);
}

function compileBody(document: SchemaNode, options: SchemaOptions, whole: SchemaNode): Check {
  const { option, unknown, bounds, bytes = false } = options;
  const relaxed = isolated(withoutSanitized(whole));
  const checked = bytes ? withoutBytes(relaxed) : relaxed;
  const { fits, accelerated } = compileFit(checked);
  const pointer = compileLocator(checked);
  const sanitizeBody = compileSanitizers(whole, option);
  const leaveOut = unknown === 'strip' ? compileStrip(relaxed) : undefined;
  return {
    fits,
    look(incoming, known = false) {
      if (!known && !fits(incoming.body)) {
        const body = leaveOut === undefined ? incoming.body : leaveOut(incoming.body);
        if (leaveOut === undefined || !fits(body)) return mistakeIn('schema', body);
        incoming.body = body;
        incoming.changed = true;
      }
      if (sanitizeBody === undefined) return undefined;
      const { refused, changed } = sanitizeIn(incoming, sanitizeBody);
      if (refused !== undefined) return refused;
      // A sanitizer may produce what the schema forbids.
      return changed && !fits(incoming.body) ? mistakeIn('sanitize', incoming.body) : undefined;
    },
    sanitize: sanitizeBody && ((incoming) => sanitizeIn(incoming, sanitizeBody).refused),
    accelerated,
    fixedKeys: fixedKeys(relaxed, bounds),
    document,
  };

  function mistakeIn(stage: Mistake['stage'], body: unknown): Mistake {
    return { stage, pointer: pointer(body) };
  }
}

function sanitizeIn(
  incoming: Incoming,
  sanitizeBody: (body: unknown) => Sanitized,
): { readonly changed: boolean; readonly refused: Mistake | undefined } {
  const { body, changed, refused } = sanitizeBody(incoming.body);
  incoming.body = body;
  if (changed) incoming.changed = true;
  return { changed, refused: refused && { stage: 'sanitize', pointer: pointerTo(refused) } };
}

function withoutTypeOf(check: Check, type: string): Check {
  const apart =
    (look: (incoming: Incoming) => Mistake | undefined) =>
    (incoming: Incoming): Mistake | undefined => {
      const typed = incoming.body;
      incoming.body = withoutType(typed);
      const mistake = look(incoming);
      incoming.body = mistake?.stage === 'schema' ? typed : { type, ...(incoming.body as object) };
      return mistake;
    };
  return {
    ...check,
    fits: () => false,
    fixedKeys: undefined,
    look: apart((incoming) => check.look(incoming) as Mistake | undefined),
    sanitize: check.sanitize && apart(check.sanitize),
  };
}

/** The check of an outgoing body. */
export interface BodyCheck {
  passes(body: unknown): boolean;
  /**
   * The same for a body without its type, so that the body need not be copied. Absent if the schema describes the
   * type itself.
   */
  passesUntyped?(body: unknown): boolean;
  pointer(body: unknown): string;
  /** As in `Check`. */
  readonly document: SchemaNode | undefined;
}

export function compileReply(schema: unknown, options: Pick<SchemaOptions, 'type' | 'option'>): BodyCheck {
  const document = closedBody(schema, options);
  const checked = isolated(document);
  const { fits: passes } = compileFit(checked);
  const pointer = compileLocator(checked);
  if (!sharesType(document, options)) return { passes, pointer, document };
  return {
    passes: (body) => passes(withoutType(body)),
    passesUntyped: passes,
    pointer: (body) => pointer(withoutType(body)),
    document,
  };
}

/** Closes objects that do not say otherwise (OWASP: allow-list validation). */
function closedBody(schema: unknown, { type, option }: Pick<SchemaOptions, 'type' | 'option'>): SchemaNode {
  if (!isRecord(schema)) throw new PolicyError(option, 'it is not a schema', 'Give Type.Object({ … }).');
  requireEnforceable(schema, option, type === undefined ? undefined : OBJECT);
  refuseImpossible(schema, option);
  const closed = close(schema);
  refuseBranching(closed, option);
  return closed;
}

const OBJECT: ReadonlySet<string> = new Set(['object']);

/** Whether the envelope adds a type to the body that its schema does not describe. */
function sharesType(body: SchemaNode, { type, option }: Pick<SchemaOptions, 'type' | 'option'>): boolean {
  if (type === undefined) return false;
  if (!isObjectBody(body)) {
    throw new PolicyError(
      option,
      'the body of a message is not an object',
      'Wrap it: Type.Object({ value: … }).',
    );
  }
  const own = ownType(body, type);
  if (own !== 'other') return own === 'none';
  throw new PolicyError(
    option,
    "it has a property 'type' of its own, which is not the message's name",
    `Rename it, or say Type.Literal('${type}'): 'type' names the message.`,
  );
}
