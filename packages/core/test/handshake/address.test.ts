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
  ])('address %s is normalized with its bucket and wider prefixes', (text, address, bucket, coarser) => {
    expect(parseAddress(text)).toMatchObject({ text: address, bucket, coarser });
  });

  test('the fast path for IPv4 gives the same address as the general parser', () => {
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

  test('IPv6 addresses share a bucket within one /64 and have different ones across two', () => {
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
  ])('address %s: loopback %s', (text, loopback) => {
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
  ])('%j is not parsed as an address', (text) => {
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

  test('X-Forwarded-For from a peer that is not a listed proxy is ignored', () => {
    const stranger = { ...PROXY, address: '203.0.113.9' };
    expect(client(stranger, [XFF, '127.0.0.1', XFP, 'https'])).toBe('203.0.113.9 plain');
    expect(client({ ...stranger, encrypted: true }, [XFF, 'garbage'])).toBe('203.0.113.9 secure');
  });

  test('X-Forwarded-For gives the rightmost address that is no listed proxy', () => {
    expect(client(PROXY, [XFF, '1.1.1.1, 203.0.113.9'])).toBe('203.0.113.9 plain');
    expect(client(PROXY, [XFF, '1.1.1.1, 203.0.113.9, 10.9.9.9'])).toBe('203.0.113.9 plain');
    expect(client(PROXY, [XFF, 'junk, 203.0.113.9'])).toBe('203.0.113.9 plain');
  });

  test('X-Forwarded-For with nothing but listed proxies gives the leftmost one', () => {
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
  ])('the client is unreadable if X-Forwarded-For has an invalid entry where it counts: %j', (value) => {
    expect(client(PROXY, [XFF, value])).toBe('unreadable');
  });

  test('several X-Forwarded-For lines are read as one list', () => {
    expect(client(PROXY, [XFF, '127.0.0.1', XFF, '203.0.113.9'])).toBe('203.0.113.9 plain');
  });

  test('a proxy is recognized as IPv4-mapped IPv6, and only within its own address family', () => {
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
  ])('X-Forwarded-Proto %j with X-Forwarded-For %j makes the client %s', (proto, addresses, expected) => {
    expect(client(PROXY, [XFF, addresses, XFP, proto])).toBe(`203.0.113.9 ${expected}`);
  });

  test('X-Forwarded-For does not take the protocol from Forwarded', () => {
    expect(client(PROXY, ['Forwarded', 'for=1.1.1.1;proto=https', XFF, '203.0.113.9'])).toBe(
      '203.0.113.9 plain',
    );
  });

  test('a listed proxy without a forwarding header is the client itself', () => {
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
  ])('Forwarded %s gives the client', (value, expected) => {
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
  ])('the client is unreadable if Forwarded has an invalid entry where it counts: %j', (value) => {
    expect(forwarded(value)).toBe('unreadable');
  });
});

describe('Unix sockets', () => {
  const unix: Peer = { address: undefined, encrypted: false, unix: true };

  test("X-Forwarded-For over a Unix socket counts only if 'unix' is a listed proxy", () => {
    expect(client(unix, ['X-Forwarded-For', '203.0.113.9'], ['unix'])).toBe('203.0.113.9 plain');
    expect(client(unix, ['X-Forwarded-For', '203.0.113.9'])).toBe('unix plain');
  });

  test('a peer without an address that is no Unix socket is an unreadable client', () => {
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
