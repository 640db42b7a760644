import {
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { type Denial, deny, type MaybePromise } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Clock, Identity } from '../vocabulary/ports.ts';
import { type Duration, parseDuration, parseSize, type Size } from '../vocabulary/units.ts';
import { type Authenticator, checkScheme, freezeIdentity } from './authenticator.ts';
import { isCanonicalToken } from './compact-token.ts';
import type { CredentialSource } from './credential-source.ts';
import { checkAlgorithms, importKeys, type KeyOptions, type Keys } from './jwt-keys.ts';
import { KeysUnavailable, RemoteKeys } from './remote-keys.ts';
import { SharedSecret } from './shared-secret.ts';
import { judgeTimes, type TokenTimes } from './token-times.ts';
import { VerifiedTokens } from './verified-tokens.ts';

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
  /**
   * How many bytes of tokens whose signature was verified are remembered, so that reconnecting is cheap; `false` for
   * none. Their times, and what is revoked, are judged each time. Default: 4 MiB.
   */
  readonly verifiedTokens?: Size | false;
  /**
   * With the URL of a key set: for how long after their ten minutes fetched keys may be used while the issuer does
   * not answer. Default: not at all, so that its outage then denies with `auth_unavailable` (503).
   */
  readonly staleIfError?: Duration;
  /** The `scheme` of the identities. Default: `jwt`. */
  readonly scheme?: Scheme;
}

const KNOWN: ReadonlySet<string> = new Set<keyof JwtOptions>([
  'from', 'algorithms', 'issuer', 'audience', 'type', 'clockTolerance', 'maxAge', 'requiredClaims', 'sessionClaim', 'maxBytes',
  'scheme', 'verifiedTokens', 'staleIfError', 'secret', 'publicKey', 'jwk', 'jwks',
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
  const verifier = new TokenVerifier(
    options,
    checkScheme(options.scheme ?? 'jwt', 'jwt({ scheme })') as Scheme,
  );
  const issuers = issuersOf(options);
  return {
    scheme: verifier.scheme,
    from: options.from,
    ambient: false,
    asksOutside: verifier.keys instanceof RemoteKeys,
    messageField: 'token',
    tolerance: parseTolerance(options),
    accepts: (token) => issuers === undefined || issuers.includes(claimedIssuer(token) ?? ''),
    forget: (revoked) => verifier.forget(revoked),
    authenticate: ({ credential, clock }) => verifier.verify(credential, clock),
  };
}

/** The `iss` that a token claims, unverified: only to choose which of several authenticators judges it. */
function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function issuersOf({ issuer }: JwtOptions<string>): readonly string[] | undefined {
  return typeof issuer === 'symbol' ? undefined : [issuer].flat();
}

/** Verifies the tokens of one `jwt()`. */
class TokenVerifier<Scheme extends string> {
  readonly keys: Keys;
  readonly #checks: JWTVerifyOptions;
  readonly #times: TokenTimes;
  readonly #verified: VerifiedTokens | undefined;
  /** There where the key is a shared secret. */
  readonly #secret: SharedSecret | undefined;
  readonly #sessionClaim: string;
  readonly #maxBytes: number;
  readonly #staleIfError: number;

  constructor(
    options: JwtOptions<Scheme>,
    readonly scheme: Scheme,
  ) {
    this.keys = importKeys(options, options.algorithms);
    this.#checks = verifyOptions(options);
    this.#secret =
      'type' in this.keys && this.keys.type === 'secret'
        ? new SharedSecret(this.keys, this.#checks)
        : undefined;
    this.#times = {
      tolerance: Number(this.#checks.clockTolerance ?? 0),
      maxAge: this.#checks.maxTokenAge as number | undefined,
    };
    this.#sessionClaim = options.sessionClaim ?? 'sid';
    this.#maxBytes = parseSize(options.maxBytes ?? '8KiB', 'jwt({ maxBytes })');
    const { verifiedTokens = '4MiB', staleIfError } = options;
    this.#verified =
      verifiedTokens === false
        ? undefined
        : new VerifiedTokens(parseSize(verifiedTokens, 'jwt({ verifiedTokens })'));
    if (staleIfError !== undefined && !(this.keys instanceof RemoteKeys)) {
      throw new PolicyError(
        'jwt({ staleIfError })',
        'the keys are not fetched',
        'Leave it out, or give the URL of a key set.',
      );
    }
    this.#staleIfError =
      staleIfError === undefined ? 0 : parseDuration(staleIfError, 'jwt({ staleIfError })');
  }

  /** At once for a token seen before, and for one that is signed with a shared secret; else after its signature is verified. */
  verify(token: string | undefined, clock: Clock): MaybePromise<JwtIdentity<Scheme> | Denial> {
    if (token === undefined || token.length > this.#maxBytes || !isCanonicalToken(token)) {
      return deny('credential_invalid', 'the token is not in canonical compact form, or too long');
    }
    const seen = this.#verified?.get(token, this.#generation());
    if (seen !== undefined)
      return judgeTimes(seen, this.#times, clock.now()) ?? (seen as JwtIdentity<Scheme>);
    try {
      const payload = this.#secret?.verify(token, new Date(clock.now()));
      if (payload !== undefined) return this.#accept(payload, token, undefined);
    } catch (error) {
      return explainFailure(error);
    }
    return this.#verifySignature(token, clock);
  }

  forget(revoked: (identity: Identity) => boolean): void {
    this.#verified?.forget(revoked);
  }

  async #verifySignature(token: string, clock: Clock): Promise<JwtIdentity<Scheme> | Denial> {
    const generation = this.#generation();
    try {
      const getKey: JWTVerifyGetKey = async (header, jws) =>
        this.keys instanceof RemoteKeys
          ? this.keys.find(this.#staleIfError, clock, header, jws)
          : typeof this.keys === 'function'
            ? this.keys(header, jws)
            : this.keys;
      const { payload } = await jwtVerify(token, getKey, {
        ...this.#checks,
        currentDate: new Date(clock.now()),
      });
      return this.#accept(payload, token, generation);
    } catch (error) {
      if (error instanceof KeysUnavailable) return deny('auth_unavailable', error.message);
      return explainFailure(error);
    }
  }

  #accept(payload: JWTPayload, token: string, generation: unknown): JwtIdentity<Scheme> | Denial {
    if (typeof payload.sub !== 'string' || payload.sub === '')
      return deny('credential_invalid', 'sub is empty');
    const identity = this.#identityOf(payload, payload.sub);
    // Keys that came in the meantime are not those it was verified with; it may be of one that is gone.
    if (generation === this.#generation()) this.#verified?.set(token, identity, generation);
    return identity;
  }

  #generation(): unknown {
    return this.keys instanceof RemoteKeys ? this.keys.generation : undefined;
  }

  #identityOf(claims: JWTPayload, subject: string): JwtIdentity<Scheme> {
    const session = claims[this.#sessionClaim];
    return freezeIdentity({
      scheme: this.scheme,
      subject,
      session: typeof session === 'string' ? session : undefined,
      tokenId: typeof claims.jti === 'string' ? claims.jti : undefined,
      issuedAt: claims.iat,
      expiresAt: claims.exp,
      claims,
    });
  }
}

function parseTolerance({ clockTolerance }: JwtOptions<string>): number {
  return clockTolerance === undefined ? 0 : parseDuration(clockTolerance, 'jwt({ clockTolerance })');
}

function verifyOptions(options: JwtOptions<string>): JWTVerifyOptions {
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
      clockTolerance: parseTolerance(options) / 1_000,
    }),
    ...(options.maxAge !== undefined && {
      maxTokenAge: parseDuration(options.maxAge, 'jwt({ maxAge })') / 1_000,
    }),
  };
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
