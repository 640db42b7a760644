import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileTrustedProxies, parseAddress, resolveClient } from '../../src/handshake/address.ts';
import { readHeaders } from '../../src/handshake/headers.ts';
import type { Peer } from '../../src/vocabulary/ports.ts';

describe('one spelling for an address', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7', '203.0.113.7', ['203.0.113.0/24', '203.0.0.0/16']],
    ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113.7', ['203.0.113.0/24', '203.0.0.0/16']],
    ['::FFFF:cb00:7107', '203.0.113.7', '203.0.113.7', ['203.0.113.0/24', '203.0.0.0/16']],
    ['64:ff9b::203.0.113.7', '203.0.113.7', '203.0.113.7', ['203.0.113.0/24', '203.0.0.0/16']],
    ['64:ff9b::cb00:7107', '203.0.113.7', '203.0.113.7', ['203.0.113.0/24', '203.0.0.0/16']],
    [
      '2001:DB8:1:2:3:4:5:6',
      '2001:db8:1:2:3:4:5:6',
      '2001:db8:1:2::/64',
      ['2001:db8:1::/56', '2001:db8:1::/48'],
    ],
    ['2001:db8:1:2::', '2001:db8:1:2::', '2001:db8:1:2::/64', ['2001:db8:1::/56', '2001:db8:1::/48']],
    [
      '2001:db8:1:2ff::',
      '2001:db8:1:2ff::',
      '2001:db8:1:2ff::/64',
      ['2001:db8:1:200::/56', '2001:db8:1::/48'],
    ],
    ['fe80::1%eth0', 'fe80::1', 'fe80::/64', ['fe80::/56', 'fe80::/48']],
  ])('%s', (text, address, bucket, coarser) => {
    expect(parseAddress(text)).toMatchObject({ text: address, bucket, coarser });
  });

  test('the short way for plain IPv4 comes to what the long one does', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const hex = text.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
        const mapped = `::ffff:${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
        expect(parseAddress(text)).toEqual(parseAddress(mapped));
        expect(parseAddress(`::ffff:${text}`)).toEqual(parseAddress(mapped));
      }),
    );
    for (const odd of ['256.1.1.1', '1.1.1', '1.1.1.1.1', '1.1.1.1 ', '1.1.1.1\n', '0x7f.0.0.1', '1.1.1.-1'])
      expect([odd, parseAddress(odd)]).toEqual([odd, undefined]);
  });

  test('two addresses of one /64 share a bucket, of two /64s they do not', () => {
    const bucket = (text: string) => parseAddress(text)?.bucket;
    expect(bucket('2001:db8::1')).toBe(bucket('2001:db8::ffff:0:1'));
    expect(bucket('2001:db8:0:1::1')).not.toBe(bucket('2001:db8::1'));
  });

  test.each([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['0.0.0.0', false],
  ])('%s is loopback: %s', (text, loopback) => {
    expect(parseAddress(text)?.loopback).toBe(loopback);
  });

  test.each([
    '',
    'unknown',
    'garbage',
    '1.2.3.4:5678',
    '[::1]',
    '1.2.3',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '256.1.1.1',
    '1.2.3.4, 5.6.7.8',
    ' 1.2.3.4',
    ':::1',
    '2001:db8::1/64',
  ])('%j is no address', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

const PROXY: Peer = { address: '10.0.0.1', encrypted: false, unix: false };
const client = (
  peer: Peer,
  raw: readonly string[],
  trusted: readonly string[] = ['10.0.0.0/8'],
  header: 'x-forwarded-for' | 'forwarded' = 'x-forwarded-for',
) => {
  const found = resolveClient(peer, readHeaders(raw), compileTrustedProxies(trusted, header));
  return found === undefined ? 'unreadable' : `${found.address.text} ${found.secure ? 'secure' : 'plain'}`;
};

describe('X-Forwarded-For', () => {
  const XFF = 'X-Forwarded-For';
  const XFP = 'X-Forwarded-Proto';

  test('from a peer that is not listed is not read at all', () => {
    const stranger = { ...PROXY, address: '203.0.113.9' };
    expect(client(stranger, [XFF, '127.0.0.1', XFP, 'https'])).toBe('203.0.113.9 plain');
    expect(client({ ...stranger, encrypted: true }, [XFF, 'garbage'])).toBe('203.0.113.9 secure');
  });

  test('is walked from the right to the first address that is not a proxy', () => {
    expect(client(PROXY, [XFF, '1.1.1.1, 203.0.113.9'])).toBe('203.0.113.9 plain');
    expect(client(PROXY, [XFF, '1.1.1.1, 203.0.113.9, 10.9.9.9'])).toBe('203.0.113.9 plain');
    expect(client(PROXY, [XFF, 'junk, 203.0.113.9'])).toBe('203.0.113.9 plain');
  });

  test('that names proxies only ends at the leftmost', () => {
    expect(client(PROXY, [XFF, '10.1.1.1, 10.2.2.2'])).toBe('10.1.1.1 plain');
  });

  test.each([
    '',
    'unknown',
    '1.1.1.1, ',
    '203.0.113.9\u00a0',
    '\u000b203.0.113.9',
    '203.0.113.9, garbage, 10.2.2.2',
    `${'1.1.1.1,'.repeat(20)}203.0.113.9`,
  ])('that cannot be read where it counts fails closed: %j', (value) => {
    expect(client(PROXY, [XFF, value])).toBe('unreadable');
  });

  test('on several lines is one list', () => {
    expect(client(PROXY, [XFF, '127.0.0.1', XFF, '203.0.113.9'])).toBe('203.0.113.9 plain');
  });

  test('lists are compared in unwrapped form, and by address family', () => {
    expect(client({ ...PROXY, address: '::ffff:10.0.0.1' }, [XFF, '203.0.113.9'])).toBe('203.0.113.9 plain');
    expect(client({ ...PROXY, address: 'fd00::1' }, [XFF, '203.0.113.9'], ['fd00::/8'])).toBe(
      '203.0.113.9 plain',
    );
    expect(client({ ...PROXY, address: 'fd00::1' }, [XFF, '203.0.113.9'])).toBe('fd00::1 plain');
  });

  test.each([
    ['https', '203.0.113.9', 'secure'],
    ['WSS', '203.0.113.9', 'secure'],
    ['http', '203.0.113.9', 'plain'],
    ['https, http', '1.1.1.1, 203.0.113.9', 'plain'],
    ['http, https', '1.1.1.1, 203.0.113.9', 'secure'],
    ['https', '1.1.1.1, 203.0.113.9', 'secure'],
    ['https, https', '203.0.113.9', 'plain'],
    ['', '203.0.113.9', 'plain'],
  ])('X-Forwarded-Proto %j for %j: %s', (proto, addresses, expected) => {
    expect(client(PROXY, [XFF, addresses, XFP, proto])).toBe(`203.0.113.9 ${expected}`);
  });

  test('does not borrow what the other header says', () => {
    expect(client(PROXY, ['Forwarded', 'for=1.1.1.1;proto=https', XFF, '203.0.113.9'])).toBe(
      '203.0.113.9 plain',
    );
  });

  test('absent behind a listed proxy leaves the proxy itself', () => {
    expect(client(PROXY, [])).toBe('10.0.0.1 plain');
  });
});

describe('Forwarded', () => {
  const forwarded = (value: string) =>
    client(PROXY, ['Forwarded', value, 'X-Forwarded-For', '9.9.9.9'], ['10.0.0.0/8'], 'forwarded');

  test.each([
    ['for=203.0.113.9', '203.0.113.9 plain'],
    ['for=203.0.113.9;proto=https', '203.0.113.9 secure'],
    ['For="203.0.113.9:4711"; Proto=HTTPS; by=10.0.0.1', '203.0.113.9 secure'],
    ['for="[2001:db8::1]:443";proto=http', '2001:db8::1 plain'],
    ['for=1.1.1.1;proto=https, for=203.0.113.9;proto=http', '203.0.113.9 plain'],
    ['for=203.0.113.9;proto=https, for=10.4.4.4;proto=http', '203.0.113.9 secure'],
    ['for=unknown, for=203.0.113.9', '203.0.113.9 plain'],
    ['for=203.0.113.9;proto=https;', '203.0.113.9 secure'],
    ['for="a,b;c=d", for=203.0.113.9', '203.0.113.9 plain'],
    ['\tfor=203.0.113.9\t;\tproto="htt\\ps"', '203.0.113.9 secure'],
    ['for=_hidden;proto=https, for=203.0.113.9', '203.0.113.9 plain'],
  ])('%s', (value, expected) => {
    expect(forwarded(value)).toBe(expected);
  });

  test.each([
    'for=unknown',
    'for=_hidden',
    'proto=https',
    '',
    'for=203.0.113.9;for=127.0.0.1',
    'for=203.0.113.9;;',
    'for=203.0.113.9,',
    ';for=203.0.113.9',
    'for=203.0.113.9\u00a0',
    '\u00a0for=203.0.113.9',
    'for="203.0.113.9',
    'for="a\\"b"',
    'for="a\\\\"b"',
    'for=203.0.113.9 proto=https',
    'for=203.0.113.9, for=_proxy',
    'for=[2001:db8::1',
    'for=" 203.0.113.9"',
  ])('what cannot be read where it counts fails closed: %j', (value) => {
    expect(forwarded(value)).toBe('unreadable');
  });
});

describe('Unix sockets', () => {
  const unix: Peer = { address: undefined, encrypted: false, unix: true };

  test('are a proxy only when listed as such', () => {
    expect(client(unix, ['X-Forwarded-For', '203.0.113.9'], ['unix'])).toBe('203.0.113.9 plain');
    expect(client(unix, ['X-Forwarded-For', '203.0.113.9'])).toBe('unix plain');
  });

  test('a peer without an address that is no Unix socket is unreadable', () => {
    expect(client({ ...unix, unix: false }, [])).toBe('unreadable');
    expect(client({ ...unix, unix: false, address: 'garbage' }, [])).toBe('unreadable');
  });
});

test.each(['0.0.0.0/0', '::/0', 'proxy.example.com', '10.0.0.0/33', '', '10.0.0.1:80'])(
  'trustedProxies refuses %j',
  (entry) => {
    expect(() => compileTrustedProxies([entry], 'x-forwarded-for')).toThrow(/policy\.trustedProxies.*List/);
  },
);
