import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { Denial, deny } from '../decision.ts';
import { PolicyError } from '../errors.ts';
import type { Clock, Identity } from '../ports.ts';
import { type Duration, parseDuration, parseSize, type Size } from '../units.ts';
import { type Authenticator, checkScheme, freezeIdentity } from './authenticator.ts';
import { isCanonicalToken } from './compact-token.ts';
import type { CredentialSource } from './credential.ts';
import { checkAlgorithms, importKeys, type KeyOptions, type Keys } from './keys.ts';

/** Accepts tokens of every issuer that the key verifies. */
export const unsafeAnyIssuer: unique symbol = Symbol('sallyport.unsafeAnyIssuer');
/** Accepts tokens that were made for other services. */
export const unsafeAnyAudience: unique symbol = Symbol('sallyport.unsafeAnyAudience');

export type JwtClaims = Readonly<JWTPayload>;
export type JwtIdentity<Scheme extends string = 'jwt', C = JwtClaims> = Identity<Scheme, C>;

export interface JwtOptions<Scheme extends string = 'jwt'> extends KeyOptions {
  /** Where the token is looked for: `bearer()`, `cookie(name)`, `subprotocol()`, `query(name)`. */
  readonly from: readonly CredentialSource[];
  /** The only signature algorithms accepted, all of one family; never `none` (RFC 8725 §3.1). */
  readonly algorithms: readonly string[];
  /** The only accepted `iss`; a list accepts each of them. */
  readonly issuer: string | readonly string[] | typeof unsafeAnyIssuer;
  /** The token's `aud` must name this, or one of these. */
  readonly audience: string | readonly string[] | typeof unsafeAnyAudience;
  /** The only accepted `typ` header, such as `at+jwt` (RFC 9068). Default: any. */
  readonly type?: string;
  /** How far clocks may differ when `exp`, `nbf` and the token's age are judged. Default: none. */
  readonly clockTolerance?: Duration;
  /** How old a token may be by its `iat`. Default: as old as its `exp` allows. */
  readonly maxAge?: Duration;
  /** Claims that must be there beside `sub` and `exp`, which always must. */
  readonly requiredClaims?: readonly string[];
  /** Which claim holds the application's session id, which becomes `identity.session`. Default: `sid`. */
  readonly sessionClaim?: string;
  /** The longest token that is looked at. Default: 8 KiB. A longer one is `credential_invalid`. */
  readonly maxBytes?: Size;
  /** The `scheme` of the identities. Default: `jwt`. */
  readonly scheme?: Scheme;
}

const KNOWN: ReadonlySet<string> = new Set<keyof JwtOptions>([
  'from', 'algorithms', 'issuer', 'audience', 'type', 'clockTolerance', 'maxAge', 'requiredClaims', 'sessionClaim', 'maxBytes',
  'scheme', 'secret', 'publicKey', 'jwk', 'jwks',
]); // biome-ignore format: a list of names reads best as a block

/**
 * JSON Web Tokens (RFC 7519, RFC 8725), verified with pinned keys: `jku`, `x5u` and `jwk` headers are ignored, only the
 * canonical spelling of a token counts, `sub` and `exp` must be there.
 *
 * Denies with `credential_expired`, `credential_invalid`, or `auth_unavailable` when remote keys cannot be fetched.
 */
export function jwt<const Scheme extends string = 'jwt'>(
  options: JwtOptions<Scheme>,
): Authenticator<JwtIdentity<Scheme>> {
  for (const key of Object.keys(options)) {
    if (!KNOWN.has(key))
      throw new PolicyError('jwt()', `unknown option '${key}'`, `Use ${[...KNOWN].join(', ')}.`);
  }
  if (!Array.isArray(options.from) || options.from.length === 0) {
    throw new PolicyError(
      'jwt({ from })',
      'there is no place to look for the token',
      'Give [bearer()], say.',
    );
  }
  checkAlgorithms(options.algorithms);
  const keys = importKeys(options, options.algorithms);
  const scheme = checkScheme(options.scheme ?? 'jwt', 'jwt({ scheme })') as Scheme;
  const sessionClaim = options.sessionClaim ?? 'sid';
  const maxBytes = parseSize(options.maxBytes ?? '8KiB', 'jwt({ maxBytes })');
  const checks = verifyOptions(options);

  return {
    scheme,
    from: options.from,
    ambient: false,
    asksOutside: keys.remote,
    async authenticate({ credential, clock }) {
      if (credential === undefined || credential.length > maxBytes || !isCanonicalToken(credential)) {
        return deny('credential_invalid', 'the token is not in canonical compact form, or too long');
      }
      const payload = await verify(credential, keys, checks, clock);
      if (payload instanceof Denial) return payload;
      const session = payload[sessionClaim];
      return freezeIdentity({
        scheme,
        subject: payload.sub as string,
        session: typeof session === 'string' ? session : undefined,
        tokenId: typeof payload.jti === 'string' ? payload.jti : undefined,
        issuedAt: payload.iat,
        expiresAt: payload.exp,
        claims: payload,
      });
    },
  };
}

function verifyOptions(options: JwtOptions<string>): JWTVerifyOptions {
  const seconds = (value: Duration, name: string): number => parseDuration(value, `jwt({ ${name} })`) / 1_000;
  const named = (
    value: string | readonly string[] | symbol,
    name: string,
    open: symbol,
  ): string[] | undefined => {
    if (value === open) return undefined;
    const list = typeof value === 'string' ? [value] : value;
    if (
      !Array.isArray(list) ||
      list.length === 0 ||
      list.some((entry) => typeof entry !== 'string' || entry === '')
    ) {
      throw new PolicyError(
        `jwt({ ${name} })`,
        'it is missing',
        `Name it, or write ${name}: ${open.description?.split('.')[1]}.`,
      );
    }
    return list;
  };
  const { requiredClaims = [], type } = options;
  if (!Array.isArray(requiredClaims) || requiredClaims.some((name) => typeof name !== 'string'))
    throw new PolicyError('jwt({ requiredClaims })', 'it is not a list of names', "Give ['tenant'], say.");
  // jose reads an empty `typ` as "any".
  if (type !== undefined && (typeof type !== 'string' || type === ''))
    throw new PolicyError(
      'jwt({ type })',
      'it names no type',
      "Give 'at+jwt', say, or leave it out for any.",
    );
  const issuer = named(options.issuer, 'issuer', unsafeAnyIssuer);
  const audience = named(options.audience, 'audience', unsafeAnyAudience);
  return {
    algorithms: [...options.algorithms],
    requiredClaims: ['sub', 'exp', ...requiredClaims],
    ...(issuer && { issuer }),
    ...(audience && { audience }),
    ...(type !== undefined && { typ: type }),
    ...(options.clockTolerance !== undefined && {
      clockTolerance: seconds(options.clockTolerance, 'clockTolerance'),
    }),
    ...(options.maxAge !== undefined && { maxTokenAge: seconds(options.maxAge, 'maxAge') }),
  };
}

async function verify(
  token: string,
  keys: Keys,
  checks: JWTVerifyOptions,
  clock: Clock,
): Promise<JWTPayload | Denial> {
  let keyFailure: unknown;
  // A failure to get the keys is the issuer's, not the client's: it has to be told apart from a wrong token.
  const getKey: JWTVerifyGetKey = async (header, jws) => {
    if (typeof keys.key !== 'function') return keys.key;
    try {
      return await keys.key(header, jws);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys))
        keyFailure = error;
      throw error;
    }
  };
  try {
    const { payload } = await jwtVerify(token, getKey, { ...checks, currentDate: new Date(clock.now()) });
    if (typeof payload.sub !== 'string' || payload.sub === '')
      return deny('credential_invalid', 'sub is empty');
    return payload;
  } catch (error) {
    if (keyFailure !== undefined && keys.remote)
      return deny('auth_unavailable', 'the keys could not be fetched');
    return explainFailure(error);
  }
}

/** jose's error codes are fixed words, and claim names are the policy's own: neither repeats the token. */
function explainFailure(error: unknown): Denial {
  if (error instanceof errors.JWTExpired) return deny('credential_expired', 'exp has passed');
  if (error instanceof errors.JWTClaimValidationFailed)
    return deny('credential_invalid', `claim ${error.claim}: ${error.reason}`);
  return deny(
    'credential_invalid',
    error instanceof errors.JOSEError ? error.code : 'the token cannot be verified',
  );
}
