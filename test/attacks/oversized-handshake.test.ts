// H11: headers, offered subprotocols and extensions are bounded before anything parses them (ws CVE-2024-37890,
// CVE-2021-32640).
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';

const many = (count: number, make: (i: number) => string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [make(i), 'x']));

const changes: Record<string, Record<string, string>> = {
  'more headers than limits.headerCount': many(120, (i) => `X-Header-${i}`),
  'longer headers than limits.headerBytes': { 'X-Long': 'x'.repeat(9_000) },
  'more subprotocols than limits.offeredSubprotocols': {
    'Sec-WebSocket-Protocol': Array.from({ length: 17 }, (_, i) => `p${i}`).join(', '),
  },
  'nine offered extensions': { 'Sec-WebSocket-Extensions': Array(9).fill('x').join(', ') },
  'extensions of more than 1 KiB': { 'Sec-WebSocket-Extensions': `x; a="${'\\'.repeat(1_100)}"` },
  // The regular expression of CVE-2021-32640 takes quadratic time in the white space.
  'a subprotocol with much white space': { 'Sec-WebSocket-Protocol': `a${' '.repeat(7_000)}b` },
};

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test.each(Object.entries(changes))('a handshake with %s gets 400', async (_what, change) => {
    const app = await start(host, { guard: chatGuard({ limits: { headerBytes: '8KiB' } }) });
    const answer = await refused(app, { headers: { ...(await goodHeaders()), ...change } });
    expect(verdict(answer)).toBe('400 request_malformed');
    expect(app.handled).toEqual([]);
  });

  test('a handshake right at the limits, with 16 subprotocols and 80 more headers, is admitted', async () => {
    const app = await start(host, { guard: chatGuard({ subprotocols: ['p15'] }) });
    const offers = Array.from({ length: 16 }, (_, i) => `p${i}`).join(', ');
    const headers = {
      ...(await goodHeaders()),
      ...many(80, (i) => `X-Header-${i}`),
      'Sec-WebSocket-Protocol': offers,
    };
    const wire = await open(app, { headers });
    expect((await wire.head()).headers['sec-websocket-protocol']).toBe('p15');
  });
});
