import type { Reason } from './reasons.ts';

/** The severity of an event in the OWASP Logging Vocabulary. */
export type EventLevel = 'INFO' | 'WARN' | 'CRITICAL';

/** The vocabulary's names for what a guard reports, with their levels. */
const LEVELS = {
  authn_login_success: 'INFO',
  authn_login_fail: 'WARN',
  authn_login_fail_max: 'WARN',
  authn_login_lock: 'WARN',
  authn_token_reuse: 'CRITICAL',
  authz_fail: 'CRITICAL',
  excess_rate_limit_exceeded: 'WARN',
  input_validation_fail: 'WARN',
  malicious_cors: 'CRITICAL',
  malicious_extraneous: 'CRITICAL',
  sequence_fail: 'CRITICAL',
  session_created: 'INFO',
  session_renewed: 'INFO',
  session_expired: 'INFO',
  session_use_after_expire: 'CRITICAL',
  sys_monitor_disabled: 'WARN',
  sys_monitor_enabled: 'WARN',
} as const satisfies Record<string, EventLevel>;

/** A name of the OWASP Logging Vocabulary, without the parameters that a log adds to it. */
export type OwaspEvent = keyof typeof LEVELS;

/** The name and level of an event in the OWASP Logging Vocabulary. */
export interface OwaspName {
  /** `undefined` if the vocabulary has no name for the event. */
  readonly owasp: OwaspEvent | undefined;
  readonly level: EventLevel;
}

/** A shutdown, a fault or an unavailable service is no attack and has no name. */
const DENIALS: Record<Reason, OwaspEvent | undefined> = {
  request_malformed: 'input_validation_fail',
  version_unsupported: 'input_validation_fail',
  route_unknown: 'input_validation_fail',
  subprotocol_denied: 'input_validation_fail',
  tls_required: 'authz_fail',
  host_denied: 'malicious_cors',
  origin_denied: 'malicious_cors',
  csrf_denied: 'malicious_cors',
  credential_missing: 'authn_login_fail',
  credential_invalid: 'authn_login_fail',
  credential_ambiguous: 'authn_login_fail',
  credential_expired: 'session_use_after_expire',
  step_up_required: 'authz_fail',
  auth_timeout: 'authn_login_fail',
  auth_attempts: 'authn_login_fail_max',
  auth_unavailable: undefined,
  store_unavailable: undefined,
  not_authorized: 'authz_fail',
  banned: 'authz_fail',
  revoked: 'authn_token_reuse',
  handshake_rate: 'excess_rate_limit_exceeded',
  connection_limit: 'excess_rate_limit_exceeded',
  message_rate: 'excess_rate_limit_exceeded',
  capacity: 'excess_rate_limit_exceeded',
  pending_limit: 'excess_rate_limit_exceeded',
  slow_consumer: 'excess_rate_limit_exceeded',
  message_malformed: 'input_validation_fail',
  message_type_unknown: 'malicious_extraneous',
  message_invalid: 'input_validation_fail',
  frame_unsupported: 'input_validation_fail',
  message_too_big: 'input_validation_fail',
  message_forbidden: 'authz_fail',
  message_out_of_order: 'sequence_fail',
  too_many_violations: 'malicious_extraneous',
  replaced: 'session_expired',
  idle: 'session_expired',
  unresponsive: 'session_expired',
  lifetime: 'session_expired',
  shutting_down: undefined,
  internal: undefined,
};

const OTHERS = {
  'handshake.admitted': 'authn_login_success',
  'connection.opened': 'session_created',
  'connection.renewed': 'session_renewed',
  'connection.closed': 'session_expired',
  'ban.imposed': 'authn_login_lock',
  'ban.lifted': undefined,
  'store.failing': 'sys_monitor_disabled',
  'store.recovered': 'sys_monitor_enabled',
  fault: undefined,
} as const satisfies Record<string, OwaspEvent | undefined>;

/** Levels of events without a name. */
const UNNAMED: Readonly<Record<string, EventLevel>> = { 'ban.lifted': 'INFO', fault: 'CRITICAL' };

/** The name of an event in the OWASP Logging Vocabulary (OWASP Cheat Sheet Series). */
export function owaspName(event: string, reason: Reason | undefined): OwaspName {
  const owasp = event in OTHERS ? OTHERS[event as keyof typeof OTHERS] : reason && DENIALS[reason];
  return { owasp, level: owasp === undefined ? (UNNAMED[event] ?? 'WARN') : LEVELS[owasp] };
}
