import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';

/** An entry of a key set from which no key can be made. */
export interface UnreadableKey {
  /** Its place in the set, from 0. */
  readonly index: number;
  readonly kid: unknown;
  /** Why, for operators. */
  readonly problem: string;
}

/** The types of keys that verify signatures (RFC 7518 §6.1, RFC 8037). A set may hold others, for other uses. */
const VERIFYING: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);
/** Bits. RFC 7518 §3.3. */
const SMALLEST_RSA = 2_048;

/**
 * A JSON Web Key Set (RFC 7517 §5). Each entry is read by itself, so that a broken one does not take the others away. An
 * entry that has only a certificate (`x5c`, RFC 7517 §4.7) gives the certificate's key.
 */
export class KeySet {
  readonly keys: readonly JWK[];
  readonly unreadable: readonly UnreadableKey[];
  /** Finds the key for a token's header. Rejects with jose's errors if there is none, or several. */
  readonly find: JWTVerifyGetKey;

  /** @throws TypeError if `value` is no key set. */
  constructor(value: unknown) {
    const entries: unknown = isObject(value) ? value.keys : undefined;
    if (!Array.isArray(entries)) throw new TypeError('it is no JSON Web Key Set, which is { "keys": [ … ] }');
    const keys: JWK[] = [];
    const unreadable: UnreadableKey[] = [];
    for (const [index, entry] of entries.entries()) {
      const key = readKey(entry);
      if (typeof key === 'string')
        unreadable.push({ index, kid: isObject(entry) ? entry.kid : undefined, problem: key });
      else if (key !== undefined) keys.push(key);
    }
    this.keys = keys;
    this.unreadable = unreadable;
    this.find = createLocalJWKSet({ keys });
  }
}

/** The public key of an entry; a text that says why it cannot be read; or `undefined` if it is of another kind. */
function readKey(entry: unknown): JWK | string | undefined {
  if (!isObject(entry)) return 'it is not an object';
  const { kty, kid, use, alg, key_ops, x5c, n, x } = entry;
  if (kty !== undefined && !VERIFYING.has(kty)) return undefined;
  const certified = n === undefined && x === undefined && x5c !== undefined;
  if (!certified && kty === undefined) return 'it has no kty';
  try {
    const key = certified ? certifiedKey(x5c) : createPublicKey({ key: entry as never, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? SMALLEST_RSA;
    if (bits < SMALLEST_RSA) return `it is an RSA key of ${bits} bits, which can be broken`;
    const members = key.export({ format: 'jwk' });
    if (kty !== undefined && members.kty !== kty) return `its certificate is not of type ${kty}`;
    return JSON.parse(
      JSON.stringify({
        ...members,
        kid: kid ?? undefined,
        use: use ?? undefined,
        alg: alg ?? undefined,
        key_ops: key_ops ?? undefined,
      }),
    );
  } catch {
    return certified ? 'its certificate (x5c) cannot be read' : 'its members cannot be read';
  }
}

/** The first certificate of `x5c` holds the key. The issuer's TLS vouches for it, so its dates and signature do not count. */
function certifiedKey(x5c: unknown): KeyObject {
  const [first] = x5c as [string];
  return new X509Certificate(Buffer.from(first, 'base64')).publicKey;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
