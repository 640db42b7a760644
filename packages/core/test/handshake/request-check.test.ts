import { describe, expect, test } from '@jest/globals';
import { outcomeOf } from '../support/decide.ts';
import { basics, guardOf } from '../support/guards.ts';
import { type HeaderValue, type RequestOverrides, upgradeRequest } from '../support/upgrade-request.ts';

const ORIGIN = { Origin: 'http://localhost:3000' };
const guard = guardOf({ ...basics(), subprotocols: ['chat'], limits: { handshakes: '10000/s' } });
const judge = (overrides: RequestOverrides) =>
  outcomeOf(guard, upgradeRequest({ ...overrides, headers: { ...ORIGIN, ...overrides.headers } }));

test('an ordinary upgrade request is admitted', async () => {
  expect(await judge({})).toBe('admitted');
});

describe('request_malformed', () => {
  const requests: [string, RequestOverrides][] = [
    ['another method', { method: 'POST' }],
    ['a method in lower case', { method: 'get' }],
    ['HTTP/1.0', { httpVersion: '1.0' }],
    ['HTTP/2.0', { httpVersion: '2.0' }],
    ['an absolute target', { target: 'http://evil.example/chat' }],
    ['an authority target', { target: 'localhost:3000' }],
    ['the target *', { target: '*' }],
    ['a target that looks like a host', { target: '//evil.example/chat' }],
    ['a back slash', { target: '/\\evil.example' }],
    ['a fragment', { target: '/chat#top' }],
    ['white space in the target', { target: '/chat /x' }],
    ['a target with bytes beyond ASCII', { target: '/caf\u00e9' }],
    ['a line break in the target', { target: '/chat\n' }],
    ['no target', { target: '' }],
  ];
  test.each(requests)('a request with %s is denied with request_malformed', async (_, overrides) => {
    expect(await judge(overrides)).toBe('request_malformed');
  });

  const headers: [string, Record<string, HeaderValue>][] = [
    ['no Upgrade', { Upgrade: null }],
    ['an upgrade to h2c', { Upgrade: 'h2c' }],
    ['an upgrade to several protocols', { Upgrade: 'websocket, h2c' }],
    ['no Connection', { Connection: null }],
    ['Connection: keep-alive', { Connection: 'keep-alive' }],
    ['Connection: upgrades', { Connection: 'upgrades' }],
    ['Transfer-Encoding', { 'Transfer-Encoding': 'chunked' }],
    ['Transfer-Encoding: identity', { 'Transfer-Encoding': 'identity' }],
    ['a body', { 'Content-Length': '5' }],
    ['a Content-Length with a leading zero', { 'Content-Length': '00' }],
    ['a negative Content-Length', { 'Content-Length': '-1' }],
    ['no Host', { Host: null }],
    ['an empty Host', { Host: '' }],
    ['a Host with user information', { Host: 'user@localhost' }],
    ['a Host with a path', { Host: 'localhost/evil' }],
    ['a Host in another number system', { Host: '0x7f.1' }],
    ['a short spelling of an address', { Host: '127.1' }],
    ['a port that is no number', { Host: 'localhost:http' }],
    ['a port above 65535', { Host: 'localhost:65536' }],
    ['a port with a leading zero', { Host: 'localhost:03000' }],
    ['no key', { 'Sec-WebSocket-Key': null }],
    ['a key of 15 bytes', { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAA' }],
    ['a key that is no base64', { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }],
    ['extensions beyond ASCII', { 'Sec-WebSocket-Extensions': 'permessage-deflate\u00ff' }],
    ['long extensions', { 'Sec-WebSocket-Extensions': 'a'.repeat(1_025) }],
    ['many extensions', { 'Sec-WebSocket-Extensions': 'a, a, a, a, a, a, a, a, a' }],
    ['subprotocols beyond ASCII', { 'Sec-WebSocket-Protocol': 'ch\u00e4t' }],
    ['subprotocols with separators', { 'Sec-WebSocket-Protocol': 'chat;v=1' }],
    ['an empty subprotocol', { 'Sec-WebSocket-Protocol': 'chat, ' }],
    ['an empty list of subprotocols', { 'Sec-WebSocket-Protocol': '' }],
    ['the same subprotocol twice', { 'Sec-WebSocket-Protocol': 'chat, chat' }],
    ['a subprotocol with a no-break space beside it', { 'Sec-WebSocket-Protocol': 'chat\u00a0' }],
    ['Connection with a no-break space', { Connection: '\u00a0Upgrade' }],
    ['more than 20 options of Connection', { Connection: `${'a, '.repeat(20)}Upgrade` }],
    ['many subprotocols', { 'Sec-WebSocket-Protocol': Array.from({ length: 17 }, (_, i) => `p${i}`).join() }],
    ['more than 16 KiB of headers', { 'X-Filler': 'x'.repeat(16_384) }],
    ['more than 100 headers', { 'X-Filler': Array.from({ length: 101 }, () => 'x') }],
  ];
  test.each(headers)('a request with %s is denied with request_malformed', async (_, change) => {
    expect(await judge({ headers: change })).toBe('request_malformed');
  });

  test.each([
    'Host',
    'Origin',
    'Authorization',
    'Upgrade',
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Accept',
  ])(
    'header %s that occurs twice, even with the same value, is denied with request_malformed',
    async (name) => {
      const value =
        { Host: 'localhost:3000', Origin: 'http://localhost:3000', Upgrade: 'websocket' }[name] ?? '13';
      expect(await judge({ headers: { [name]: [value, value] } })).toBe('request_malformed');
    },
  );
});

describe('version_unsupported', () => {
  test.each(['8', '12', '14', '', '13, 8', '013'])(
    'Sec-WebSocket-Version %j is denied with version_unsupported',
    async (version) => {
      expect(await judge({ headers: { 'Sec-WebSocket-Version': version } })).toBe('version_unsupported');
    },
  );

  test('a request without Sec-WebSocket-Version is denied with version_unsupported', async () => {
    expect(await judge({ headers: { 'Sec-WebSocket-Version': null } })).toBe('version_unsupported');
  });
});

describe('admitted all the same', () => {
  const harmless: [string, RequestOverrides][] = [
    ['other letter case', { headers: { Upgrade: 'WebSocket', Connection: 'UPGRADE' } }],
    ['Connection with more options', { headers: { Connection: 'keep-alive, Upgrade' } }],
    ['Content-Length: 0', { headers: { 'Content-Length': '0' } }],
    [
      'sixteen subprotocols',
      {
        headers: {
          'Sec-WebSocket-Protocol': `chat${Array.from({ length: 15 }, (_, i) => `,p${i}`).join('')}`,
        },
      },
    ],
    ['escapes in the path', { target: '/caf%C3%A9?q=a%20b&x=[1]' }],
    ['a Host in upper case', { headers: { Host: 'LOCALHOST:3000' } }],
    ['an IPv6 Host', { headers: { Host: '[::1]:3000', Origin: 'http://[::1]:3000' } }],
  ];
  test.each(harmless)('a request with %s is admitted', async (_, overrides) => {
    expect(await judge(overrides)).toBe('admitted');
  });
});
