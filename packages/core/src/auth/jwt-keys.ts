import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import type { Kind } from '../vocabulary/option.ts';
import { optional } from '../vocabulary/option-table.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import { parseUrl } from '../vocabulary/url.ts';
import { KeySet } from './key-set.ts';
import { algorithmsOf, misuse } from './key-use.ts';
import { type RemoteKeys, remoteKeysOf } from './remote-keys.ts';

/** The key that verifies tokens. Set exactly one of these options. */
export interface KeyOptions {
  /**
   * A shared secret for HS256, HS384, HS512: at least as long as the hash (RFC 7518 §3.2). Text counts in UTF-8
   * bytes. Default: none.
   */
  readonly secret?: string | Uint8Array;
  /** A public key: PEM text (SPKI or certificate), or a `KeyObject`. Default: none. */
  readonly publicKey?: string | KeyObject;
  /**
   * One key as a JSON Web Key (RFC 7517). If it states `use`, `key_ops` or `alg`, it verifies nothing else. Default: none.
   */
  readonly jwk?: JWK;
  /** A local set of keys, or the `https:` URL of one, which is fetched when needed and shared. Default: none. */
  readonly jwks?: JSONWebKeySet | string | URL;
}

export type Keys = KeyObject | KeySet | RemoteKeys;

const HASH_BYTES: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** By type of key, or by curve if the type is not enough (RFC 7518 §3.4, RFC 8037). */
const ALGORITHMS_OF: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'rsa-pss': ['PS256', 'PS384', 'PS512'],
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
};

function isHmac(name: string): boolean {
  return Object.hasOwn(HASH_BYTES, name);
}

/** All optional here: `importKeys` demands exactly one. */
export const KEY_OPTIONS = {
  secret: optional(keyAs<string | Uint8Array>('string | Uint8Array'), 'none'),
  publicKey: optional(keyAs<string | KeyObject>('string | KeyObject'), 'none'),
  jwk: optional(keyAs<JWK>('JWK'), 'none'),
  jwks: optional(keyAs<JSONWebKeySet | string | URL>('JSONWebKeySet | string | URL'), 'none'),
};

function keyAs<T>(type: string): Kind<T> {
  return { type, read: (value) => value as T };
}

export const algorithms: Kind<readonly string[]> = {
  type: 'string[]',
  read(value) {
    checkAlgorithms(value as readonly string[]);
    return value as readonly string[];
  },
};

/** Refuses `none`, unknown names, and secrets together with public keys (RFC 8725 §3.1). */
function checkAlgorithms(algorithms: readonly string[]): void {
  const option = 'jwt({ algorithms })';
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw new PolicyError(
      option,
      'no algorithm is allowed',
      "List those that your issuer signs with, such as ['ES256'].",
    );
  }
  for (const name of algorithms) {
    if (String(name).toLowerCase() === 'none') {
      throw new PolicyError(option, "'none' accepts unsigned tokens", 'Remove it.');
    }
    if (!isHmac(name) && !ASYMMETRIC.includes(name)) {
      throw new PolicyError(
        option,
        `'${name}' is not supported`,
        `Use ${[...Object.keys(HASH_BYTES), ...ASYMMETRIC].join(', ')}.`,
      );
    }
  }
  const hmac = algorithms.filter(isHmac);
  if (hmac.length > 0 && hmac.length < algorithms.length) {
    throw new PolicyError(
      option,
      'HMAC and public-key algorithms together let a public key be used as the secret',
      'Keep one family, or use two jwt() authenticators.',
    );
  }
}

/** What a token is verified with. */
interface Imported {
  readonly keys: Keys;
  /** Those of the policy that the key is for. */
  readonly algorithms: readonly string[];
}

export function importKeys(options: KeyOptions, algorithms: readonly string[]): Imported {
  const given = (['secret', 'publicKey', 'jwk', 'jwks'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (given.length !== 1) {
    throw new PolicyError(
      'jwt()',
      given.length === 0 ? 'there is no key' : `${given.join(' and ')} are given together`,
      "Give exactly one of 'secret', 'publicKey', 'jwk' and 'jwks'.",
    );
  }
  const symmetric = algorithms.some(isHmac);
  const { secret, publicKey, jwk, jwks } = options;
  if (jwk !== undefined) {
    const own = checkUse(jwk, algorithms);
    return { keys: importJwk(jwk, own, symmetric), algorithms: own };
  }
  const keys =
    secret !== undefined
      ? importSecret(secret, algorithms, symmetric)
      : publicKey !== undefined
        ? importPublicKey(publicKey, algorithms, symmetric)
        : typeof jwks === 'string' || jwks instanceof URL
          ? publishedKeys(jwks, symmetric)
          : localKeys(jwks as JSONWebKeySet, algorithms, symmetric);
  return { keys, algorithms };
}

function importSecret(
  secret: string | Uint8Array,
  algorithms: readonly string[],
  symmetric: boolean,
): KeyObject {
  const option = 'jwt({ secret })';
  if (!symmetric) wrongFamily(option, 'a secret does not verify public-key signatures');
  const bytes = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : Buffer.from(secret);
  if (typeof secret === 'string' && secret.includes('-----BEGIN')) {
    throw new PolicyError(
      option,
      'it looks like a PEM key',
      "Give it as 'publicKey', with a public-key algorithm.",
    );
  }
  const needed = Math.max(...algorithms.map((name) => HASH_BYTES[name] ?? 0));
  if (bytes.length < needed) {
    throw new PolicyError(
      option,
      `${bytes.length} bytes are too few for ${algorithms.join(', ')}`,
      `Use at least ${needed} random bytes.`,
    );
  }
  return createSecretKey(bytes);
}

function importPublicKey(
  publicKey: string | KeyObject,
  algorithms: readonly string[],
  symmetric: boolean,
): KeyObject {
  const option = 'jwt({ publicKey })';
  if (symmetric) wrongFamily(option, 'a public key must never be an HMAC secret');
  let key: KeyObject;
  try {
    key =
      typeof publicKey === 'string'
        ? createPublicKey(publicKey)
        : publicKey.type === 'private'
          ? createPublicKey(publicKey)
          : publicKey;
  } catch {
    throw new PolicyError(option, 'it cannot be read', 'Give the PEM text of a public key or certificate.');
  }
  if (key.type !== 'public') throw new PolicyError(option, `it is a ${key.type} key`, 'Give the public key.');
  return checkPublicKey(key, algorithms, option);
}

/** The algorithms that the key is for. */
function checkUse(jwk: JWK, algorithms: readonly string[]): readonly string[] {
  const option = 'jwt({ jwk })';
  if (typeof jwk !== 'object' || jwk === null)
    throw new PolicyError(option, 'it is not an object', 'Give a JSON Web Key (RFC 7517).');
  const problem = misuse(jwk);
  if (problem !== undefined)
    throw new PolicyError(option, problem, 'Give the key that your issuer verifies signatures with.');
  const own = algorithmsOf(jwk, algorithms);
  if (own.length === 0)
    throw new PolicyError(
      option,
      `its alg is ${JSON.stringify(jwk.alg)}, which is not among ${algorithms.join(', ')}`,
      'Name it in `algorithms`, or give the key for one of these.',
    );
  return own;
}

function importJwk(jwk: JWK, algorithms: readonly string[], symmetric: boolean): KeyObject {
  const option = 'jwt({ jwk })';
  if (jwk.kty === 'oct') return importSecret(Buffer.from(jwk.k ?? '', 'base64url'), algorithms, symmetric);
  if (symmetric) wrongFamily(option, 'a public key must never be an HMAC secret');
  try {
    return checkPublicKey(createPublicKey({ key: jwk as never, format: 'jwk' }), algorithms, option);
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    throw new PolicyError(
      option,
      'it cannot be read',
      'Give a JSON Web Key with its public members (RFC 7517).',
    );
  }
}

/** Refuses a key that is too weak, or that fits none of the algorithms. */
function checkPublicKey(key: KeyObject, algorithms: readonly string[], option: string): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < 2_048) {
    throw new PolicyError(
      option,
      `an RSA key of ${bits} bits can be broken`,
      'Use 2048 bits or more (RFC 7518 §3.3).',
    );
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const kind = curve ?? key.asymmetricKeyType ?? 'unknown';
  const useful = ALGORITHMS_OF[kind] ?? [];
  if (!algorithms.some((name) => useful.includes(name))) {
    throw new PolicyError(
      option,
      `it is a key of type '${kind}', which verifies none of ${algorithms.join(', ')}`,
      useful.length === 0 ? 'Use an RSA, EC or Ed25519 key.' : `Its algorithms are ${useful.join(', ')}.`,
    );
  }
  return key;
}

function localKeys(jwks: JSONWebKeySet, algorithms: readonly string[], symmetric: boolean): KeySet {
  const option = 'jwt({ jwks })';
  if (!Array.isArray(jwks?.keys) || jwks.keys.length === 0) {
    throw new PolicyError(
      option,
      'it has no keys',
      'Give { keys: [...] } (RFC 7517 §5), or the URL of such a set.',
    );
  }
  for (const key of jwks.keys) {
    if ((key?.kty === 'oct') !== symmetric) wrongFamily(option, `it holds a key of type '${key?.kty}'`);
  }
  if (symmetric)
    throw new PolicyError(
      option,
      'a set of shared secrets is not supported',
      "Give one as 'jwk' or 'secret'.",
    );
  const set = new KeySet(jwks);
  const [broken] = set.unreadable;
  if (broken !== undefined)
    throw new PolicyError(option, `keys[${broken.index}]: ${broken.problem}`, 'Correct it, or leave it out.');
  if (!set.keys.some((key) => misuse(key) === undefined && algorithmsOf(key, algorithms).length > 0))
    throw new PolicyError(
      option,
      `none of its keys is for verifying ${algorithms.join(', ')}`,
      "Give a key for one of these, whose `use` is 'sig' if it has one.",
    );
  return set;
}

function publishedKeys(location: string | URL, symmetric: boolean): RemoteKeys {
  const option = 'jwt({ jwks })';
  if (symmetric) wrongFamily(option, 'shared secrets are not published');
  const url = parseUrl(String(location));
  if (url === undefined) throw new PolicyError(option, 'it is not a URL', "Give 'https://…/jwks.json'.");
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new PolicyError(
      option,
      `'${url.protocol}' lets anybody on the way replace the keys`,
      "Use an 'https:' URL.",
    );
  }
  return remoteKeysOf(url);
}

function wrongFamily(option: string, problem: string): never {
  throw new PolicyError(option, problem, 'Make the key and `algorithms` of one family (RFC 8725 §3.1).');
}
