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
import type { Store } from '../vocabulary/store.ts';
import type { ByteRateOption, Duration, RateOption, Size } from '../vocabulary/units.ts';
import type { Codec } from '../wire/codec.ts';
import type { EnvelopeName } from '../wire/envelopes.ts';

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

/** Limits that a route may set for itself with `guard.extend`. */
export interface RouteLimits {
  /** The largest message, after reassembly and inflation. Default: 64 KiB. Beyond: closed with `message_too_big` (1009). */
  readonly message?: Size;
  /** Messages of one connection. Default: 50/s, burst 100. Beyond: as `onRate` says. */
  readonly messages?: RateOption;
  /**
   * Bytes of one connection's messages. Default: 256 KiB/s, burst 1 MiB. Beyond: as `onRate` says. As many bytes again that
   * belong to no message, such as empty fragments, close with `message_rate` (4429).
   */
  readonly bytes?: ByteRateOption;
  /**
   * With `onRate: 'throttle'`: how long a connection may go unread without a break. What had been read already is kept, up to
   * as many messages as may come in that time. Default: 10 s. Beyond: closed with `message_rate` (4429).
   */
  readonly throttle?: Duration;
  /** Pings and pongs of one connection. Default: 20/s, burst 50. Beyond: closed with `message_rate` (4429). */
  readonly controls?: RateOption;
  /** How many frames one message may come in, beside one for each KiB of `limits.message`. Default: 1,000. Beyond: `message_too_big`, closed by ws with 1008. */
  readonly fragments?: number;
  /**
   * How long a peer may be silent before it is pinged, and then for its answer: any byte counts, and nothing does while the
   * socket is not read. `false` for never; above 55 s proxies are quicker, which warns. Default: 25 s. Then: terminated as
   * `unresponsive` (1006), within two of them.
   */
  readonly heartbeat?: Duration | false;
  /** How long a client may send no message. Default: none. Then: closed with `idle` (4408). */
  readonly idle?: Duration;
  /**
   * How many denied messages end a connection. Of a number, one is forgiven every minute; a rate says how many otherwise.
   * Default: 10. Then: closed with `too_many_violations` (1008).
   */
  readonly violations?: number | RateOption;
  /** How long a connection may live, whatever renews it. Default: 24 h. Then: closed with `lifetime` (1001). */
  readonly lifetime?: Duration;
  /** With `firstMessage`: from the 101 until the auth message was right. Default: 5 s. Then: `auth_timeout` (4408). */
  readonly pendingTimeout?: Duration;
  /** With `firstMessage`: how many auth messages may fail. Default: 3. Then: closed with the last one's reason. */
  readonly authAttempts?: number;
  /** With `firstMessage`: the largest auth message. Default: 8 KiB. Beyond: `message_too_big` (1009). */
  readonly authMessage?: Size;
  /**
   * With `firstMessage`: bytes of messages that wait for the connection to open, each at least 64. Default: 16 KiB.
   * Beyond, and beyond twice as many bytes beside those of `authAttempts` auth messages: `message_too_big` (1009).
   */
  readonly pendingBytes?: Size;
  /** How many messages wait for an asynchronous handler. Default: 64. Beyond: the socket is not read until there is room. */
  readonly queuedMessages?: number;
  /**
   * Bytes that may wait to be sent to one connection, because it reads too slowly; what is about to be sent counts.
   * Default: 1 MiB. Beyond: as `onSlowConsumer` says.
   */
  readonly buffered?: Size;
  /** The shape of a parsed message, whatever its codec. Beyond: `message_malformed`. */
  readonly json?: {
    /** How deep arrays and objects nest. Default: 32. */
    readonly depth?: number;
    /** How many keys there are in all objects together. Default: 1,000. */
    readonly keys?: number;
    /** How many elements one array has. Default: 1,000. */
    readonly items?: number;
    /** How many UTF-16 code units one text, or bytes one `Uint8Array`, has. Default: as many as `limits.message` has bytes. */
    readonly text?: number;
    /**
     * The largest magnitude of a number. Default: 9,007,199,254,740,991. Up to that, whole numbers are exact and mean the
     * same to everybody (RFC 7493 §2.2). `1e999`, which parses to infinity, is refused in any case.
     */
    readonly number?: number;
  };
}

export interface Limits extends RouteLimits {
  /** From the upgrade request to the 101, the authenticator's wait included. Default: 10 s. Beyond: `auth_timeout` (408). */
  readonly handshakeTimeout?: Duration;
  /** Handshakes of one address (an IPv6 /64). Default: 120/m, burst 60. Beyond: `handshake_rate` (429). */
  readonly handshakes?: RateOption;
  /** Open connections in all. Default: 10,000. Beyond: `capacity` (503). */
  readonly connections?: number;
  /** Open connections of one address (an IPv6 /64). Default: 100. Beyond: `connection_limit` (429). */
  readonly connectionsPerAddress?: number;
  /** Open connections of one identity's subject, `anonymous()` excepted. Default: 20. Beyond: `connection_limit` (429). */
  readonly connectionsPerIdentity?: number;
  /**
   * Messages of one identity over all its connections, `anonymous()` excepted, on every node. Default: none. Beyond: as
   * `onRate` says. With a shared `store` each node has a part of it, which follows the demand within about two seconds: until
   * then every node lets through a burst, and what the rate gives meanwhile; from then on all of them the rate at most.
   */
  readonly identityMessages?: RateOption;
  /** Failed authentications of one address (an IPv6 /64). Default: 20/m, burst 20. Beyond: `auth_attempts` (429), before any cryptography. */
  readonly authFailures?: RateOption;
  /** Connections in all that have not sent their first message. Default: 1,000. Beyond: `pending_limit` (503). */
  readonly pending?: number;
  /** Connections of one address that have not sent their first message. Default: 20. Beyond: `pending_limit` (503). */
  readonly pendingPerAddress?: number;
  /** How long one call to the store may take. Default: 500 ms. Beyond: as `onStoreFailure` says. */
  readonly storeTimeout?: Duration;
  /** How long this process may be without news of revocations. Default: 30 s. Beyond: `store_unavailable` (503). */
  readonly revocationStaleness?: Duration;
  /** How many revocations are remembered. Default: 100,000. Beyond: `guard.revoke` rejects, after closing what it could. */
  readonly revocations?: number;
  /** How long a revocation is remembered. Default: 30 days. A credential that lives longer from its issue on is `credential_invalid`. */
  readonly revocationRetention?: Duration;
  /** Headers of a handshake. Default: 100. Beyond: `request_malformed` (400). */
  readonly headerCount?: number;
  /** Bytes of a handshake's headers. Default: 16 KiB, which is also Node's. Beyond: `request_malformed` (400). */
  readonly headerBytes?: Size;
  /** Subprotocols offered in a handshake. Default: 16. Beyond: `request_malformed` (400). */
  readonly offeredSubprotocols?: number;
  /** Bytes that may arrive before the 101. Default: 128 KiB. Beyond: `request_malformed` (400). */
  readonly earlyBytes?: Size;
  /** Sockets at once that were accepted only to be closed with a code (`rejectAs: 'close'`). Default: 100. Beyond: refused by HTTP. */
  readonly rejectedSockets?: number;
  /** How long a peer has to answer a closing handshake. Default: 5 s. Beyond: terminated. */
  readonly closeTimeout?: Duration;
}

/** When somebody is banned, and for how long. */
export interface BansOption {
  /** How much of it is borne. Default: 100/m, burst 100, counted by each process. */
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

/** Options that every route may set for itself. */
export interface RoutePolicy<I extends readonly Identity[], M, R> {
  /** Who may connect, tried in this order. Required; `anonymous()` says by name that everybody may. */
  readonly auth: readonly [...{ [K in keyof I]: Authenticator<I[K]> }];
  /** May this identity connect here? Only `true` allows. Default: whoever is authenticated may. Else: `not_authorized` (403). */
  readonly authorize?: (context: AuthorizeContext<I[number]>) => MaybePromise<boolean>;
  /**
   * The messages that clients may send, by type; everything else is refused. Required; `passthrough()` says by name
   * that the content is not looked at.
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
   * otherwise for an object of its own, a rule for its type. Default: `'refuse'`.
   */
  readonly unknownProperties?: UnknownProperties;
  /** The application's subprotocols. Default: none, so that an offer of some is refused with `subprotocol_denied`. */
  readonly subprotocols?: readonly string[];
  /**
   * Whether a handshake without a credential is accepted as pending, to authenticate by its first message
   * `{ "type": "auth", "token": … }`; no handler runs before. Messages that come earlier close with
   * `credential_missing`, or with `{ early: 'queue' }` wait. Default: `false`.
   */
  readonly firstMessage?: boolean | { readonly early?: 'refuse' | 'queue' };
  /**
   * Whether `{ "type": "auth", "token": … }` on an open connection renews it: same subject and session, asked of
   * `authorize` again (without `request.native`, which no connection keeps), never past `limits.lifetime`. With
   * `notice`, the client is sent `auth_expiring` so long before the end. Default: `false`.
   */
  readonly renewal?: boolean | { readonly notice?: Duration };
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
  /** Names this guard in events. Default: `default`. */
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
  /** The one forwarding header that they set; with `x-forwarded-for` goes `x-forwarded-proto`. Default: `x-forwarded-for`. */
  readonly forwardedHeader?: 'x-forwarded-for' | 'forwarded';
  /** Default: `'tls'`: plaintext is refused with `tls_required` (403), except in local development on loopback. */
  readonly transport?: 'tls' | typeof unsafeAllowPlaintext;
  /** permessage-deflate (RFC 7692). Default: `false`. Where it is on, `limits.message` bounds the inflated size. */
  readonly compression?: boolean;
  /**
   * What happens at `limits.connectionsPerIdentity`: the new connection is refused, or the oldest one gives way with
   * `replaced` (4409). Default: `'reject'`.
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
  /** Where warnings go. Default: the host's own logger, else the console; `false` for nowhere. */
  readonly logger?: Logger | false;
  /** Default: the machine's time. */
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
