import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import { oneOf, refuseUnknown, stringList } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { ConnectionView, Identity } from '../vocabulary/ports.ts';
import type { MessageOf } from '../vocabulary/schema-types.ts';
import type { RateLimit } from '../vocabulary/store.ts';
import {
  type Duration,
  parseCount,
  parseDuration,
  parseRate,
  parseSize,
  type RateOption,
  type Size,
} from '../vocabulary/units.ts';
import type { Codec } from '../wire/codec.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Check } from './check.ts';
import { compileCheck } from './compile.ts';
import type { ValueBounds } from './parse.ts';
import type { Passthrough } from './passthrough.ts';
import type { UnknownProperties } from './schema.ts';

/** What a message's `authorize` gets to decide. */
export interface MessageContext<S, I extends Identity> {
  readonly identity: I;
  /** As it is handed on: after its schema, stripped and sanitized. */
  readonly message: MessageOf<S>;
  /** The connection that it came on. */
  readonly connection: ConnectionView;
}

/** One message type with more than its schema. */
export interface MessageRule<S, I extends Identity> {
  /** TypeBox, plain JSON Schema, or any Standard Schema (zod, valibot, arktype). */
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
  /** How often one connection may send it. Default: as often as `limits.messages` allows. Beyond: `message_rate`, as an answer. */
  readonly rate?: RateOption;
  /** How many messages it counts as in `limits.messages`. Default: 1. */
  readonly cost?: number;
  /** The largest message of this type, in bytes. Default: `limits.message`. Beyond: `message_too_big`, as an answer. */
  readonly size?: Size;
  /**
   * Types of which each must have been handled on this connection before: an order of steps, for protocols that have one.
   * Default: none. Before: `message_out_of_order`.
   */
  readonly after?: readonly string[];
  /** Whether a connection may send it once only. Default: `false`. The second time: `message_out_of_order`. */
  readonly once?: boolean;
  /** Overrides `policy.unknownProperties` for this type. */
  readonly unknownProperties?: UnknownProperties;
}

export interface CompiledType {
  readonly name: string;
  readonly check: Check;
  readonly authorize:
    | ((context: {
        readonly identity: Identity;
        readonly message: unknown;
        readonly connection: ConnectionView;
      }) => MaybePromise<boolean>)
    | 'any'
    | undefined;
  /** Milliseconds. */
  readonly freshness: number | undefined;
  readonly recheck: boolean;
  readonly rate: RateLimit | undefined;
  readonly cost: number;
  /** Bytes. */
  readonly size: number;
  readonly after: readonly string[];
  readonly once: boolean;
  /** Whether somebody wants to know that it has been handled. */
  isStep: boolean;
}

/** Everything that decides about a message, compiled once for a guard. */
export interface MessageRules {
  readonly types: ReadonlyMap<unknown, CompiledType>;
  readonly passthrough: Passthrough | undefined;
  readonly envelope: Envelope;
  /** JSON where there is none. */
  readonly codec: Codec | undefined;
  /** Whether any type has an `authorize`, so that those without one are refused. */
  readonly anyRule: boolean;
  readonly maxBytes: number;
  readonly rate: RateLimit;
  readonly byteRate: RateLimit;
  readonly bounds: ValueBounds;
  readonly reportSchema: boolean;
  readonly reportSanitize: boolean;
  readonly reportRate: boolean;
  /** Whether an auth message renews an open connection. */
  readonly renewal: boolean;
  /** Wall-clock milliseconds, for credentials that must be fresh. */
  readonly now: () => number;
  /** Monotonic milliseconds, for the rates of types. */
  readonly monotonic: () => number;
}

const RULE_OPTIONS: readonly string[] = [
  'schema',
  'authorize',
  'freshness',
  'recheck',
  'rate',
  'cost',
  'size',
  'after',
  'once',
  'unknownProperties',
];

/** What holds for all types of a policy. */
export interface TypeDefaults {
  readonly mergesType: boolean;
  readonly unknownProperties: UnknownProperties;
  readonly maxBytes: number;
  readonly bounds: ValueBounds;
  /** Whether messages may hold bytes. */
  readonly bytes: boolean;
  /** How many messages may come at once. */
  readonly burst: number;
}

export function compileTypes(
  messages: Readonly<Record<string, unknown>>,
  defaults: TypeDefaults,
): ReadonlyMap<string, CompiledType> {
  const types = new Map<string, CompiledType>();
  for (const [name, entry] of Object.entries(messages)) {
    types.set(name, compileType(name, isRule(entry) ? entry : { schema: entry }, defaults));
  }
  for (const { name, after } of types.values()) linkSteps(name, after, types);
  return types;
}

type AnyRule = Partial<MessageRule<unknown, Identity>> & { readonly schema: unknown };

function compileType(name: string, rule: AnyRule, defaults: TypeDefaults): CompiledType {
  const option = `policy.messages.${name}`;
  refuseUnknown(rule, RULE_OPTIONS, option);
  const { authorize, freshness, recheck = false, rate, cost = 1, size, after, once = false } = rule;
  if (authorize !== undefined && authorize !== 'any' && typeof authorize !== 'function') {
    throw new PolicyError(
      `${option}.authorize`,
      'it is neither a function nor any',
      "Give a function, or 'any'.",
    );
  }
  oneOf(recheck, [true, false], `${option}.recheck`);
  oneOf(once, [true, false], `${option}.once`);
  oneOf(rule.unknownProperties, ['refuse', 'strip'], `${option}.unknownProperties`);
  stringList(after, `${option}.after`);
  const { mergesType, unknownProperties, maxBytes, bytes: holdsBytes, burst } = defaults;
  // The envelope around a body is one level by itself.
  const bounds = mergesType ? defaults.bounds : { ...defaults.bounds, depth: defaults.bounds.depth - 1 };
  const bytes = size === undefined ? maxBytes : parseSize(size, `${option}.size`);
  if (bytes > maxBytes) {
    throw new PolicyError(
      `${option}.size`,
      'it is above limits.message',
      'Raise limits.message, or lower it.',
    );
  }
  if (parseCount(cost, `${option}.cost`) > burst) {
    throw new PolicyError(
      `${option}.cost`,
      'it is above the burst of limits.messages, so that it could never be paid',
      'Raise limits.messages.burst, or lower it.',
    );
  }
  return {
    name,
    check: compileCheck(rule.schema, {
      type: mergesType ? name : undefined,
      option,
      unknown: rule.unknownProperties ?? unknownProperties,
      bounds,
      bytes: holdsBytes,
    }),
    authorize: authorize as CompiledType['authorize'],
    freshness: freshness === undefined ? undefined : parseDuration(freshness, `${option}.freshness`),
    recheck,
    rate: rate === undefined ? undefined : parseRate(rate, `${option}.rate`),
    cost,
    size: bytes,
    after: after ?? [],
    once,
    isStep: once,
  };
}

/** Marks the types that others wait for. */
function linkSteps(name: string, after: readonly string[], types: ReadonlyMap<string, CompiledType>): void {
  for (const step of after) {
    const type = types.get(step);
    if (type === undefined || step === name) {
      throw new PolicyError(
        `policy.messages.${name}.after`,
        `'${step}' is no other message of the policy`,
        'Name one that can be sent before.',
      );
    }
    type.isStep = true;
  }
}

/** A rule is a plain object with a schema in it; every JSON Schema of an object has a keyword `type` instead. */
function isRule(entry: unknown): entry is AnyRule {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'schema' in entry &&
    !('~kind' in entry) &&
    !('~standard' in entry) &&
    !('type' in entry)
  );
}

/** Permission by type: with the identity and the message, deny by default once any rule exists. */
export function isAuthorized(
  type: CompiledType,
  rules: MessageRules,
  connection: ConnectionView,
  message: unknown,
): MaybePromise<boolean> {
  if (type.authorize === undefined) return !rules.anyRule;
  if (type.authorize === 'any') return true;
  const answer = type.authorize({ identity: connection.identity, message, connection });
  return isPromise(answer) ? settled(answer).then((late) => late === true) : answer === true;
}
