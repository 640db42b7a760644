import type { Authenticator } from '../auth/authenticator.ts';
import type { CsrfOption } from '../auth/csrf.ts';
import type { OriginsOption } from '../handshake/origin.ts';
import type { unsafeAllowPlaintext } from '../handshake/transport.ts';
import type { FailureModes } from '../limits/store-fallback.ts';
import type { Passthrough } from '../message/passthrough.ts';
import type { MessageRule } from '../message/rules.ts';
import type { UnknownProperties } from '../message/schema.ts';
import type { MaybePromise } from '../vocabulary/decision.ts';
import type { Clock, Identity, Logger, RequestView } from '../vocabulary/ports.ts';
import type { Store } from '../vocabulary/store-contract.ts';
import type { Duration, RateOption } from '../vocabulary/units.ts';
import type { Codec } from '../wire/codec.ts';
import type { EnvelopeName } from '../wire/envelopes.ts';
import type { Limits, RouteLimits } from './limits.ts';

/** Admits handshakes that the transport stage would deny, and reports them. */
export const unsafeReportTransport: unique symbol = Symbol('sallyport.unsafeReportTransport');
/** Admits handshakes that the host stage would deny, and reports them. */
export const unsafeReportHost: unique symbol = Symbol('sallyport.unsafeReportHost');
/** Admits handshakes that the origin stage would deny, and reports them. */
export const unsafeReportOrigin: unique symbol = Symbol('sallyport.unsafeReportOrigin');
/** Admits handshakes that `authorize` would deny, and reports them. */
export const unsafeReportAuthorization: unique symbol = Symbol('sallyport.unsafeReportAuthorization');

/** A stage that only reports what it would deny. */
export type ReportOption =
  | 'rate'
  | 'subprotocol'
  | 'message-rate'
  | 'schema'
  | 'sanitize'
  | typeof unsafeReportTransport
  | typeof unsafeReportHost
  | typeof unsafeReportOrigin
  | typeof unsafeReportAuthorization;

/** The argument of `policy.authorize`. */
export interface AuthorizeContext<I extends Identity> {
  readonly identity: I;
  readonly request: RequestView;
}

/** When an identity or an address is banned, and for how long. */
export interface BansOption {
  /** How many offences are forgiven, counted by each process. Default: 100/m, burst 100. Beyond: `banned` (403). */
  readonly after?: RateOption;
  /** How long the first ban lasts. Default: 10 min. */
  readonly for?: Duration;
  /** The factor by which each further ban lasts longer than the one before. Default: 2. */
  readonly growth?: number;
  /** The longest ban. Default: 1 day. */
  readonly longest?: Duration;
  /** How long after its end a ban still makes the next one longer. Default: 1 day. */
  readonly memory?: Duration;
  /**
   * Which open connections a ban closes with `banned` (4403), on every node: `'identity'` those of a banned identity, `'all'`
   * also those of a banned address, which several users may share, `'none'` no connections. Default: `'identity'`.
   */
  readonly closes?: 'identity' | 'all' | 'none';
}

/** How connections authenticate by their first message. */
export interface FirstMessageOption {
  /**
   * What happens to messages that come before the client has authenticated: `'refuse'` closes with `credential_missing`
   * (4401), `'queue'` lets them wait. Default: `'refuse'`.
   */
  readonly early?: 'refuse' | 'queue';
}

/** How open connections renew their credential. */
export interface RenewalOption {
  /** How long before its credential ends a client is sent `auth_expiring`. Default: none. */
  readonly notice?: Duration;
}

/** Options that every route may set for itself. */
export interface RoutePolicy<I extends readonly Identity[], M, R> {
  /** The authenticators, tried in this order. Required; `anonymous()` admits everybody. */
  readonly auth: readonly [...{ [K in keyof I]: Authenticator<I[K]> }];
  /**
   * Decides whether an identity may connect. Only `true` allows. Default: everybody who is authenticated. Else:
   * `not_authorized` (403).
   */
  readonly authorize?: (context: AuthorizeContext<I[number]>) => MaybePromise<boolean>;
  /**
   * The messages that clients may send, by type. Required; with `passthrough()` the guard does not read them.
   * Else: `message_type_unknown` (4400), as an error reply.
   */
  readonly messages: { readonly [K in keyof M]: M[K] | MessageRule<M[K], I[number]> } | Passthrough;
  /** The messages that the server sends, by type: typed in `send`, and checked there. Default: anything. */
  readonly replies?: R;
  /**
   * Whether a sent body is checked against its schema in `replies`; its name is always checked. Default: `true`. Else: `send`
   * throws, and nothing is sent. Switch it off where the compiler's check is enough, such as in production.
   */
  readonly checkReplies?: boolean;
  /**
   * How a message is written: `'flat'` is `{ type, …body }`, `'nested'` is `{ type, data, id? }`, `'json-rpc'` is JSON-RPC
   * 2.0. Default: `'flat'`.
   */
  readonly envelope?: EnvelopeName;
  /** What reads and writes messages instead of JSON. Default: none. */
  readonly codec?: Codec;
  /**
   * What happens to a property that no schema names: `'refuse'` refuses the message, `'strip'` removes the property. A rule can
   * set this for its type, a schema for one object. Default: `'refuse'`. Else: `message_invalid` (4400), as an error reply.
   */
  readonly unknownProperties?: UnknownProperties;
  /**
   * The subprotocols that the server selects from. Default: none. Else: an offer without any of them is refused with
   * `subprotocol_denied` (400).
   */
  readonly subprotocols?: readonly string[];
  /**
   * Whether a client without a credential is accepted as pending, and authenticates by its first message
   * `{ "type": "auth", "token": … }`. No handler runs before. Default: `false`.
   */
  readonly firstMessage?: boolean | FirstMessageOption;
  /**
   * Whether `{ "type": "auth", "token": … }` on an open connection renews its credential, for the same scheme, issuer, subject
   * and session. `authorize` is called again, without `request.native`. `limits.lifetime` still applies. Default: `false`.
   */
  readonly renewal?: boolean | RenewalOption;
  /**
   * An anti-forgery token that is required with a credential that browsers attach themselves. Default: none. Else:
   * `csrf_denied` (403).
   */
  readonly csrf?: CsrfOption;
  /** What follows a denied message: an error reply, or a close with the code of the reason. Default: `'reply'`. */
  readonly onDenied?: 'reply' | 'close';
  /**
   * What follows when a message's handler, rule or schema throws or rejects: the error reply `internal`, or its close code
   * (1011). Default: `'close'`.
   */
  readonly onFault?: 'reply' | 'close';
  /**
   * What happens at `limits.buffered`: `'close'` closes with `slow_consumer` (1013), `'drop'` does not send the message. In both
   * cases `send` returns `false`. Default: `'close'`.
   */
  readonly onSlowConsumer?: 'close' | 'drop';
  /**
   * What happens to messages beyond `limits.messages`, `limits.bytes` or `limits.identityMessages`, their `cost` included.
   * `'close'` closes with `message_rate` (4429). `'drop'` drops them; at most once a second an error reply is sent, which counts
   * as a violation. `'throttle'` delays them, for at most `limits.throttle`, and does not read the socket meanwhile, so that TCP
   * holds the sender back and nothing is lost. Default: `'close'`.
   */
  readonly onRate?: 'close' | 'drop' | 'throttle';
  /**
   * How a denial after the origin check is sent. Default: `'http'`. `'close'` accepts the socket and closes it at once with the
   * reason's close code, because scripts in browsers cannot see an HTTP status. No handler runs.
   */
  readonly rejectAs?: 'http' | 'close';
}

/** The whole policy: the options of a route, and those of the whole server. */
export interface PolicyOptions<I extends readonly Identity[], M, R> extends RoutePolicy<I, M, R> {
  /** Names this guard in events. Default: `'default'`. */
  readonly name?: string;
  /**
   * The pages that may connect: exact origins, `*` for one whole label, or a function. Default: the same origin only.
   * Else: `origin_denied` (403).
   */
  readonly origins?: OriginsOption;
  /**
   * The names this server answers to, as `Host` headers, with or without a port. Default: loopback names only, or any
   * once `origins` is stated. Else: `host_denied` (403).
   */
  readonly hosts?: readonly string[];
  /** Proxies whose forwarding header counts, as addresses or CIDR ranges; `'unix'` for Unix sockets. Default: none. */
  readonly trustedProxies?: readonly string[];
  /**
   * The one forwarding header that the trusted proxies set. `x-forwarded-for` includes `x-forwarded-proto`. Default:
   * `'x-forwarded-for'`.
   */
  readonly forwardedHeader?: 'x-forwarded-for' | 'forwarded';
  /**
   * Whether clients must use TLS, up to this server or to a trusted proxy. Local development on loopback is exempt.
   * Default: `'tls'`. Else: `tls_required` (403).
   */
  readonly transport?: 'tls' | typeof unsafeAllowPlaintext;
  /** permessage-deflate (RFC 7692). Default: `false`. If on, `limits.message` bounds the inflated size. */
  readonly compression?: boolean;
  /**
   * What happens at `limits.connectionsPerIdentity`: the new connection is refused with `connection_limit` (429), or the oldest
   * one is closed with `replaced` (4409). Default: `'reject'`.
   */
  readonly onIdentityLimit?: 'reject' | 'replace-oldest';
  readonly limits?: Limits;
  /** Stages that only report what they would deny. Default: none. */
  readonly report?: readonly ReportOption[];
  /** Shared state, such as `redisStore(client)`. Default: the memory of this process. */
  readonly store?: Store;
  /**
   * What each check does while the store does not answer: `'closed'` denies with `store_unavailable` (503), `'open'` allows,
   * `'local'` counts in this process only. Tickets are always refused, and all credentials once
   * `limits.revocationStaleness` is over.
   */
  readonly onStoreFailure?: FailureModes;
  /**
   * Bans after too many offences, which are failed authentications, denied messages and floods. The identity is banned, or the
   * address if there is none; never loopback or a trusted proxy. Else: `banned` (403). With `false` only `guard.bans.add` bans.
   * Default: on.
   */
  readonly bans?: BansOption | false;
  /** Where warnings go; `false` for nowhere. Default: the host's own logger, else the console. */
  readonly logger?: Logger | false;
  /** The clock that the guard reads, for tests with a clock of their own. Default: the machine's time. */
  readonly clock?: Clock;
}

/** The options of `guard.extend`. Those that you leave out are inherited. */
export interface ExtendOptions<I extends readonly Identity[], M, R> extends Partial<RoutePolicy<I, M, R>> {
  /** Names this route's guard in `guard.name` and `console.log`. Default: the name of the guard that it extends. */
  readonly name?: string;
  readonly origins?: OriginsOption;
  readonly limits?: RouteLimits;
  readonly report?: readonly Exclude<
    ReportOption,
    'rate' | typeof unsafeReportTransport | typeof unsafeReportHost
  >[];
}

/** Any policy, for code that does not need its inferred types. */
export type AnyPolicy = PolicyOptions<readonly Identity[], unknown, unknown>;
