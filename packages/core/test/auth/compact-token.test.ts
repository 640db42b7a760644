import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCanonicalToken } from '../../src/auth/compact-token.ts';

const part = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));

test('property: what an encoder writes is canonical', () => {
  fc.assert(
    fc.property(part, part, part, (header, payload, signature) => {
      expect(isCanonicalToken(`${header}.${payload}.${signature}`)).toBe(true);
    }),
  );
});

test('property: of all texts that decode to the same bytes, only one is canonical', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  fc.assert(
    fc.property(part, fc.constantFrom(...alphabet), (text, last) => {
      const other = text.slice(0, -1) + last;
      const same = Buffer.from(other, 'base64url').equals(Buffer.from(text, 'base64url'));
      if (same) expect(isCanonicalToken(`e30.e30.${other}`)).toBe(other === text);
    }),
  );
});

describe('refused', () => {
  test.each([
    ['padding', 'e30.e30.AA=='],
    ['padding written as text', 'e30.e30.AA%3D%3D'],
    ['white space in front', ' e30.e30.AAAA'],
    ['white space behind', 'e30.e30.AAAA '],
    ['a line break', 'e30.e30.AAAA\n'],
    ['a line break inside', 'e30.e\n30.AAAA'],
    ['the other base64 alphabet', 'e30.e30.++//'],
    ['two parts', 'e30.e30'],
    ['four parts', 'e30.e30.AAAA.AAAA'],
    ['an encrypted token', 'e30.AA.AA.AA.AA'],
    ['an empty signature', 'e30.e30.'],
    ['an empty payload', 'e30..AAAA'],
    ['nothing', ''],
    ['an impossible length', 'e30.e30.AAAAA'],
    ['stray bits at the end of a part', 'e31.e30.AAAA'],
    ['stray bits at the end of the signature', 'e30.e30.AB'],
    ['letters that are not ASCII', 'e30.e30.ÄÄÄÄ'],
  ])('a token with %s is not canonical', (_, token) => {
    expect(isCanonicalToken(token)).toBe(false);
  });
});
