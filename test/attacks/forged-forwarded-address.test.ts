// H2: forwarding headers count only from listed proxies, and are read from the right. An unreadable one is refused.
import { describe, expect, test } from '@jest/globals';
import { type PolicyOptions, unsafeAllowPlaintext } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';

const plain = { transport: unsafeAllowPlaintext } as const;

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  async function address(
    policy: PolicyOverrides,
    headers: Record<string, string | string[]>,
  ): Promise<string> {
    const guard = chatGuard({ ...plain, ...policy });
    const addresses: string[] = [];
    guard.on('handshake.admitted', (event) => addresses.push(event.address));
    guard.on('handshake.denied', (event) => addresses.push(`${event.stage} ${event.reason}`));
    const app = await start(host, { guard });
    const wire = await open(app, { headers: { ...(await goodHeaders()), ...headers } }).catch(
      () => undefined,
    );
    wire?.destroy();
    return addresses.join();
  }

  test('a forwarding header from an unlisted proxy, or of another name, does not change the address', async () => {
    expect(await address({}, { 'X-Forwarded-For': '203.0.113.7' })).toBe('127.0.0.1');
    expect(await address({ trustedProxies: ['10.0.0.0/8'] }, { 'X-Forwarded-For': '203.0.113.7' })).toBe(
      '127.0.0.1',
    );
    expect(await address({ trustedProxies: ['127.0.0.1'] }, { Forwarded: 'for=203.0.113.7' })).toBe(
      '127.0.0.1',
    );
  });

  test('a client that forges a new X-Forwarded-For for each handshake stays in one rate: 429', async () => {
    const limits = { handshakes: { rate: '1/m', burst: 2 } } as const;
    const app = await start(host, { guard: chatGuard({ ...plain, limits }) });
    const as = async (forwarded: string) => ({
      headers: { ...(await goodHeaders()), 'X-Forwarded-For': forwarded },
    });
    await open(app, await as('203.0.113.1'));
    await open(app, await as('203.0.113.2'));
    expect(verdict(await refused(app, await as('203.0.113.3')))).toBe('429 handshake_rate');
  });

  test('the address is the rightmost one in X-Forwarded-For that is no listed proxy', async () => {
    const trusted = { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] };
    const walk = (list: string | string[]) => address(trusted, { 'X-Forwarded-For': list });
    expect(await walk('198.51.100.66, 203.0.113.7, 10.1.2.3')).toBe('203.0.113.7');
    expect(await walk(['198.51.100.66', '203.0.113.7'])).toBe('203.0.113.7');
    expect(await walk('::ffff:203.0.113.7')).toBe('203.0.113.7');
  });

  test.each(['garbage', '203.0.113.7:5678', 'unknown', '', '203.0.113.7,,', '0x7f.1'])(
    'X-Forwarded-For %j from a listed proxy gets 400',
    async (list) => {
      expect(await address({ trustedProxies: ['127.0.0.1'] }, { 'X-Forwarded-For': list })).toBe(
        'address request_malformed',
      );
    },
  );

  test("forwardedHeader: 'forwarded' reads RFC 7239, and refuses a hidden or repeated address with 400", async () => {
    const policy: Partial<PolicyOptions<[], unknown, unknown>> = {
      trustedProxies: ['127.0.0.1'],
      forwardedHeader: 'forwarded',
    };
    const read = (forwarded: string) => address(policy as PolicyOverrides, { Forwarded: forwarded });
    expect(await read('for=198.51.100.66, for="[2001:db8::7]:4711";proto=https')).toBe('2001:db8::7');
    expect(await read('for=_hidden')).toBe('address request_malformed');
    expect(await read('for=203.0.113.7;for=203.0.113.8')).toBe('address request_malformed');
  });
});
