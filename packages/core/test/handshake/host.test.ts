import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileHosts, parseHost } from '../../src/handshake/host.ts';

const allows = (hosts: readonly string[] | undefined, header: string, originsAreStated = true) => {
  const host = parseHost(header);
  return host === undefined ? 'unreadable' : compileHosts(hosts, originsAreStated)(host) === undefined;
};

describe('without a list', () => {
  test.each(['localhost', 'localhost:3000', '127.0.0.1', '[::1]:80', 'LocalHost'])(
    'without policy.hosts, the loopback name %s passes',
    (header) => {
      expect(allows(undefined, header, false)).toBe(true);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    'localhost.',
    'foo.localhost',
    '127.0.0.2',
    '127.0.0.1.evil.example',
    '[::]',
    '0.0.0.0',
  ])('without policy.hosts, %s is denied', (header) => {
    expect(allows(undefined, header, false)).toBe(false);
  });

  test('without policy.hosts, any name passes once policy.origins is set', () => {
    expect(allows(undefined, 'anything.example', true)).toBe(true);
  });
});

describe('a list', () => {
  const list = [
    'chat.example.com',
    'B\u00fccher.example',
    '*.tenant.example',
    'api.example.com:8443',
    '[::1]',
    '*.port.example:81',
  ];
  test.each([
    'chat.example.com',
    'CHAT.example.com',
    'chat.example.com:443',
    'chat.example.com:9999',
    'xn--bcher-kva.example',
    'a.tenant.example',
    'a.tenant.example:80',
    'api.example.com:8443',
    '[::1]:3000',
    'a.port.example:81',
  ])('a list in policy.hosts admits %s', (header) => {
    expect(allows(list, header)).toBe(true);
  });

  test.each([
    'example.com',
    'chat.example.com.',
    'chat.example.com.evil.example',
    'evilchat.example.com',
    'a.chat.example.com',
    'tenant.example',
    'a.b.tenant.example',
    'eviltenant.example',
    'api.example.com',
    'api.example.com:443',
    'a.port.example',
    'localhost',
  ])('a list in policy.hosts denies %s', (header) => {
    expect(allows(list, header)).toBe(false);
  });

  test.each([
    [[''], /not a host name/],
    [['*'], /not a host name/],
    [['a.*.example'], /not a host name/],
    [['*.com'], /everybody who registers/],
    [['*.co.uk'], /everybody who registers/],
    [['*.10.0.0.1'], /everybody who registers/],
    [['https://chat.example.com'], /not a host name/],
    [['chat.example.com/'], /not a host name/],
    [['user@chat.example.com'], /not a host name/],
    [['chat.example.com.'], /trailing dot/],
    [['chat example'], /not a host name/],
    [['chat.example.com:99999'], /not a host name/],
    [[7 as never], /not a host name/],
  ])('policy.hosts %j is refused', (hosts, message) => {
    expect(() => compileHosts(hosts, true)).toThrow(message);
    expect(() => compileHosts(hosts, true)).toThrow(/^policy\.hosts/);
  });
});

test('every Host that is read equals its serialization by the URL standard', () => {
  const header = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_.:[\]-]{0,20}$/),
    fc.string(),
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.constantFrom(
      '0x7f.1',
      '127.1',
      '2130706433',
      '017700000001',
      '[::ffff:127.0.0.1]',
      '1.2.3.4.',
      '[::1%eth0]',
    ),
  );
  fc.assert(
    fc.property(header, (text) => {
      const host = parseHost(text);
      if (host !== undefined)
        expect(new URL(`http://${host.name}`).hostname).toBe(text.toLowerCase().replace(/:\d+$/, ''));
    }),
    { numRuns: 2_000 },
  );
});
