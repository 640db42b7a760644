/**
 * Every reason for a denial, used before the 101 (HTTP status) and after it (close code, RFC 6455 §7.4; 44xx is the
 * HTTP status plus 4000).
 *
 * Clients learn the reason and its public text only (OWASP ASVS 5.0, 16.5.1).
 */
export interface ReasonEntry {
  /** Status of the refusal before the 101. Absent if the reason cannot occur there. */
  readonly http?: number;
  /**
   * Close code after the 101. Absent if the reason cannot occur there. `1006` is never sent: the socket is
   * terminated.
   */
  readonly close?: number;
  /** What the client is told. At most 123 bytes, which fit a close frame. */
  readonly text: string;
  /** Whether the client should try again, and with what. */
  readonly retry: 'no' | 'yes' | 'later' | 'with a new credential';
}

const table = {
  request_malformed: {
    http: 400,
    text: 'The handshake is not a well-formed WebSocket request.',
    retry: 'no',
  },
  version_unsupported: { http: 426, text: 'Only WebSocket version 13 is supported.', retry: 'no' },
  route_unknown: { http: 404, text: 'There is no WebSocket here.', retry: 'no' },
  tls_required: { http: 403, close: 4403, text: 'A secure connection (wss://) is required.', retry: 'no' },
  host_denied: { http: 403, close: 4403, text: 'This host name is not served here.', retry: 'no' },
  csrf_denied: { http: 403, close: 4403, text: 'The anti-forgery token is missing or wrong.', retry: 'no' },
  origin_denied: { http: 403, close: 4403, text: 'This origin may not connect.', retry: 'no' },
  subprotocol_denied: { http: 400, close: 4400, text: 'No offered subprotocol is supported.', retry: 'no' },
  credential_missing: { http: 401, close: 4401, text: 'Authentication is required.', retry: 'no' },
  credential_invalid: { http: 401, close: 4401, text: 'The credential is not valid.', retry: 'no' },
  credential_ambiguous: {
    http: 401,
    close: 4401,
    text: 'More than one credential was presented.',
    retry: 'no',
  },
  credential_expired: {
    http: 401,
    close: 4401,
    text: 'The credential has expired.',
    retry: 'with a new credential',
  },
  step_up_required: {
    http: 401,
    close: 4401,
    text: 'A fresh credential is required for this.',
    retry: 'with a new credential',
  },
  auth_timeout: { http: 408, close: 4408, text: 'The handshake took too long.', retry: 'yes' },
  auth_unavailable: {
    http: 503,
    close: 1013,
    text: 'Authentication is not available at the moment.',
    retry: 'later',
  },
  store_unavailable: {
    http: 503,
    close: 1013,
    text: 'The service is not available at the moment.',
    retry: 'later',
  },
  not_authorized: { http: 403, close: 4403, text: 'This is not permitted.', retry: 'no' },
  banned: { http: 403, close: 4403, text: 'This is not permitted for a while.', retry: 'later' },
  auth_attempts: {
    http: 429,
    close: 4429,
    text: 'Too many failed attempts to authenticate.',
    retry: 'later',
  },
  handshake_rate: { http: 429, close: 4429, text: 'Too many connection attempts.', retry: 'later' },
  connection_limit: { http: 429, close: 4429, text: 'Too many open connections.', retry: 'later' },
  pending_limit: {
    http: 503,
    close: 1013,
    text: 'Too many connections wait for authentication.',
    retry: 'later',
  },
  capacity: { http: 503, close: 1013, text: 'The service is at capacity.', retry: 'later' },
  message_rate: { close: 4429, text: 'Too many messages.', retry: 'later' },
  message_malformed: { close: 4400, text: 'The message could not be read.', retry: 'no' },
  message_type_unknown: { close: 4400, text: 'There is no message of this type.', retry: 'no' },
  message_invalid: { close: 4400, text: 'The message does not have the expected form.', retry: 'no' },
  message_out_of_order: { close: 4400, text: 'This message is not expected now.', retry: 'no' },
  message_forbidden: { close: 4403, text: 'This message is not permitted.', retry: 'no' },
  frame_unsupported: { close: 1003, text: 'This kind of frame is not accepted.', retry: 'no' },
  message_too_big: { close: 1009, text: 'The message is too big.', retry: 'no' },
  too_many_violations: { close: 1008, text: 'Too many messages were refused.', retry: 'no' },
  slow_consumer: { close: 1013, text: 'Messages were not read in time.', retry: 'later' },
  idle: { close: 4408, text: 'No message came for too long.', retry: 'yes' },
  unresponsive: { close: 1006, text: 'Nothing was heard for too long.', retry: 'yes' },
  lifetime: { close: 1001, text: 'The connection has reached its longest lifetime.', retry: 'yes' },
  revoked: { http: 401, close: 4401, text: 'The credential was revoked.', retry: 'no' },
  replaced: { close: 4409, text: 'A newer connection has taken the place of this one.', retry: 'no' },
  shutting_down: { http: 503, close: 1001, text: 'The service is shutting down.', retry: 'yes' },
  internal: { http: 500, close: 1011, text: 'Something went wrong.', retry: 'later' },
} as const satisfies Record<string, ReasonEntry>;

/** Why a handshake or message was denied, or a connection closed. */
export type Reason = keyof typeof table;

/** All reasons with their HTTP status, close code, public text, and whether a retry makes sense. */
export const reasons: Readonly<Record<Reason, ReasonEntry>> = table;
