// O5: a stage in report-only mode records a denial and lets it through. Such a mode never opens ambient credentials to foreign
// origins.
import { describe, expect, test } from '@jest/globals';
import {
  bearer,
  cookie,
  custom,
  PolicyError,
  unsafeReportAuthorization,
  unsafeReportHost,
  unsafeReportOrigin,
  unsafeReportTransport,
} from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { say, send } from '../support/auth-frames.ts';
import { APP, chatGuard, chatJwt, goodHeaders, token } from '../support/chat-policy.ts';
import { frame } from '../support/wire.ts';

const EVIL = 'https://evil.example';
const DOORS = { unsafeReportTransport, unsafeReportHost, unsafeReportOrigin, unsafeReportAuthorization };
const ambient = {
  'a cookie': [chatJwt([cookie('token')])],
  'a token that a proxy injects': [chatJwt([bearer({ ambient: true })])],
  'an authenticator of its own': [custom({ scheme: 'device', authenticate: () => ({ subject: 'a' }) })],
};

describe.each(Object.keys(ambient) as (keyof typeof ambient)[])('policy.report with %s', (credential) => {
  test.each(Object.keys(DOORS) as (keyof typeof DOORS)[])(
    'report: [%s] with an ambient credential throws at construction',
    (door) => {
      expect(() => chatGuard({ auth: ambient[credential], report: [DOORS[door] as never] })).toThrow(
        PolicyError,
      );
    },
  );
});

test.each([
  'transport',
  'host',
  'origin',
  'authorization',
  'request',
  'authentication',
  'admission',
  'parse',
])("report: ['%s'] throws at construction", (stage) => {
  expect(() => chatGuard({ auth: [chatJwt([bearer()])], report: [stage] as never })).toThrow(PolicyError);
});

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test('a foreign origin with a cookie gets 403 while rate, subprotocol, schema and sanitize only report', async () => {
    const guard = chatGuard({
      auth: [chatJwt([cookie('token')])],
      subprotocols: ['chat.v1'],
      report: ['rate', 'subprotocol', 'schema', 'sanitize'],
      limits: { handshakes: { rate: '1/h', burst: 1 } },
    });
    const app = await start(host, { guard });
    for (let i = 0; i < 3; i++) {
      const headers = { Cookie: `token=${await token()}`, Origin: EVIL, 'Sec-WebSocket-Protocol': 'odd' };
      expect(verdict(await refused(app, { headers }))).toBe('403 origin_denied');
    }
    expect(app.handled).toEqual([]);
    // The application's own page is admitted, beyond the rate that only reports.
    await open(app, { headers: { Cookie: `token=${await token()}`, Origin: APP } });
  });

  test('with unsafeReportOrigin a foreign origin is reported and admitted with a bearer token, and refused with a cookie', async () => {
    const guard = chatGuard({ auth: [chatJwt([bearer()])], report: [unsafeReportOrigin] });
    const reported: unknown[] = [];
    guard.on('handshake.reported', ({ reason, owasp, origin }) => reported.push([reason, owasp, origin]));
    const app = await start(host, { guard });
    const headers = { Cookie: `token=${await token()}`, Origin: EVIL };
    expect(verdict(await refused(app, { headers }))).toMatch(/^(401 credential_missing|403 origin_denied)$/);
    await open(app, { headers: { ...(await goodHeaders()), Origin: EVIL } });
    expect(reported.at(-1)).toEqual(['origin_denied', 'malicious_cors', EVIL]);
  });

  test("report: ['schema'] lets a wrong property through, but neither malformed JSON nor an unknown type", async () => {
    const guard = chatGuard({ report: ['schema'] });
    const reported: unknown[] = [];
    guard.on('message.reported', ({ reason, pointer }) => reported.push([reason, pointer]));
    const handled: unknown[] = [];
    const app = await start(host, {
      guard,
      chat: (chat) => chat.on('say', (message) => void handled.push(message)),
    });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(send({ type: 'say', text: 7 }));
    wire.send(frame('{"type":"say","text":"x","__proto__":{}}'));
    wire.send(say('the end'));
    wire.send(send({ type: 'shout' }));
    await wire.messages(1);
    expect(reported).toContainEqual(['message_invalid', '/text']);
    expect(handled).toContainEqual(expect.objectContaining({ text: 7 }));
    expect(JSON.stringify(handled)).not.toContain('__proto__');
  });
});
