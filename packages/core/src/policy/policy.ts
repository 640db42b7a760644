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

/** Lets handshakes through that the transport stage would deny, and records them. */
export const unsafeReportTransport: unique symbol = Symbol('sallyport.unsafeReportTransport');
/** Lets handshakes through that the host stage would deny, and records them. */
export const unsafeReportHost: unique symbol = Symbol('sallyport.unsafeReportHost');
/** Lets handshakes through that the origin stage would deny, and records them. */
export const unsafeReportOrigin: unique symbol = Symbol('sallyport.unsafeReportOrigin');
/** Lets handshakes through that `authorize` would deny, and records them. */
export const unsafeReportAuthorization: unique symbol = Symbol('sallyport.unsafeReportAuthorization');

/** A stage that decides and records, but lets through. */
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

/** What `authorize` gets to decide about a handshake. */
export interface AuthorizeContext<I extends Identity> {
  readonly identity: I;
  readonly request: RequestView;
}

/** When an identity or an address is banned, and for how long. */
export interface BansOption {
  /** How many of them are forgiven, counted by each process. Default: 100/m, burst 100. Beyond: `banned` (403). */
  readonly after?: RateOption;
  /** How long the first ban lasts. Default: 10 min. */
  readonly for?: Duration;
  /** How much longer than the one before each further ban lasts: a factor. Default: 2. */
  readonly growth?: number;
  /** The longest ban. Default: 1 day. */
  readonly longest?: Duration;
  /** How long after its end a ban is remembered, so that the next one grows. Default: 1 day. */
  readonly memory?: Duration;
  /**
   * Whose open connections a ban closes with `banned` (4403), on every node: those of a banned identity, of a banned
   * address as well, whoever shares it, or nobody's. Default: `'identity'`.
   */
  readonly closes?: 'identity' | 'all' | 'none';
}

/** How connections authenticate by their first message. */
export interface FirstMessageOption {
  /**
   * What is done with messages that come before it is right: the connection is closed with `credential_missing` (4401), or
   * they wait. Default: `'refuse'`.
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
  /** Who may connect, tried in this order. Required; `anonymous()` says by name that everybody may. */
  readonly auth: readonly [...{ [K in keyof I]: Authenticator<I[K]> }];
  /** May this identity connect here? Only `true` allows. Default: everybody who is authenticated. Else: `not_authorized` (403). */
  readonly authorize?: (context: AuthorizeContext<I[number]>) => MaybePromise<boolean>;
  /**
   * The messages that clients may send, by type. Required; `passthrough()` says by name that the content is not looked at.
   * Else: `message_type_unknown` (4400), as an error reply.
   */
  readonly messages: { readonly [K in keyof M]: M[K] | MessageRule<M[K], I[number]> } | Passthrough;
  /** The messages that the server sends, by type: typed in `send`, and checked there. Default: anything. */
  readonly replies?: R;
  /**
   * Whether what is sent is held against its schema in `replies`; its name is in any case. Default: `true`. Else: `send`
   * throws, and nothing is sent. Switch it off where the compiler's word is enough, such as in production.
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
   * What is done with a property that no schema names: the message is refused, or goes on without it. A schema can say
   * otherwise for an object of its own, a rule for its type. Default: `'refuse'`. Else: `message_invalid` (4400), as an error reply.
   */
  readonly unknownProperties?: UnknownProperties;
  /** The application's subprotocols. Default: none. Else: an offer of none of them is refused with `subprotocol_denied` (400). */
  readonly subprotocols?: readonly string[];
  /**
   * Whether a handshake without a credential is accepted as pending, to authenticate by its first message
   * `{ "type": "auth", "token": … }`; no handler runs before. Default: `false`.
   */
  readonly firstMessage?: boolean | FirstMessageOption;
  /**
   * Whether `{ "type": "auth", "token": … }` on an open connection renews it: same subject and session, asked of
   * `authorize` again (without `request.native`, which no connection keeps), never past `limits.lifetime`. Default: `false`.
   */
  readonly renewal?: boolean | RenewalOption;
  /** An anti-forgery token that has to come with an ambient credential. Default: none. Else: `csrf_denied` (403). */
  readonly csrf?: CsrfOption;
  /** What a denied message gets: an error reply, or the close code of its reason. Default: `'reply'`. */
  readonly onDenied?: 'reply' | 'close';
  /**
   * What a message gets whose handler, rule or schema throws or rejects: an error reply `internal`, or its close code
   * (1011). Default: `'close'`.
   */
  readonly onFault?: 'reply' | 'close';
  /**
   * What is done at `limits.buffered`: the connection is closed with `slow_consumer` (1013), or the message is not sent,
   * and `send` says `false`. Default: `'close'`.
   */
  readonly onSlowConsumer?: 'close' | 'drop';
  /**
   * What is done with messages beyond `limits.messages`, `limits.bytes`, `limits.identityMessages`, or whose `cost` is too
   * much: the connection is closed with `message_rate` (4429); or they are dropped, with an error reply at most once a
   * second, each a violation; or they wait, and the socket is not read, so that TCP pushes back and nothing is lost, for at
   * most `limits.throttle`. Default: `'close'`.
   */
  readonly onRate?: 'close' | 'drop' | 'throttle';
  /**
   * How a denial after the origin check reaches the client. Default: `'http'`. With `'close'` the socket is accepted
   * and closed at once with the reason's close code, for browsers, whose scripts cannot see an HTTP status; no
   * handler runs.
   */
  readonly rejectAs?: 'http' | 'close';
}

/** The whole policy: what every route may set, and what stands once before all of them. */
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
  /** The one forwarding header that they set; with `x-forwarded-for` goes `x-forwarded-proto`. Default: `'x-forwarded-for'`. */
  readonly forwardedHeader?: 'x-forwarded-for' | 'forwarded';
  /**
   * Whether clients have to encrypt, all the way or up to a trusted proxy; in local development on loopback they need not.
   * Default: `'tls'`. Else: `tls_required` (403).
   */
  readonly transport?: 'tls' | typeof unsafeAllowPlaintext;
  /** permessage-deflate (RFC 7692). Default: `false`. Where it is on, `limits.message` bounds the inflated size. */
  readonly compression?: boolean;
  /**
   * What happens at `limits.connectionsPerIdentity`: the new connection is refused with `connection_limit` (429), or the oldest
   * one gives way with `replaced` (4409). Default: `'reject'`.
   */
  readonly onIdentityLimit?: 'reject' | 'replace-oldest';
  readonly limits?: Limits;
  /** Stages that decide and record, but let through. Default: none. */
  readonly report?: readonly ReportOption[];
  /** Shared state, such as `redisStore(client)`. Default: the memory of this process. */
  readonly store?: Store;
  /**
   * What each check does while the store cannot answer: `'closed'` denies with `store_unavailable` (503), `'open'` lets
   * through, `'local'` counts in this process alone. Tickets are always closed, revocation once it is stale.
   */
  readonly onStoreFailure?: FailureModes;
  /**
   * Keeps out who goes on with what only the peer itself can do: failed authentications, denied messages, floods. An
   * identity where there is one, else the address; never loopback or a trusted proxy. Else: `banned` (403). `false` leaves
   * bans to `guard.bans.add`. Default: on.
   */
  readonly bans?: BansOption | false;
  /** Where warnings go; `false` for nowhere. Default: the host's own logger, else the console. */
  readonly logger?: Logger | false;
  /** Where the guard takes its time from, for tests that have a clock of their own. Default: the machine's time. */
  readonly clock?: Clock;
}

/** What `guard.extend` takes: the route's own options; whatever is left out is inherited. */
export interface ExtendOptions<I extends readonly Identity[], M, R> extends Partial<RoutePolicy<I, M, R>> {
  /** Names this route's guard in `explain` and for people. Default: the name of the guard it extends. */
  readonly name?: string;
  readonly origins?: OriginsOption;
  readonly limits?: RouteLimits;
  readonly report?: readonly Exclude<
    ReportOption,
    'rate' | typeof unsafeReportTransport | typeof unsafeReportHost
  >[];
}

/** Any policy, for code that does not care what its types infer. */
export type AnyPolicy = PolicyOptions<readonly Identity[], unknown, unknown>;
