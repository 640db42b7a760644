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
import { type Authenticator, freezeIdentity } from './authenticator.ts';
import { isCanonicalToken } from './compact-token.ts';
import { importKeys, type Keys } from './jwt-keys.ts';
import { type JwtOptions, type JwtSettings, jwtSettings } from './jwt-options.ts';
import { KeySet } from './key-set.ts';
import { KeysUnavailable, RemoteKeys } from './remote-keys.ts';
import { SharedSecret } from './shared-secret.ts';
import { checkAhead, checkTimes, type TokenTimes } from './token-times.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** The claims of a verified token (RFC 7519 §4), as its issuer wrote them. */
export type JwtClaims = Readonly<JWTPayload>;
/** The identity that `jwt()` gives. `claims` are all claims of the token; `C` narrows them. */
export type JwtIdentity<Scheme extends string = 'jwt', C = JwtClaims> = Identity<Scheme, C>;

/**
 * Verifies JSON Web Tokens (RFC 7519, RFC 8725) with keys that the policy names: `jku`, `x5u` and `jwk` headers are
 * ignored. Only the canonical spelling of a token is accepted, and `sub` and `exp` are required.
 *
 * Denies with `credential_expired` or `credential_invalid` (401), or with `auth_unavailable` (503) if remote keys
 * cannot be fetched, or do not have the token's key and may not be fetched again yet.
 *
 * @example
 * ```ts
 * import { bearer, jwt, subprotocol } from '@sallyport/core';
 *
 * export const tokens = jwt({
 *   from: [bearer(), subprotocol()],
 *   jwks: 'https://id.example.com/.well-known/jwks.json',
 *   algorithms: ['ES256'],
 *   issuer: 'https://id.example.com',
 *   audience: 'chat',
 * });
 * ```
 */
export function jwt<const Scheme extends string = 'jwt'>(
  options: JwtOptions<Scheme>,
): Authenticator<JwtIdentity<Scheme>> {
  const settings = jwtSettings(options);
  const { from, issuer } = settings;
  const { keys, algorithms } = importKeys(options, settings.algorithms);
  const verifier = new TokenVerifier(keys, { ...settings, algorithms }, settings.scheme as Scheme);
  return {
    scheme: verifier.scheme,
    from,
    ambient: false,
    asksOutside: verifier.keys instanceof RemoteKeys,
    messageField: 'token',
    tolerance: settings.clockTolerance ?? 0,
    accepts: (token) => issuer === undefined || issuer.includes(claimedIssuer(token) ?? ''),
    forget: (revoked) => verifier.forget(revoked),
    authenticate: ({ credential, clock }) => verifier.verify(credential, clock),
  };
}

/** Not verified: it only chooses which of several authenticators verifies the token. */
function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

class TokenVerifier<Scheme extends string> {
  readonly #checks: JWTVerifyOptions;
  readonly #times: TokenTimes;
  readonly #verified: VerifiedTokens | undefined;
  /** For a key that is a shared secret. */
  readonly #secret: SharedSecret | undefined;
  readonly #sessionClaim: string;
  readonly #maxBytes: number;
  readonly #staleIfError: number;

  constructor(
    readonly keys: Keys,
    settings: JwtSettings,
    readonly scheme: Scheme,
  ) {
    const { clockTolerance = 0, maxAge, sessionClaim, maxBytes, verifiedTokens, staleIfError } = settings;
    this.#checks = verifyOptions(settings);
    this.#secret =
      'type' in keys && keys.type === 'secret' ? new SharedSecret(keys, this.#checks) : undefined;
    this.#times = {
      tolerance: clockTolerance / 1_000,
      maxAge: maxAge === undefined ? undefined : maxAge / 1_000,
    };
    this.#sessionClaim = sessionClaim;
    this.#maxBytes = maxBytes;
    this.#verified = verifiedTokens === false ? undefined : new VerifiedTokens(verifiedTokens);
    if (staleIfError !== undefined && !(keys instanceof RemoteKeys)) {
      throw new PolicyError(
        'jwt({ staleIfError })',
        'the keys are not fetched',
        'Leave it out, or give the URL of a key set.',
      );
    }
    this.#staleIfError = staleIfError ?? 0;
  }

  /** Synchronous for a token seen before and for a shared secret. */
  verify(token: string | undefined, clock: Clock): MaybePromise<JwtIdentity<Scheme> | Denial> {
    if (token === undefined || token.length > this.#maxBytes || !isCanonicalToken(token)) {
      return deny('credential_invalid', 'the token is not in canonical compact form, or too long');
    }
    const seen = this.#verified?.get(token, this.#generation(clock));
    if (seen !== undefined)
      return checkTimes(seen, this.#times, clock.now()) ?? (seen as JwtIdentity<Scheme>);
    try {
      const payload = this.#secret?.verify(token, new Date(clock.now()));
      if (payload !== undefined) return this.#accept(payload, token, undefined, clock);
    } catch (error) {
      return explainFailure(error);
    }
    return this.#verifySignature(token, clock);
  }

  forget(revoked: (identity: Identity) => boolean): void {
    this.#verified?.forget(revoked);
  }

  async #verifySignature(token: string, clock: Clock): Promise<JwtIdentity<Scheme> | Denial> {
    const generation = this.#generation(clock);
    try {
      const getKey: JWTVerifyGetKey = async (header, jws) =>
        this.keys instanceof RemoteKeys
          ? this.keys.find(this.#staleIfError, clock, header, jws)
          : this.keys instanceof KeySet
            ? this.keys.find(header, jws)
            : this.keys;
      const checks = { ...this.#checks, currentDate: new Date(clock.now()) };
      const { payload } = await jwtVerify(token, getKey, checks).catch((error) =>
        verifyWithEach(token, error, checks),
      );
      return this.#accept(payload, token, generation, clock);
    } catch (error) {
      if (error instanceof KeysUnavailable) return deny('auth_unavailable', error.message, error.retryAfter);
      return explainFailure(error);
    }
  }

  #accept(
    payload: JWTPayload,
    token: string,
    generation: unknown,
    clock: Clock,
  ): JwtIdentity<Scheme> | Denial {
    if (typeof payload.sub !== 'string' || payload.sub === '')
      return deny('credential_invalid', 'sub is empty');
    const ahead = checkAhead(payload.iat, this.#times.tolerance, clock.now());
    if (ahead !== undefined) return ahead;
    const identity = this.#identityOf(payload, payload.sub);
    // Do not remember a token under keys that were fetched while it was verified.
    if (generation === this.#generation(clock)) this.#verified?.set(token, identity, generation);
    return identity;
  }

  #generation(clock: Clock): unknown {
    return this.keys instanceof RemoteKeys ? this.keys.generation(clock.monotonic()) : undefined;
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

/** How many keys are tried for a token that names none of several. */
const MOST_TRIED = 4;

/** Verifies a token without a key id that fits several keys of a set, as while an issuer's keys change. */
async function verifyWithEach(
  token: string,
  error: unknown,
  checks: JWTVerifyOptions,
): Promise<{ payload: JWTPayload }> {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  let tried = 0;
  for await (const key of error) {
    if (tried++ === MOST_TRIED) break;
    try {
      return await jwtVerify(token, key, checks);
    } catch (failure) {
      if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

function verifyOptions(settings: JwtSettings): JWTVerifyOptions {
  const { algorithms, issuer, audience, type, clockTolerance, maxAge, requiredClaims } = settings;
  return {
    algorithms: [...algorithms],
    requiredClaims: ['sub', 'exp', ...requiredClaims],
    ...(issuer && { issuer: [...issuer] }),
    ...(audience && { audience: [...audience] }),
    ...(type !== undefined && { typ: type }),
    ...(clockTolerance !== undefined && { clockTolerance: clockTolerance / 1_000 }),
    ...(maxAge !== undefined && { maxTokenAge: maxAge / 1_000 }),
  };
}

/** Repeats nothing of the token: jose's error codes are fixed words, and claim names come from the policy. */
function explainFailure(error: unknown): Denial {
  if (error instanceof errors.JWTExpired) return deny('credential_expired', 'exp has passed');
  if (error instanceof errors.JWTClaimValidationFailed)
    return deny('credential_invalid', `claim ${error.claim}: ${error.reason}`);
  return deny(
    'credential_invalid',
    error instanceof errors.JOSEError ? error.code : 'the token cannot be verified',
  );
}
