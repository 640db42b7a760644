import type { Static, TSchema } from 'typebox';
import { isPromise, type MaybePromise, settled } from '../decision.ts';
import { PolicyError } from '../errors.ts';
import type { Identity, RateLimit } from '../ports.ts';
import { type Duration, parseDuration } from '../units.ts';
import type { JsonBounds } from './parse.ts';
import { type Check, compileSchema } from './schema.ts';

/** What a message's `authorize` gets to decide. */
export interface MessageContext<S, I extends Identity> {
  readonly identity: I;
  readonly message: S extends TSchema ? Static<S> : never;
}

/** One message type with more than its schema. */
export interface MessageRule<S, I extends Identity> {
  readonly schema: S;
  /**
   * Who may send it; only `true` allows. Once any type has a rule, a type without one is refused
   * (`message_forbidden`), unless it says `'any'`: deny by default (OWASP ASVS 5.0, 8.2).
   */
  readonly authorize?: ((context: MessageContext<S, I>) => MaybePromise<boolean>) | 'any';
  /**
   * How old the credential may be by its issue date. An older one, or one without a date, is answered with
   * `step_up_required`; the client renews and sends again. Default: as old as it is good.
   */
  readonly freshness?: Duration;
  /** Whether the session is asked for again before each message of this type. Default: `false`. */
  readonly recheck?: boolean;
}

const PASSTHROUGH: unique symbol = Symbol('passthrough');

/** Messages of a protocol that the guard does not read. */
export interface Passthrough {
  readonly [PASSTHROUGH]: true;
  readonly text: boolean;
  readonly binary: boolean;
}

/**
 * For protocols that bring their own validation: origin, authentication, size and rates are guarded, the content is
 * handed on as it came. Frames of a kind that is not named close with `frame_unsupported` (1003).
 */
export function passthrough(frames: { readonly text?: boolean; readonly binary?: boolean }): Passthrough {
  const unknown = Object.keys(frames).find((key) => key !== 'text' && key !== 'binary');
  if (unknown !== undefined)
    throw new PolicyError('passthrough()', `unknown option '${unknown}'`, "Use 'text' and 'binary'.");
  const { text = false, binary = false } = frames;
  if (!(text || binary))
    throw new PolicyError('passthrough()', 'no kind of frame is let through', 'Say { text: true }.');
  return { [PASSTHROUGH]: true, text, binary };
}

export function isPassthrough(messages: unknown): messages is Passthrough {
  return typeof messages === 'object' && messages !== null && PASSTHROUGH in messages;
}

export interface CompiledType {
  readonly name: string;
  readonly check: Check;
  readonly authorize:
    | ((context: { readonly identity: Identity; readonly message: unknown }) => MaybePromise<boolean>)
    | 'any'
    | undefined;
  /** Milliseconds. */
  readonly freshness: number | undefined;
  readonly recheck: boolean;
}

/** Everything that decides about a message, compiled once for a guard. */
export interface MessageRules {
  readonly types: ReadonlyMap<string, CompiledType>;
  readonly passthrough: Passthrough | undefined;
  /** Whether any type has an `authorize`, so that those without one are refused. */
  readonly anyRule: boolean;
  readonly maxBytes: number;
  readonly rate: RateLimit;
  readonly byteRate: RateLimit;
  readonly json: JsonBounds;
  readonly reportSchema: boolean;
  readonly reportRate: boolean;
  /** Whether an auth message renews an open connection. */
  readonly renewal: boolean;
  /** Wall-clock milliseconds, for credentials that must be fresh. */
  readonly now: () => number;
}

const RULE_OPTIONS: readonly string[] = ['schema', 'authorize', 'freshness', 'recheck'];

export function compileTypes(messages: Readonly<Record<string, unknown>>): ReadonlyMap<string, CompiledType> {
  const types = new Map<string, CompiledType>();
  for (const [name, entry] of Object.entries(messages)) {
    const option = `policy.messages.${name}`;
    const rule = isRule(entry) ? entry : { schema: entry };
    for (const key of Object.keys(rule)) {
      if (!RULE_OPTIONS.includes(key)) {
        throw new PolicyError(`${option}.${key}`, 'unknown option', `A rule has ${RULE_OPTIONS.join(', ')}.`);
      }
    }
    const { authorize } = rule as { authorize?: CompiledType['authorize'] };
    if (authorize !== undefined && authorize !== 'any' && typeof authorize !== 'function') {
      throw new PolicyError(
        `${option}.authorize`,
        'it is neither a function nor any',
        "Give a function, or 'any'.",
      );
    }
    const { freshness, recheck = false } = rule as { freshness?: Duration; recheck?: boolean };
    if (typeof recheck !== 'boolean') {
      throw new PolicyError(
        `${option}.recheck`,
        'it is neither true nor false',
        'Say true to ask before each message.',
      );
    }
    types.set(name, {
      name,
      check: compileSchema(rule.schema, name, option),
      authorize,
      freshness: freshness === undefined ? undefined : parseDuration(freshness, `${option}.freshness`),
      recheck,
    });
  }
  return types;
}

/** A rule is a plain object with a schema in it; every JSON Schema of an object has a keyword `type` instead. */
function isRule(entry: unknown): entry is { schema: unknown } {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'schema' in entry &&
    !('~kind' in entry) &&
    !('type' in entry)
  );
}

/** Permission by type: with the identity and the message, deny by default once any rule exists. */
export function isAuthorized(
  type: CompiledType,
  rules: MessageRules,
  identity: Identity,
  message: unknown,
): MaybePromise<boolean> {
  if (type.authorize === undefined) return !rules.anyRule;
  if (type.authorize === 'any') return true;
  const answer = type.authorize({ identity, message });
  return isPromise(answer) ? settled(answer).then((late) => late === true) : answer === true;
}
