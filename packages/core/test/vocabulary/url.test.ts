import { expect, test } from '@jest/globals';
import { parseUrl } from '../../src/vocabulary/url.ts';

test('an absolute URL is parsed as browsers do', () => {
  expect(parseUrl('HTTPS://Example.com:443/a/../b')?.href).toBe('https://example.com/b');
});

test.each(['', 'example.com', '/path', 'https://', 'https://[::1', 'https://a b/'])(
  '%j is no absolute URL',
  (text) => {
    expect(parseUrl(text)).toBeUndefined();
  },
);

test('a URL with letters beyond ASCII is parsed the same after thousands of calls', () => {
  // Enough for the engine to compile what is called; `URL.canParse` changes its mind between 10,000 and 100,000.
  let misread = 0;
  for (let i = 0; i < 200_000; i++) {
    if (parseUrl('https://bücher.example/ü')?.host !== 'xn--bcher-kva.example') misread++;
  }
  expect(misread).toBe(0);
});
