import type { ByteRateOption, Duration, RateOption, Size } from '../vocabulary/units.ts';

/** Limits that a route may set for itself with `guard.extend`. */
export interface RouteLimits {
  /** The largest message, after reassembly and inflation. Default: 64 KiB. Beyond: closed with `message_too_big` (1009). */
  readonly message?: Size;
  /** Messages of one connection. Default: 50/s, burst 100. Beyond: `message_rate` (4429), or as `onRate` says. */
  readonly messages?: RateOption;
  /**
   * Bytes of one connection's messages. Default: 256 KiB/s, burst 1 MiB. Beyond: `message_rate` (4429), or as `onRate`
   * says. Bytes outside of messages, such as those of empty fragments, have the same limit, and close with
   * `message_rate` (4429) whatever `onRate` says.
   */
  readonly bytes?: ByteRateOption;
  /**
   * With `onRate: 'throttle'`: for how long at a stretch the socket may not be read. Messages that were already read wait, at most
   * as many as `limits.messages` allows in that time. Default: 10 s. Beyond: closed with `message_rate` (4429).
   */
  readonly throttle?: Duration;
  /** Pings and pongs of one connection. Default: 20/s, burst 50. Beyond: closed with `message_rate` (4429). */
  readonly controls?: RateOption;
  /**
   * How many frames one message may have, in addition to one for each KiB of `limits.message`. Default: 1,000. Beyond:
   * `message_too_big`, closed by ws with 1008.
   */
  readonly fragments?: number;
  /**
   * How long a peer may send nothing before it is pinged, and how long it then has to answer. Any byte counts as an answer. Time in
   * which the socket is not read does not count. `false` for never. Above 55 s the guard warns, because many proxies cut
   * sooner. Default: 25 s. Then: terminated as `unresponsive` (1006), within two of them.
   */
  readonly heartbeat?: Duration | false;
  /** How long a client may send no message. Default: none. Then: closed with `idle` (4408). */
  readonly idle?: Duration;
  /**
   * How many denied messages end a connection. With a number, one is forgiven every minute; a rate sets how many are forgiven.
   * Default: 10. Then: closed with `too_many_violations` (1008).
   */
  readonly violations?: number | RateOption;
  /** How long a connection may live, even if its credential is renewed. Default: 24 h. Then: closed with `lifetime` (1001). */
  readonly lifetime?: Duration;
  /**
   * With `firstMessage`: how long a client may take from the 101 until it has authenticated. Default: 5 s. Then:
   * `auth_timeout` (4408).
   */
  readonly pendingTimeout?: Duration;
  /** With `firstMessage`: how many auth messages may fail. Default: 3. Then: closed with the last one's reason. */
  readonly authAttempts?: number;
  /** With `firstMessage`: the largest auth message. Default: 8 KiB. Beyond: `message_too_big` (1009). */
  readonly authMessage?: Size;
  /**
   * With `firstMessage`: bytes of messages that wait for the connection to open; each counts as at least 64. Default: 16 KiB.
   * Beyond, and beyond twice as many bytes beside those of `authAttempts` auth messages: `message_too_big` (1009).
   */
  readonly pendingBytes?: Size;
  /** How many messages wait for an asynchronous handler. Default: 64. Beyond: the socket is not read until there is room. */
  readonly queuedMessages?: number;
  /**
   * Bytes that may wait to be sent to one connection that reads too slowly, the new message included.
   * Default: 1 MiB. Beyond: `slow_consumer` (1013), or as `onSlowConsumer` says.
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

/** Limits of the whole server, in addition to those of a route. */
export interface Limits extends RouteLimits {
  /**
   * How long a handshake may take, from the upgrade request to the 101, authenticators included. Default: 10 s. Beyond:
   * `auth_timeout` (408). Its headers may take as long before that, but no less than 5 s (the server's `headersTimeout`).
   */
  readonly handshakeTimeout?: Duration;
  /**
   * Handshakes in all that are not decided yet, such as those that wait for an authenticator. Each may hold its headers and
   * `limits.earlyBytes`. Default: 1,000. Beyond: `capacity` (503), before anything is looked at.
   */
  readonly handshakesUnderWay?: number;
  /** Handshakes of one address (an IPv6 /64). Default: 120/m, burst 60. Beyond: `handshake_rate` (429). */
  readonly handshakes?: RateOption;
  /** Open connections in all. Default: 10,000. Beyond: `capacity` (503). */
  readonly connections?: number;
  /**
   * Open connections of one address (an IPv6 /64). An IPv6 /56, which a household has, may hold as many in all, and a /48
   * four times as many. Default: 100. Beyond: `connection_limit` (429).
   */
  readonly connectionsPerAddress?: number;
  /** Open connections of one subject, except for `anonymous()`. Default: 20. Beyond: `connection_limit` (429). */
  readonly connectionsPerIdentity?: number;
  /**
   * Messages of one identity over all its connections on all nodes, except for `anonymous()`. Default: none. Beyond:
   * `message_rate` (4429), or as `onRate` says. With a shared `store` each node gets a part of the limit, which follows the
   * demand within about two seconds. Until then each node allows a full burst and the full rate; after that the rate holds
   * for all nodes together.
   */
  readonly identityMessages?: RateOption;
  /**
   * Failed authentications of one address (an IPv6 /64). Default: 20/m, burst 20. Beyond: `auth_attempts` (429), before any
   * cryptography.
   */
  readonly authFailures?: RateOption;
  /** Connections in all that have not sent their first message. Default: 1,000. Beyond: `pending_limit` (503). */
  readonly pending?: number;
  /**
   * Connections of one address that have not sent their first message. An IPv6 /56 may hold as many in all, and a /48 four
   * times as many. Default: 20. Beyond: `pending_limit` (503).
   */
  readonly pendingPerAddress?: number;
  /** How long one call to the store may take. Default: 500 ms. Beyond: as `onStoreFailure` says, or `store_unavailable` (503). */
  readonly storeTimeout?: Duration;
  /** How long this process may hear nothing of revocations from the store. Default: 30 s. Beyond: `store_unavailable` (503). */
  readonly revocationStaleness?: Duration;
  /** How many revocations are remembered. Default: 100,000. Beyond: `guard.revoke` rejects, after closing what it could. */
  readonly revocations?: number;
  /**
   * How long a revocation is remembered. Default: 30 days. Beyond: a credential that lives longer from its issue on is
   * `credential_invalid` (401).
   */
  readonly revocationRetention?: Duration;
  /** Headers of a handshake. Default: 100. Beyond: `request_malformed` (400). */
  readonly headerCount?: number;
  /**
   * Bytes of a handshake's headers. Node itself accepts at most 16 KiB by default. Default: 16 KiB. Beyond:
   * `request_malformed` (400).
   */
  readonly headerBytes?: Size;
  /** Subprotocols offered in a handshake. Default: 16. Beyond: `request_malformed` (400). */
  readonly offeredSubprotocols?: number;
  /** Bytes that may arrive before the 101. Default: 128 KiB. Beyond: `request_malformed` (400). */
  readonly earlyBytes?: Size;
  /**
   * Sockets at once that were accepted only to be closed with a code (`rejectAs: 'close'`). Default: 100. Beyond: refused by
   * HTTP.
   */
  readonly rejectedSockets?: number;
  /** How long a peer has to answer a closing handshake. Default: 5 s. Beyond: terminated. */
  readonly closeTimeout?: Duration;
}
