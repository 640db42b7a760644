import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, UnsecuredJWT } from 'jose';

/** RFC 7518 §3.2. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);

/**
 * Verifies tokens signed with a shared secret, synchronously. jose uses WebCrypto, whose second thread costs ten
 * times as much as the hash. Only the signature is verified here: jose checks the header and the claims.
 */
export class SharedSecret {
  readonly #key: KeyObject;
  readonly #checks: JWTVerifyOptions;
  /** The last header, because the tokens of one issuer share it. */
  #header: Header = { text: '', hash: undefined, unsigned: '' };

  constructor(key: KeyObject, checks: JWTVerifyOptions) {
    this.#key = key;
    this.#checks = checks;
  }

  /**
   * Takes a token in canonical form. `undefined` if `jwtVerify` must check its header.
   *
   * @throws JOSEError if the signature or a claim is wrong.
   */
  verify(token: string, currentDate: Date): JWTPayload | undefined {
    const [start, end] = [token.indexOf('.'), token.lastIndexOf('.')];
    const text = token.slice(0, start);
    if (text !== this.#header.text) this.#header = this.#read(text, token);
    const { hash, unsigned } = this.#header;
    if (hash === undefined) return undefined;
    const expected = createHmac(hash, this.#key).update(token.slice(0, end), 'latin1').digest('base64url');
    // In canonical form, equal bytes have equal texts.
    if (!isSame(expected, token.slice(end + 1))) throw new errors.JWSSignatureVerificationFailed();
    // jose's decoder for unsigned tokens does the remaining checks.
    const { payload } = UnsecuredJWT.decode(`${unsigned}${token.slice(start, end)}.`, {
      ...this.#checks,
      currentDate,
    });
    return payload;
  }

  #read(text: string, token: string): Header {
    const { alg, typ, crit, b64 } = headerOf(token);
    // An extension may change what is signed (RFC 7797).
    const isPlain = crit === undefined && b64 === undefined && this.#checks.algorithms?.includes(alg ?? '');
    return {
      text,
      hash: isPlain === true ? HASHES.get(alg ?? '') : undefined,
      unsigned: Buffer.from(JSON.stringify({ alg: 'none', typ })).toString('base64url'),
    };
  }
}

interface Header {
  readonly text: string;
  /** `undefined` if `jwtVerify` must check this header. */
  readonly hash: string | undefined;
  /** The header of an unsigned token, for jose's decoder. */
  readonly unsigned: string;
}

function headerOf(token: string): { alg?: string; typ?: unknown; crit?: unknown; b64?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return {};
  }
}

/** In constant time. */
function isSame(expected: string, given: string): boolean {
  return (
    expected.length === given.length &&
    timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(given, 'latin1'))
  );
}
