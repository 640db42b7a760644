import { isPromise } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import type { Incoming } from '../wire/incoming.ts';
import { type Check, type Mistake, withoutType } from './check.ts';
import { close } from './closed.ts';
import { declaredBody } from './declared-body.ts';
import { refuseImpossible } from './impossible.ts';
import type { BodyCheck, SchemaOptions } from './schema.ts';
import { type Answer, compileLibrary } from './standard-library.ts';
import { documentOf, type StandardSchema } from './standard-schema.ts';
import { isNoObject, ownType } from './type-property.ts';

/** Compiles the body of a message whose schema belongs to another library. The handler gets what that library returns. */
export function compileStandard(schema: StandardSchema, options: SchemaOptions): Check {
  const declared = declaredBody(schema, options.type);
  const read = reader(declared, options);
  refuseImpossible(declared, options.option);
  const ask = compileLibrary(schema, options);
  const document = documentOf(schema);
  return {
    // The library says only what is wrong, and may return a changed body. So the body always has to pass through `look`.
    fits: () => false,
    look(incoming) {
      const answer = ask(read(incoming.body));
      return isPromise(answer) ? answer.then((late) => take(late, incoming)) : take(answer, incoming);
    },
    // A body that the library refuses cannot be sanitized.
    sanitize: undefined,
    accelerated: true,
    fixedKeys: undefined,
    // Closed, because no unnamed property reaches a handler, even if the library itself would keep it.
    document: document && close(document),
  };
}

function take(answer: Answer, incoming: Incoming): Mistake | undefined {
  if (answer.pointer !== undefined) return { stage: 'schema', pointer: answer.pointer };
  incoming.body = answer.value;
  incoming.changed = true;
  return undefined;
}

/** Compiles the schema of a reply that belongs to another library. It must be synchronous, because `send` is. */
export function compileStandardReply(
  schema: StandardSchema,
  options: Pick<SchemaOptions, 'type' | 'option'>,
): BodyCheck {
  const { option } = options;
  if (schema['~standard'].vendor === 'yup') {
    throw new PolicyError(
      option,
      'a reply is checked as it is sent, and yup answers later',
      'Use TypeBox, zod, valibot, arktype or joi for replies.',
    );
  }
  const read = reader(declaredBody(schema, options.type), options);
  const ask = compileLibrary(schema, { option, unknown: 'refuse' });
  const pointerIn = (body: unknown): string | undefined => {
    const answer = ask(read(body));
    if (!isPromise(answer)) return answer.pointer;
    // Nothing awaits this promise, so its rejection would be unhandled.
    answer.catch(() => undefined);
    throw new TypeError('A reply is checked as it is sent, so its schema cannot be asynchronous.');
  };
  return {
    passes: (body) => pointerIn(body) === undefined,
    pointer: (body) => pointerIn(body) ?? '',
    // The document describes the input, because the body is sent as it was given, not as the library returns it.
    document: documentOf(schema),
  };
}

/** Returns what the schema checks: the whole body, or the body without the type that the envelope puts among its properties. */
function reader(
  declared: SchemaNode,
  { type, option }: Pick<SchemaOptions, 'type' | 'option'>,
): (body: unknown) => unknown {
  if (type === undefined) return (body) => body;
  if (isNoObject(declared)) {
    throw new PolicyError(option, 'the body of a message is not an object', 'Wrap it: { value: … }.');
  }
  const own = ownType(declared, type);
  if (own === 'other') {
    throw new PolicyError(
      option,
      "it has a property 'type' of its own, which is not the message's name",
      `Rename it, or say the literal '${type}': 'type' names the message.`,
    );
  }
  return own === 'name' ? (body) => body : withoutType;
}
