import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { ConnectionView, Identity } from '../vocabulary/ports.ts';
import type { MessageOf } from '../vocabulary/schema-types.ts';
import type { RateLimit } from '../vocabulary/store-contract.ts';
import type { Duration, RateOption, Size } from '../vocabulary/units.ts';
import type { Codec } from '../wire/codec.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Check } from './check.ts';
import { compileCheck } from './compile.ts';
import type { ValueBounds } from './parse.ts';
import type { Passthrough } from './passthrough.ts';
import type { UnknownProperties } from './schema.ts';

/** The argument of a message type's `authorize`. */
export interface MessageContext<S, I extends Identity> {
  readonly identity: I;
  /** The body as handlers get it: validated, stripped and sanitized. */
  readonly message: MessageOf<S>;
  /** The connection that sent it. */
  readonly connection: ConnectionView;
}

/** One message type: its schema and further options. */
export interface MessageRule<S, I extends Identity> {
  /**
   * TypeBox, plain JSON Schema, or any Standard Schema (zod, valibot, arktype). Else: `message_invalid` (4400), as an
   * error reply.
   */
  readonly schema: S;
  /**
   * Decides who may send it; only `true` allows. If any type has `authorize`, types without it are refused: deny by default
   * (OWASP ASVS 5.0, 8.2). `'any'` allows everybody. Default: everybody, unless another type has one. Else:
   * `message_forbidden` (4403), as an error reply.
   */
  readonly authorize?: ((context: MessageContext<S, I>) => MaybePromise<boolean>) | 'any';
  /**
   * How old the credential may be by its issue date. A message with an older credential, or one without a date, is
   * answered with `step_up_required`. The client then renews its credential and sends the message again. Default: as old as it is good.
   */
  readonly freshness?: Duration;
  /**
   * Whether the session is checked again before each message of this type. Default: `false`. Else: `revoked` (4401).
   */
  readonly recheck?: boolean;
  /**
   * How often one connection may send it. Default: as often as `limits.messages` allows. Beyond: `message_rate`, as
   * an answer.
   */
  readonly rate?: RateOption;
  /**
   * As how many messages it counts in `limits.messages`. Default: 1; 10 if the schema has a `safeHtml()`, but at most the burst of
   * `limits.messages`. Beyond: `message_rate` (4429), or as `onRate` says.
   */
  readonly cost?: number;
  /** The largest message of this type, in bytes. Default: `limits.message`. Beyond: `message_too_big`, as an answer. */
  readonly size?: Size;
  /**
   * Types of which a message must have been handled on this connection before, for an order of steps. Default: none.
   * Before: `message_out_of_order`.
   */
  readonly after?: readonly string[];
  /** Whether a connection may send it only once. Default: `false`. Beyond: `message_out_of_order`. */
  readonly once?: boolean;
  /**
   * What happens to a property that the schema does not name. Default: as `unknownProperties` of the policy. Else:
   * `message_invalid` (4400), as an error reply.
   */
  readonly unknownProperties?: UnknownProperties;
}

/** Decides whether one message is allowed. Only `true` allows. */
export type AuthorizeMessage = (context: {
  readonly identity: Identity;
  readonly message: unknown;
  readonly connection: ConnectionView;
}) => MaybePromise<boolean>;

/** A message type with all its options read. */
export interface TypeSettings {
  readonly schema: unknown;
  readonly authorize: AuthorizeMessage | 'any' | undefined;
  /** Milliseconds. */
  readonly freshness: number | undefined;
  readonly recheck: boolean;
  readonly rate: RateLimit | undefined;
  readonly cost: number;
  /** Bytes. */
  readonly size: number | undefined;
  readonly after: readonly string[] | undefined;
  readonly once: boolean;
  readonly unknownProperties: UnknownProperties | undefined;
}

export interface CompiledType
  extends Pick<TypeSettings, 'authorize' | 'freshness' | 'recheck' | 'rate' | 'cost' | 'once'> {
  readonly name: string;
  readonly check: Check;
  /** Bytes. */
  readonly size: number;
  readonly after: readonly string[];
  /** Whether its order matters. */
  isStep: boolean;
}

/** What decides about messages, compiled once for a guard. */
export interface MessageRules {
  readonly types: ReadonlyMap<unknown, CompiledType>;
  readonly passthrough: Passthrough | undefined;
  readonly envelope: Envelope;
  /** `undefined` for JSON. */
  readonly codec: Codec | undefined;
  /** Whether any type has an `authorize`. Then types without one are refused. */
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
  /** Milliseconds since the epoch, for the age of credentials. */
  readonly now: () => number;
  /** Monotonic milliseconds, for rates. */
  readonly monotonic: () => number;
}

export interface TypeDefaults {
  readonly mergesType: boolean;
  readonly unknownProperties: UnknownProperties;
  readonly maxBytes: number;
  readonly bounds: ValueBounds;
  readonly bytes: boolean;
}

export function compileTypes(
  messages: ReadonlyMap<string, TypeSettings>,
  defaults: TypeDefaults,
): ReadonlyMap<string, CompiledType> {
  const types = new Map<string, CompiledType>();
  for (const [name, settings] of messages) types.set(name, compileType(name, settings, defaults));
  for (const { after } of types.values()) {
    for (const step of after) (types.get(step) as CompiledType).isStep = true;
  }
  return types;
}

function compileType(name: string, settings: TypeSettings, defaults: TypeDefaults): CompiledType {
  const { authorize, freshness, recheck, rate, cost, size, after = [], once } = settings;
  const { mergesType, unknownProperties, maxBytes, bytes } = defaults;
  // The envelope around a body is one level of its own.
  const bounds = mergesType ? defaults.bounds : { ...defaults.bounds, depth: defaults.bounds.depth - 1 };
  return {
    name,
    check: compileCheck(settings.schema, {
      type: mergesType ? name : undefined,
      option: `policy.messages.${name}`,
      unknown: settings.unknownProperties ?? unknownProperties,
      bounds,
      bytes,
    }),
    authorize,
    freshness,
    recheck,
    rate,
    cost,
    size: size ?? maxBytes,
    after,
    once,
    isStep: once,
  };
}

/** Deny by default: once any type has a rule, types without one are refused. */
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
