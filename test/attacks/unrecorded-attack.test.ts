// O1, O3: each denial is recorded once, with identity, address and reason, under the names of the OWASP Logging Vocabulary. The
// client learns only a code and a public text.
import { describe, expect, test } from '@jest/globals';
import { type EventName, eventNames, reasons, Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate, send } from '../support/auth-frames.ts';
import { APP, chatGuard, goodHeaders, NOW, type PolicyOverrides, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import type { HandshakeOptions } from '../support/wire.ts';

interface Seen extends Record<string, unknown> {
  readonly event: EventName;
}

const bearerOf = async (
  claims: { exp?: number } = {},
  made: { secret?: string } = {},
): Promise<HandshakeOptions> => ({
  headers: { Origin: APP, Authorization: `Bearer ${await token(claims, made)}` },
});

/** Handshakes that are denied, and what their events hold. */
const handshakes: readonly [
  reason: keyof typeof reasons,
  stage: string,
  owasp: string,
  level: string,
  request: () => Promise<HandshakeOptions>,
  policy: PolicyOverrides | undefined,
][] = [
  [
    'tls_required',
    'transport',
    'authz_fail',
    'CRITICAL',
    async () => ({ headers: { Host: 'evil.example' } }),
    undefined,
  ],
  [
    'origin_denied',
    'origin',
    'malicious_cors',
    'CRITICAL',
    async () => ({ headers: { ...(await goodHeaders()), Origin: 'https://evil.example' } }),
    undefined,
  ],
  [
    'credential_missing',
    'authentication',
    'authn_login_fail',
    'WARN',
    async () => ({ headers: { Origin: APP } }),
    undefined,
  ],
  [
    'credential_invalid',
    'authentication',
    'authn_login_fail',
    'WARN',
    () => bearerOf({}, { secret: 'another secret of somebody, at least 32 bytes' }),
    undefined,
  ],
  [
    'credential_expired',
    'authentication',
    'session_use_after_expire',
    'CRITICAL',
    () => bearerOf({ exp: NOW - 300 }),
    undefined,
  ],
  ['not_authorized', 'authorization', 'authz_fail', 'CRITICAL', () => bearerOf(), { authorize: () => false }],
  [
    'handshake_rate',
    'rate',
    'excess_rate_limit_exceeded',
    'WARN',
    () => bearerOf(),
    { limits: { handshakes: { rate: '1/h', burst: 1 } } },
  ],
  [
    'connection_limit',
    'admission',
    'excess_rate_limit_exceeded',
    'WARN',
    () => bearerOf(),
    { limits: { connectionsPerIdentity: 1 } },
  ],
];

/** Messages that are denied, and what their events hold. */
const refusals: readonly [reason: string, stage: string, owasp: string, level: string, message: object][] = [
  ['message_type_unknown', 'schema', 'malicious_extraneous', 'CRITICAL', { type: 'shout' }],
  ['message_invalid', 'schema', 'input_validation_fail', 'WARN', { type: 'say', text: 7 }],
  ['message_forbidden', 'message-authorization', 'authz_fail', 'CRITICAL', { type: 'remove', id: 'mine' }],
  ['message_out_of_order', 'order', 'sequence_fail', 'CRITICAL', { type: 'second' }],
];

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  const serve = async (policy: PolicyOverrides = {}) => {
    const guard = chatGuard({ name: 'chat', ...policy });
    const record: Seen[] = [];
    for (const event of eventNames) guard.on(event, (facts) => void record.push({ event, ...facts }));
    return { app: await start(host, { guard }), record };
  };

  test.each(handshakes)(
    'a handshake denied as %s emits one event with its facts, and answers with the public text',
    async (reason, stage, owasp, level, request, policy) => {
      const { app, record } = await serve(policy);
      if (policy?.limits !== undefined) await open(app, await request());
      record.length = 0;
      const answer = await refused(app, await request());
      const { headers } = await request();
      const { http, text } = reasons[reason] as { http: number; text: string };
      expect(verdict(answer)).toBe(`${http} ${reason}`);
      expect(JSON.parse(answer.body)).toEqual({ error: reason, message: text });
      expect(record.filter(({ event }) => event === 'handshake.denied')).toEqual([
        {
          event: 'handshake.denied',
          at: NOW * 1_000,
          guard: 'chat',
          owasp,
          level,
          address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
          host: headers?.Host ?? 'localhost',
          origin: headers?.Origin,
          path: '/chat',
          subject: ['authorization', 'admission'].includes(stage) ? 'alice' : undefined,
          reason,
          stage,
          detail: expect.any(String),
        },
      ]);
      expect(answer.raw).not.toContain(record[0]?.detail);
    },
  );

  test.each(refusals)(
    'a message denied as %s emits one event of its connection, and gets an error reply',
    async (reason, stage, owasp, level, message) => {
      const id = Type.Object({ id: Type.String() });
      const { app, record } = await serve({
        messages: {
          say: { schema: Type.Object({ text: Type.String() }), authorize: 'any' },
          remove: { schema: id, authorize: () => false },
          first: { schema: id, authorize: 'any' },
          second: { schema: Type.Object({}), after: ['first'], authorize: 'any' },
        } as never,
      });
      const wire = await open(app, await bearerOf());
      wire.send(send(message));
      const [told] = await wire.messages(1);
      expect(JSON.parse(told as string)).toMatchObject({ type: 'error', code: reason });
      expect(record.map(({ event, owasp }) => [event, owasp])).toEqual([
        ['handshake.admitted', 'authn_login_success'],
        ['connection.opened', 'session_created'],
        ['message.denied', owasp],
      ]);
      expect(record[2]).toMatchObject({
        guard: 'chat',
        level,
        reason,
        stage,
        subject: 'alice',
        address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
        path: '/chat',
      });
      // All events name the same connection, by an id that is no secret.
      expect(record[2]?.connection).toBe(record[1]?.connection);
    },
  );

  test('a renewal and the end of a connection emit events with their OWASP names', async () => {
    const { app, record } = await serve({ renewal: true });
    const wire = await open(app, await bearerOf());
    wire.send(authenticate({ token: await token({ exp: NOW + 900 }) }));
    await wire.messages(1);
    wire.destroy();
    await eventually(() => record.at(-1)?.event === 'connection.closed', 'the end');
    expect(record.map(({ owasp }) => owasp)).toEqual([
      'authn_login_success',
      'session_created',
      'session_renewed',
      'session_expired',
    ]);
    expect(record.at(-1)).toMatchObject({ level: 'INFO', reason: undefined, code: 1006, subject: 'alice' });
  });
});

// A close frame holds 123 bytes of reason (RFC 6455 §5.5); with more, ws throws, and the socket stays.
test.each(Object.entries(reasons))('the public text of %s fits into a close frame', (_reason, { text }) => {
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
});
