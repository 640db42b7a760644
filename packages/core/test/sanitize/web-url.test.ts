import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sanitize } from '../../src/sanitize/sanitize.ts';
import { type WebUrlOptions, webUrl } from '../../src/sanitize/web-url.ts';
import { hostileText } from '../support/hostile-text.ts';

const clean = (text: string, options?: WebUrlOptions) => sanitize(webUrl(options), text);

describe('handed on, in canonical form', () => {
  test.each([
    ['https://example.com', 'https://example.com/'],
    ['http://example.com/a?b=c#d', 'http://example.com/a?b=c#d'],
    ['HTTPS://EXAMPLE.com/A', 'https://example.com/A'],
    ['https://example.com:443/', 'https://example.com/'],
    ['https://example.com:8443/', 'https://example.com:8443/'],
    ['https://example.com/a/../b/./c', 'https://example.com/b/c'],
    ['https://bücher.example/ü?ü#ü', 'https://xn--bcher-kva.example/%C3%BC?%C3%BC#%C3%BC'],
    ['https://ja.wikipedia.org/wiki/日本', 'https://ja.wikipedia.org/wiki/%E6%97%A5%E6%9C%AC'],
    ['https://ｅｘａｍｐｌｅ.com/', 'https://example.com/'],
    ['http://0x7f.1/', 'http://127.0.0.1/'],
    ['http://2130706433/', 'http://127.0.0.1/'],
    ['http://[::1]:80/', 'http://[::1]/'],
    ['https://example.com/"<>', 'https://example.com/%22%3C%3E'],
    ['https://example.com/%0d%0aSet-Cookie', 'https://example.com/%0d%0aSet-Cookie'],
    ['https://example.com/?u=javascript:alert(1)', 'https://example.com/?u=javascript:alert(1)'],
    ['https://example.com/@user:pass', 'https://example.com/@user:pass'],
  ])('URL %s passes in canonical form', (text, href) => {
    expect(clean(text)).toBe(href);
  });
});

describe('refused', () => {
  test.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['a relative URL', '/logout'],
    ['a URL relative to the scheme', '//evil.example/'],
    ['a query', '?a=b'],
    ['a fragment', '#a'],
    ['a host', 'example.com'],
    ['javascript:', 'javascript:alert(1)'],
    ['javascript: in capitals', 'JaVaScRiPt:alert(1)'],
    ['javascript: with a host', 'javascript://example.com/%0aalert(1)'],
    ['data:', 'data:text/html,<script>alert(1)</script>'],
    ['vbscript:', 'vbscript:msgbox(1)'],
    ['blob:', 'blob:https://example.com/0f'],
    ['file:', 'file:///etc/passwd'],
    ['filesystem:', 'filesystem:https://example.com/a'],
    ['about:', 'about:blank'],
    ['mailto:', 'mailto:a@example.com'],
    ['ftp:', 'ftp://example.com/'],
    ['wss:', 'wss://example.com/'],
    ['a scheme of its own', 'intent://scan/#Intent;end'],
    ['a user', 'https://example.com@evil.example/'],
    ['a user and password', 'https://user:pass@example.com/'],
    ['a password', 'https://:pass@example.com/'],
    ['a space before', ' https://example.com/'],
    ['a space after', 'https://example.com/ '],
    ['a space inside', 'https://example.com/a b'],
    ['a no-break space', 'https://example.com/a\xa0b'],
    ['a tab, which the parser drops', 'https://exam\tple.com/'],
    ['a line feed, which the parser drops', 'https://example.com/a\nb'],
    ['a line feed in the scheme', 'java\nscript:alert(1)'],
    ['a control first, which the parser drops', '\x01https://example.com/'],
    ['NUL', 'https://example.com/\0'],
    ['a backslash for a slash', 'https:\\\\example.com/'],
    ['a backslash in the host', 'https://example.com\\@evil.example/'],
    ['a backslash in the path', 'https://example.com/a\\b'],
    ['no slash', 'https:example.com'],
    ['one slash', 'https:/example.com'],
    ['three slashes', 'https:///example.com'],
    ['no host', 'https://'],
    ['a bidirectional override', 'https://example.com/\u202egpj.exe'],
    ['a zero-width space', 'https://exam\u200bple.com/'],
    ['a soft hyphen in the host', 'https://exam\xadple.com/'],
    ['a lone surrogate', 'https://example.com/\ud800'],
    ['a port out of range', 'https://example.com:65536/'],
    ['a percent sign in the host', 'https://exa%mple.com/'],
    ['an address that is none', 'http://1.2.3.256/'],
    ['a space in the host', 'https://exa mple.com/'],
  ])('URL with %s is refused: %j', (_name, text) => {
    expect(clean(text)).toBeUndefined();
  });
});

test('URLs with other protocols than the allowed ones are refused', () => {
  expect(clean('http://example.com/', { protocols: ['https:'] })).toBeUndefined();
  expect(clean('https://example.com/', { protocols: ['https:'] })).toBe('https://example.com/');
  expect(clean('wss://example.com/', { protocols: ['wss:'] })).toBe('wss://example.com/');
});

test('a URL above maxLength is refused, as it comes and in canonical form', () => {
  const base = 'https://example.com/';
  expect(clean(base + 'a'.repeat(2_028))).toHaveLength(2_048);
  expect(clean(base + 'a'.repeat(2_029))).toBeUndefined();
  expect(clean(`${base}ü`, { maxLength: 26 })).toBe(`${base}%C3%BC`);
  expect(clean(`${base}ü`, { maxLength: 25 })).toBeUndefined();
  expect(clean(`${base}${'./'.repeat(10)}`, { maxLength: 39 })).toBeUndefined();
  expect(Object.fromEntries(Object.entries(webUrl()))).toEqual({
    type: 'string',
    format: 'uri',
    maxLength: 2_048,
  });
});

describe('only the hosts that are listed', () => {
  const hosts = ['Example.com', 'bücher.example', 'example.org:8443', '*.example.net', '[::1]', '127.0.0.1'];
  test.each([
    ['https://example.com/', true],
    ['http://example.com/', true],
    ['https://EXAMPLE.COM/', true],
    ['https://example.com:8443/', false],
    ['https://example.com./', false],
    ['https://www.example.com/', false],
    ['https://evil-example.com/', false],
    ['https://example.com.evil.example/', false],
    ['https://xn--bcher-kva.example/', true],
    ['https://BÜCHER.example/', true],
    ['https://example.org:8443/', true],
    ['https://example.org/', false],
    ['https://a.example.net/', true],
    ['https://a.b.example.net/', false],
    ['https://example.net/', false],
    ['https://.example.net/', false],
    ['https://a.example.net:8443/', false],
    ['https://aexample.net/', false],
    ['http://[::1]/', true],
    ['http://2130706433/', true],
  ])('with hosts, %s is allowed: %j', (text, listed) => {
    expect(clean(text, { hosts }) !== undefined).toBe(listed);
    expect(clean(text)).toBeDefined();
  });
});

test('property: what passes is canonical, on the Web, and passes again unchanged', () => {
  const near = fc
    .tuple(
      fc.constantFrom('https://', 'http://', 'javascript:', 'HTTPS:/', ''),
      fc.oneof(hostileText, fc.webUrl()),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(
      fc.oneof(near, fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.string()),
      (text) => {
        const href = clean(text);
        if (href === undefined) return;
        expect(href).toMatch(/^https?:\/\/[^/@\s]+\/[!-~]*$/);
        expect(clean(href)).toBe(href);
      },
    ),
    { numRuns: 1_000 },
  );
});

describe('a mistake in the options throws:', () => {
  test.each([
    [{ protocol: ['https:'] }, /webUrl\(\{ protocol \}\).*Did you mean 'protocols'\?/],
    [{ protocols: [] }, /protocols.*empty/],
    [{ protocols: ['https'] }, /protocols.*'https' is no scheme/],
    [{ protocols: ['https:', 'javascript:'] }, /protocols.*'javascript:'/],
    [{ protocols: ['data:'] }, /protocols.*'data:'/],
    [{ protocols: 'https:' }, /protocols.*not a list/],
    [{ maxLength: 0 }, /maxLength/],
    [{ hosts: [] }, /hosts.*empty/],
    [{ hosts: ['https://example.com'] }, /hosts.*is no host/],
    [{ hosts: ['example.com/path'] }, /hosts.*is no host/],
    [{ hosts: ['user@example.com'] }, /hosts.*is no host/],
    [{ hosts: ['exa mple.com'] }, /hosts.*is no host/],
    [{ hosts: [''] }, /hosts.*is no host/],
    [{ hosts: ['*'] }, /hosts.*is no host/],
    [{ hosts: ['a.*.example.com'] }, /hosts.*is no host/],
    [{ hosts: ['*.*.example.com'] }, /hosts.*is no host/],
    [{ hosts: ['*.com'] }, /hosts.*'\*\.com' is everybody's/],
  ])('webUrl(%j) throws a PolicyError', (options, message) => {
    expect(() => webUrl(options as WebUrlOptions)).toThrow(message);
  });
});
