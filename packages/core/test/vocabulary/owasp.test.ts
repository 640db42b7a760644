import { describe, expect, test } from '@jest/globals';
import { eventNames, type Reason } from '@sallyport/core';
import { owaspName } from '../../src/vocabulary/owasp.ts';
import { reasons } from '../../src/vocabulary/reasons.ts';

// The OWASP Logging Vocabulary as it was published in 2025, with its levels, as far as it is about more than files and users.
const VOCABULARY: Readonly<Record<string, string>> = {
  authn_login_success: 'INFO',
  authn_login_successafterfail: 'INFO',
  authn_login_fail: 'WARN',
  authn_login_fail_max: 'WARN',
  authn_login_lock: 'WARN',
  authn_impossible_travel: 'CRITICAL',
  authn_token_created: 'INFO',
  authn_token_revoked: 'INFO',
  authn_token_reuse: 'CRITICAL',
  authz_fail: 'CRITICAL',
  authz_change: 'WARN',
  excess_rate_limit_exceeded: 'WARN',
  input_validation_fail: 'WARN',
  input_validation_discrete_fail: 'WARN',
  malicious_excess_404: 'WARN',
  malicious_extraneous: 'CRITICAL',
  malicious_cors: 'CRITICAL',
  malicious_direct_reference: 'CRITICAL',
  sequence_fail: 'CRITICAL',
  session_created: 'INFO',
  session_renewed: 'INFO',
  session_expired: 'INFO',
  session_use_after_expire: 'CRITICAL',
  sys_startup: 'WARN',
  sys_shutdown: 'WARN',
  sys_crash: 'WARN',
  sys_monitor_disabled: 'WARN',
  sys_monitor_enabled: 'WARN',
};

const DENIED = ['handshake.denied', 'handshake.reported', 'message.denied', 'message.reported'] as const;
/** What nobody has attempted: a stop, a fault, or a service that is away. */
const NOBODY: readonly string[] = ['auth_unavailable', 'store_unavailable', 'shutting_down', 'internal'];

describe.each(Object.keys(reasons) as Reason[])('a denial as %s', (reason) => {
  test.each(DENIED)(
    'event %s with this reason has a name and level of the OWASP vocabulary, or none',
    (event) => {
      const { owasp, level } = owaspName(event, reason);
      if (NOBODY.includes(reason)) expect({ owasp, level }).toEqual({ owasp: undefined, level: 'WARN' });
      else expect([owasp, VOCABULARY[owasp ?? '']]).toEqual([expect.any(String), level]);
    },
  );
});

test.each([
  ['origin_denied', 'malicious_cors'],
  ['credential_invalid', 'authn_login_fail'],
  ['auth_attempts', 'authn_login_fail_max'],
  ['revoked', 'authn_token_reuse'],
  ['credential_expired', 'session_use_after_expire'],
  ['not_authorized', 'authz_fail'],
  ['message_forbidden', 'authz_fail'],
  ['message_rate', 'excess_rate_limit_exceeded'],
  ['message_invalid', 'input_validation_fail'],
  ['message_type_unknown', 'malicious_extraneous'],
  ['message_out_of_order', 'sequence_fail'],
] as const)('reason %s has the OWASP name %s', (reason, owasp) => {
  expect(owaspName('message.denied', reason).owasp).toBe(owasp);
});

test.each([
  ['handshake.admitted', 'authn_login_success', 'INFO'],
  ['connection.opened', 'session_created', 'INFO'],
  ['connection.renewed', 'session_renewed', 'INFO'],
  ['connection.closed', 'session_expired', 'INFO'],
  ['ban.imposed', 'authn_login_lock', 'WARN'],
  ['ban.lifted', undefined, 'INFO'],
  ['store.failing', 'sys_monitor_disabled', 'WARN'],
  ['store.recovered', 'sys_monitor_enabled', 'WARN'],
  ['fault', undefined, 'CRITICAL'],
] as const)('event %s has the OWASP name %s and level %s with any reason', (event, owasp, level) => {
  expect(eventNames).toContain(event);
  expect(owaspName(event, undefined)).toEqual({ owasp, level });
  expect(owaspName(event, 'revoked')).toEqual({ owasp, level });
});
