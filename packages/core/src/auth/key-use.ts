import type { JWK } from 'jose';

/**
 * Why a key is not for verifying signatures, by what it says itself (RFC 7517 §4.2, §4.3); `undefined` if it may be. The
 * rules are those for the keys of a set.
 */
export function misuse({ use, key_ops }: JWK): string | undefined {
  if (use !== undefined && use !== 'sig') return `its use is ${JSON.stringify(use)}, not "sig"`;
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify')))
    return `its key_ops are ${JSON.stringify(key_ops)}, without "verify"`;
  return undefined;
}

/** The algorithms that a key leaves open: all, or only the one that it names (RFC 7517 §4.4). */
export function algorithmsOf({ alg }: JWK, algorithms: readonly string[]): readonly string[] {
  return alg === undefined ? algorithms : algorithms.filter((name) => name === alg);
}
