import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { importKeys, type KeyOptions, algorithms as kind } from '../../src/auth/jwt-keys.ts';
import { RemoteKeys } from '../../src/auth/remote-keys.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const ed = generateKeyPairSync('ed25519');
const x25519 = generateKeyPairSync('x25519');
const pem = (pair: { publicKey: import('node:crypto').KeyObject }) =>
  pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const jwkOf = (pair: { publicKey: import('node:crypto').KeyObject }, more: object = {}) =>
  ({ ...pair.publicKey.export({ format: 'jwk' }), ...more }) as never;
const SECRET = 's'.repeat(64);
const oct = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') };

describe('algorithms', () => {
  test.each([
    [[], /no algorithm is allowed.*List/],
    ['ES256', /no algorithm is allowed/],
    [['none'], /unsigned tokens.*Remove it/],
    [['NONE'], /unsigned tokens/],
    [['nOnE', 'ES256'], /unsigned tokens/],
    [['ES256K'], /not supported.*ES256/],
    [['HS1'], /not supported/],
    [['toString'], /not supported/],
    [['constructor'], /not supported/],
    [[''], /not supported/],
    [[undefined], /not supported/],
    [['HS256', 'RS256'], /public key be used as the secret.*Keep one family/],
    [['EdDSA', 'HS512'], /public key be used as the secret/],
  ])('algorithms %j throw a PolicyError', (algorithms, message) => {
    expect(() => kind.read(algorithms, 'jwt({ algorithms })')).toThrow(message);
  });

  test.each([[['HS256', 'HS384', 'HS512']], [['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']]])(
    'algorithms %j are accepted',
    (algorithms) => {
      expect(() => kind.read(algorithms, 'jwt({ algorithms })')).not.toThrow();
    },
  );
});

describe('a key that is refused at construction', () => {
  const refused: [string, KeyOptions, string[], RegExp][] = [
    ['nothing', {}, ['ES256'], /there is no key.*exactly one/],
    ['two keys', { secret: SECRET, jwk: oct }, ['HS256'], /secret and jwk are given together/],
    ['a secret for public-key signatures', { secret: SECRET }, ['ES256'], /does not verify.*one family/],
    ['a public key for HMAC', { publicKey: pem(rsa) }, ['HS256'], /never be an HMAC secret/],
    ['a public JWK for HMAC', { jwk: jwkOf(ec) }, ['HS256'], /never be an HMAC secret/],
    ['a PEM key as the secret', { secret: pem(rsa) }, ['HS256'], /looks like a PEM key.*publicKey/],
    ['a secret of 31 bytes', { secret: 's'.repeat(31) }, ['HS256'], /31 bytes are too few.*32/],
    ['a secret that is short for one of two', { secret: 's'.repeat(32) }, ['HS256', 'HS512'], /too few.*64/],
    ['an empty secret', { secret: '' }, ['HS256'], /too few/],
    ['a short secret as a JWK', { jwk: { kty: 'oct', k: 'c2hvcnQ' } }, ['HS256'], /too few/],
    ['a secret JWK for public-key signatures', { jwk: oct }, ['RS256'], /does not verify/],
    ['text that is no public key', { publicKey: 'key' }, ['RS256'], /cannot be read.*PEM/],
    [
      'a secret key object as the public key',
      { publicKey: createSecretKey(Buffer.from(SECRET)) },
      ['RS256'],
      /secret key/,
    ],
    ['an RSA key of 1024 bits', { publicKey: pem(weak) }, ['RS256'], /1024 bits can be broken/],
    ['an RSA JWK of 1024 bits', { jwk: jwkOf(weak) }, ['RS256'], /1024 bits/],
    ['a JWK for encryption', { jwk: jwkOf(ec, { use: 'enc' }) }, ['ES256'], /its use is "enc".*signatures/],
    ['a JWK with an empty use', { jwk: jwkOf(ec, { use: '' }) }, ['ES256'], /its use is ""/],
    [
      'a JWK that only signs',
      { jwk: jwkOf(ec, { key_ops: ['sign'] }) },
      ['ES256'],
      /its key_ops are \["sign"\]/,
    ],
    ['a JWK without operations', { jwk: jwkOf(ec, { key_ops: [] }) }, ['ES256'], /its key_ops are \[\]/],
    ['a JWK with a text of operations', { jwk: jwkOf(ec, { key_ops: 'verify' }) }, ['ES256'], /its key_ops/],
    [
      'a JWK for another algorithm',
      { jwk: jwkOf(rsa, { alg: 'PS256' }) },
      ['RS256', 'RS384'],
      /its alg is "PS256", which is not among RS256, RS384.*algorithms/,
    ],
    [
      'a JWK that names an algorithm of another type of key',
      { jwk: jwkOf(ec, { alg: 'RS256' }) },
      ['RS256', 'ES256'],
      /verifies none of RS256/,
    ],
    ['a secret JWK for encryption', { jwk: { ...oct, use: 'enc' } }, ['HS256'], /its use is "enc"/],
    ['a secret JWK for another algorithm', { jwk: { ...oct, alg: 'A256GCM' } }, ['HS256'], /its alg is/],
    [
      'a secret JWK that is short for its algorithm',
      { jwk: { kty: 'oct', k: 'x'.repeat(43), alg: 'HS512' } },
      ['HS256', 'HS512'],
      /32 bytes are too few for HS512/,
    ],
    ['null as a JWK', { jwk: null as never }, ['ES256'], /it is not an object/],
    [
      'a set with a broken key',
      { jwks: { keys: [jwkOf(ec), { kty: 'EC' }] } },
      ['ES256'],
      /keys\[1\]: its members/,
    ],
    ['a set with null', { jwks: { keys: [null as never] } }, ['ES256'], /keys\[0\]: it is not an object/],
    [
      'a set of keys for encryption',
      { jwks: { keys: [jwkOf(ec, { use: 'enc' })] } },
      ['ES256'],
      /none of its keys is for verifying ES256/,
    ],
    ['a JWK that is none', { jwk: { kty: 'RSA' } }, ['RS256'], /cannot be read/],
    [
      'an RSA key where only ECDSA is allowed',
      { publicKey: pem(rsa) },
      ['ES256'],
      /verifies none of ES256.*RS256/,
    ],
    ['an EC key of another curve', { publicKey: pem(ec) }, ['ES384'], /verifies none of ES384.*ES256/],
    ['an EC key of a curve nobody lists', { publicKey: pem(koblitz) }, ['ES256'], /verifies none of ES256/],
    ['a key that signs nothing', { publicKey: pem(x25519) }, ['EdDSA'], /verifies none of EdDSA/],
    ['an empty set', { jwks: { keys: [] } }, ['ES256'], /it has no keys/],
    ['something else as a set', { jwks: {} as never }, ['ES256'], /it has no keys/],
    ['a set with a secret in it', { jwks: { keys: [jwkOf(ec), oct] } }, ['ES256'], /type 'oct'/],
    ['a public set for HMAC', { jwks: { keys: [jwkOf(ec)] } }, ['HS256'], /type 'EC'/],
    ['a set of secrets', { jwks: { keys: [oct] } }, ['HS256'], /not supported.*'jwk'/],
    [
      'a remote set without TLS',
      { jwks: 'http://id.example.com/jwks' },
      ['ES256'],
      /replace the keys.*https/,
    ],
    ['a remote set by another scheme', { jwks: 'file:///jwks.json' }, ['ES256'], /replace the keys/],
    ['a remote set that is no URL', { jwks: 'id.example.com' }, ['ES256'], /not a URL/],
    ['a remote set for HMAC', { jwks: 'https://id.example.com/jwks' }, ['HS256'], /not published/],
  ];
  test.each(refused)('jwt() with %s as its key throws a PolicyError', (_, options, algorithms, message) => {
    expect(() => importKeys(options, algorithms)).toThrow(message);
    expect(() => importKeys(options, algorithms)).toThrow(/^jwt\(/);
  });

  test('no error about a key contains the secret', () => {
    const secret = 'correct horse battery staple';
    expect(() => importKeys({ secret }, ['HS256'])).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });
});

describe('a key that is taken', () => {
  const taken: [string, KeyOptions, string[], boolean][] = [
    ['a secret text', { secret: SECRET }, ['HS512'], false],
    ['secret bytes', { secret: Buffer.alloc(32, 7) }, ['HS256'], false],
    ['a secret JWK', { jwk: oct }, ['HS256'], false],
    ['RSA as PEM', { publicKey: pem(rsa) }, ['RS256', 'PS512'], false],
    ['EC as a key object', { publicKey: ec.publicKey }, ['ES256'], false],
    ['Ed25519 as a JWK', { jwk: jwkOf(ed) }, ['EdDSA'], false],
    [
      'a JWK that states its use',
      { jwk: jwkOf(ec, { use: 'sig', key_ops: ['verify'], alg: 'ES256' }) },
      ['ES256'],
      false,
    ],
    ['a set', { jwks: { keys: [jwkOf(rsa), jwkOf(ec)] } }, ['RS256', 'ES256'], false],
    ['a remote set', { jwks: new URL('https://id.example.com/jwks') }, ['ES256'], true],
    ['a remote set on loopback', { jwks: 'http://127.0.0.1:4711/jwks' }, ['ES256'], true],
  ];
  test.each(taken)('jwt() accepts %s as its key', (_, options, algorithms, remote) => {
    expect(importKeys(options, algorithms).keys instanceof RemoteKeys).toBe(remote);
  });

  test('of a private key, only the public half is kept', () => {
    expect(importKeys({ publicKey: ec.privateKey }, ['ES256']).keys).toMatchObject({ type: 'public' });
  });

  test('of the algorithms, only the one that a JWK names is left', () => {
    const jwk = jwkOf(rsa, { alg: 'PS256' });
    expect(importKeys({ jwk }, ['RS256', 'PS256', 'PS512']).algorithms).toEqual(['PS256']);
    expect(importKeys({ jwk: jwkOf(rsa) }, ['RS256', 'PS256']).algorithms).toEqual(['RS256', 'PS256']);
  });
});
