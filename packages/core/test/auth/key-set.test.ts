import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { errors } from 'jose';
import { Issuer } from '../../../../test/support/issuer.ts';
import { KeySet } from '../../src/auth/key-set.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const good = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'good', use: 'sig', alg: 'ES256' };
const header = { alg: 'ES256', kid: 'good' };
const token = { payload: '', signature: '' };

describe('an entry that cannot be read', () => {
  test.each<[string, unknown, string]>([
    ['null', null, 'it is not an object'],
    ['a text', 'key', 'it is not an object'],
    ['a list', [good], 'it is not an object'],
    ['an object without kty', { kid: 'x' }, 'it has no kty'],
    ['an EC key without its point', { kty: 'EC', crv: 'P-256' }, 'its members cannot be read'],
    ['an EC key with a number as its point', { ...good, x: 5 }, 'its members cannot be read'],
    ['an EC key beside its curve', { ...good, x: 'AA' }, 'its members cannot be read'],
    ['an EC key of an unknown curve', { ...good, crv: 'P-0' }, 'its members cannot be read'],
    ['an RSA key without a modulus', { kty: 'RSA', e: 'AQAB' }, 'its members cannot be read'],
    [
      'an RSA key of 1024 bits',
      weak.publicKey.export({ format: 'jwk' }),
      'it is an RSA key of 1024 bits, which can be broken',
    ],
    ['an empty x5c', { kty: 'EC', x5c: [] }, 'its certificate (x5c) cannot be read'],
    ['an x5c that is a text', { kty: 'EC', x5c: 'MII' }, 'its certificate (x5c) cannot be read'],
    ['an x5c that is no list', { kty: 'EC', x5c: 7 }, 'its certificate (x5c) cannot be read'],
    ['an x5c of rubbish', { kty: 'EC', x5c: ['MIIrubbish'] }, 'its certificate (x5c) cannot be read'],
  ])('%s is told, and the others of the set are used', async (_, entry, problem) => {
    const set = new KeySet({ keys: [entry, good] });
    expect(set.unreadable).toEqual([expect.objectContaining({ index: 0, problem })]);
    expect(await set.find(header, token)).toBeDefined();
  });

  test.each([{ kty: 'oct', k: 'AA' }, { kty: 'AKP', alg: 'ML-DSA-44' }, { kty: 'new' }])(
    'an entry of another kind is passed over: %j',
    (entry) => {
      expect(new KeySet({ keys: [entry, good] })).toMatchObject({
        unreadable: [],
        keys: [{ kid: 'good' }],
      });
    },
  );
});

test.each([null, undefined, 5, '{}', [], {}, { keys: null }, { keys: {} }, { keys: 'none' }])(
  'a set that is none throws: %j',
  (value) => {
    expect(() => new KeySet(value)).toThrow(/no JSON Web Key Set/);
  },
);

describe('a certificate', () => {
  test('a certificate alone gives its key, with the type of the entry or without one', async () => {
    const issuer = await Issuer.start();
    try {
      const x5c = [await issuer.certificate()];
      const [{ x, y }] = issuer.keys as [{ x: string; y: string }];
      for (const entry of [{ kty: 'EC', x5c }, { x5c }])
        expect(new KeySet({ keys: [{ ...entry, kid: 'good', use: 'sig' }] }).keys).toEqual([
          { kty: 'EC', crv: 'P-256', x, y, kid: 'good', use: 'sig' },
        ]);
      const [told] = new KeySet({ keys: [{ kty: 'RSA', x5c }] }).unreadable;
      expect(told?.problem).toBe('its certificate is not of type RSA');
      // A key that has members of its own is not replaced.
      const [own] = new KeySet({ keys: [{ ...good, x5c }] }).keys;
      expect(own?.x).toBe(good.x);
    } finally {
      await issuer.stop();
    }
  });
});

test('of a private key that was published, only the public half is kept', () => {
  const [key] = new KeySet({ keys: [ec.privateKey.export({ format: 'jwk' })] }).keys;
  expect(key).not.toHaveProperty('d');
});

test.each([{ use: 'enc' }, { key_ops: ['encrypt'] }, { alg: 'ES384' }, { kid: 'other' }])(
  'a key that is not for this token does not verify it: %j',
  async (more) => {
    const set = new KeySet({ keys: [{ ...good, ...more }] });
    await expect(set.find(header, token)).rejects.toThrow(errors.JWKSNoMatchingKey);
  },
);
