import { expect, test } from '@jest/globals';
import { checkProtocols } from '../../src/sanitize/protocols.ts';

const ALLOWED = ['https:', 'http:'];

test('allowed schemes are returned', () => {
  expect(checkProtocols(['http:'], ALLOWED, 'f({ p })')).toEqual(['http:']);
});

test.each(['javascript:', 'https', 'HTTPS:'])('scheme %j throws a PolicyError with both fixes', (scheme) => {
  expect(() => checkProtocols(['http:', scheme], ALLOWED, 'f({ p })', '; or leave it out')).toThrow(
    `f({ p }): '${scheme}' is no scheme that it allows. Use 'https:', 'http:'; or leave it out.`,
  );
});

test('a value that is no list of texts throws a PolicyError', () => {
  expect(() => checkProtocols('https:' as never, ALLOWED, 'f({ p })')).toThrow(/^f\(\{ p \}\)/);
});
