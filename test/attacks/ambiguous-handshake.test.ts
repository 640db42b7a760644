// H3: the guard accepts what RFC 6455 allows and refuses every request that two parsers could read in two ways.
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, goodHeaders, token } from '../support/chat-policy.ts';
import { frame, type HandshakeOptions } from '../support/wire.ts';

const MALFORMED = '400 request_malformed';
const evil = 'https://evil.example';

/** Each is a correct handshake with one change. */
const changes: Record<string, HandshakeOptions> = {
  'another method': { method: 'POST' },
  'HTTP/1.0': { httpVersion: '1.0' },
  'an upgrade to a list of protocols': { headers: { Upgrade: 'websocket, h2c' } },
  'an upgrade to a list of protocols on two lines': { headers: { Upgrade: ['h2c', 'websocket'] } },
  'an upgrade to a version of the protocol': { headers: { Upgrade: 'websocket/13' } },
  'an absolute-form target that names another host': { target: 'http://evil.example/chat' },
  'a target that begins with two slashes': { target: '//evil.example/chat' },
  'a target with a fragment': { target: '/chat#x' },
  'a body': { headers: { 'Content-Length': '5' }, after: 'hello' },
  'a body of frames': { headers: { 'Content-Length': '8' }, after: frame('hi') },
  'a length that is no number': { headers: { 'Content-Length': '0, 0' } },
  'Transfer-Encoding': { headers: { 'Transfer-Encoding': 'chunked' }, after: '0\r\n\r\n' },
  'Host twice': { headers: { Host: ['localhost', 'evil.example'] } },
  'no Host': { headers: { Host: null } },
  'Origin twice': { headers: { Origin: [APP, evil] } },
  'Sec-WebSocket-Key twice': {
    headers: { 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'AAAAAAAAAAAAAAAAAAAAAA=='] },
  },
  'Sec-WebSocket-Version twice': { headers: { 'Sec-WebSocket-Version': ['13', '8'] } },
  'a subprotocol offered on two lines': { headers: { 'Sec-WebSocket-Protocol': ['a', 'a'] } },
  'nine extensions on two lines': {
    headers: { 'Sec-WebSocket-Extensions': ['a', 'b, c, d, e, f, g, h, i'] },
  },
  'more than 100 query parameters': { target: `/chat?${'a&'.repeat(100)}` },
  'a key that is not 16 bytes': { headers: { 'Sec-WebSocket-Key': 'c2hvcnQ=' } },
  'no key': { headers: { 'Sec-WebSocket-Key': null } },
};

describe.each(hosts)('$name', (host) => {
  const { start, open, dial, refused } = applications();

  test.each(Object.entries(changes))('a handshake with %s is refused with 400', async (_what, change) => {
    const guard = chatGuard();
    const app = await start(host, { guard });
    const headers = { ...(await goodHeaders()), ...change.headers };
    const wire = (await dial(app)).handshake({ ...change, headers });
    const answer = await wire.answer();
    // Node's own parser refuses some of them before the guard sees them, also with 400, but with another body.
    if (Object.keys(guard.stats().denied).length === 0) expect(answer.status).toBe(400);
    else expect(verdict(answer)).toBe(MALFORMED);
    expect(answer.raw).not.toContain('HTTP/1.1 101');
    expect(app.handled).toEqual([]);
  });

  test('two Authorization headers are refused with 400, even if one of them or both are right', async () => {
    const app = await start(host, { guard: chatGuard() });
    const { Authorization: right = '' } = await goodHeaders();
    for (const Authorization of [
      [right, 'Bearer x'],
      ['Bearer x', right],
      [right, right],
    ])
      expect(verdict(await refused(app, { headers: { Authorization } }))).toBe(MALFORMED);
  });

  test.each(['8', '12', '14', '', '013', '13, 8'])(
    'Sec-WebSocket-Version %j gets 426 and a header with version 13',
    async (version) => {
      const app = await start(host, { guard: chatGuard() });
      const headers = { ...(await goodHeaders()), 'Sec-WebSocket-Version': version };
      const answer = await refused(app, { headers });
      expect(verdict(answer)).toBe('426 version_unsupported');
      expect(answer.headers).toMatchObject({ 'sec-websocket-version': '13' });
    },
  );

  test('Sec-WebSocket-Origin, the origin header of version 8, does not replace a foreign Origin: 403, or 426 for version 8', async () => {
    // ws reads Sec-WebSocket-Origin of a version 8 handshake as its Origin.
    const app = await start(host, { guard: chatGuard() });
    const headers = { ...(await goodHeaders()), Origin: evil, 'Sec-WebSocket-Origin': APP };
    expect(verdict(await refused(app, { headers }))).toBe('403 origin_denied');
    const eight = { ...headers, 'Sec-WebSocket-Version': '8' };
    expect(verdict(await refused(app, { headers: eight }))).toBe('426 version_unsupported');
  });

  test('header values in another letter case, a list in Connection and Content-Length: 0 are let in', async () => {
    const app = await start(host, { guard: chatGuard() });
    const odd = { Upgrade: 'WebSocket', Connection: 'keep-alive, upgrade', 'Content-Length': '0' };
    await open(app, { headers: { ...(await goodHeaders()), ...odd } });
  });

  test('a list on several lines is one list: extensions, cookies, subprotocols', async () => {
    const app = await start(host, { guard: chatGuard() });
    const lists = {
      'Sec-WebSocket-Extensions': ['x-one', 'x-two'],
      'Sec-WebSocket-Protocol': ['bearer', await token()],
      Cookie: ['a=1', 'b=2'],
    };
    await open(app, { headers: { Origin: APP, ...lists } });
    expect(app.handled.join()).not.toContain('eyJ');
  });

  test('a cookie that comes twice is refused, on one line and on two', async () => {
    const app = await start(host, { guard: chatGuard() });
    const good = `token=${await token()}`;
    for (const Cookie of [`${good}; token=x`, [good, 'token=x'], ['token=x', good]])
      expect(verdict(await refused(app, { headers: { Origin: APP, Cookie } }))).toBe(
        '401 credential_ambiguous',
      );
  });
});
