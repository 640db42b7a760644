import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, UnsecuredJWT } from 'jose';

/** By name of the algorithm (RFC 7518 §3.2). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);

/**
 * Verifies tokens that are signed with a shared secret, at once. jose asks WebCrypto, which hands each signature to another
 * thread and back: ten times what the hash itself costs. Only the signature is looked at here; the header and the claims are read
 * and judged by jose, as it does for `jwtVerify`.
 */
export class SharedSecret {
  readonly #key: KeyObject;
  readonly #checks: JWTVerifyOptions;
  /** The last one that was read: the tokens of one issuer mostly begin alike. */
  #header: Header = { text: '', hash: undefined, unsigned: '' };

  constructor(key: KeyObject, checks: JWTVerifyOptions) {
    this.#key = key;
    this.#checks = checks;
  }

  /**
   * The claims of a token in canonical form; `undefined` for one whose header says more than how it is signed, which is left to
   * `jwtVerify`.
   *
   * @throws JOSEError for a signature that is not this secret's, and for claims that do not fit.
   */
  verify(token: string, currentDate: Date): JWTPayload | undefined {
    const [start, end] = [token.indexOf('.'), token.lastIndexOf('.')];
    const text = token.slice(0, start);
    if (text !== this.#header.text) this.#header = this.#read(text, token);
    const { hash, unsigned } = this.#header;
    if (hash === undefined) return undefined;
    const expected = createHmac(hash, this.#key).update(token.slice(0, end), 'latin1').digest('base64url');
    // Of texts in canonical form only the same one stands for the same bytes.
    if (!isSame(expected, token.slice(end + 1))) throw new errors.JWSSignatureVerificationFailed();
    // The signature is right: of what is left to judge, jose has the same in its decoder for tokens without one.
    const { payload } = UnsecuredJWT.decode(`${unsigned}${token.slice(start, end)}.`, {
      ...this.#checks,
      currentDate,
    });
    return payload;
  }

  #read(text: string, token: string): Header {
    const { alg, typ, crit, b64 } = headerOf(token);
    // Extensions may change what is signed (RFC 7797).
    const isPlain = crit === undefined && b64 === undefined && this.#checks.algorithms?.includes(alg ?? '');
    return {
      text,
      hash: isPlain === true ? HASHES.get(alg ?? '') : undefined,
      unsigned: Buffer.from(JSON.stringify({ alg: 'none', typ })).toString('base64url'),
    };
  }
}

interface Header {
  /** As it stands in the token. */
  readonly text: string;
  /** `undefined` where it is for `jwtVerify` to say what becomes of it. */
  readonly hash: string | undefined;
  /** The same for a token without a signature, as far as claims are judged by it. */
  readonly unsigned: string;
}

function headerOf(token: string): { alg?: string; typ?: unknown; crit?: unknown; b64?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return {};
  }
}

/** Takes as long wherever they differ. */
function isSame(expected: string, given: string): boolean {
  return (
    expected.length === given.length &&
    timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(given, 'latin1'))
  );
}
