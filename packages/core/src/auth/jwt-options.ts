import type { Kind } from '../vocabulary/option.ts';
import { refuseUnknown } from '../vocabulary/option-checks.ts';
import { checkedValue, duration, orFalse, size, text } from '../vocabulary/option-kinds.ts';
import { option, optional, readOptions, required, type Settings } from '../vocabulary/option-table.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Duration, Size } from '../vocabulary/units.ts';
import { schemeName } from './authenticator.ts';
import { type CredentialSource, places } from './credential-source.ts';
import { algorithms, KEY_OPTIONS, type KeyOptions } from './jwt-keys.ts';

/** Accepts tokens of every issuer that the key verifies. It switches off the check of `iss` and nothing else. */
export const unsafeAnyIssuer: unique symbol = Symbol('sallyport.unsafeAnyIssuer');
/** Accepts tokens that were issued for other services. It switches off the check of `aud` and nothing else. */
export const unsafeAnyAudience: unique symbol = Symbol('sallyport.unsafeAnyAudience');

/** Options of `jwt()`. Exactly one of the keys in `KeyOptions` is required. */
export interface JwtOptions<Scheme extends string = 'jwt'> extends KeyOptions {
  /** Where the token is looked for: `bearer()`, `cookie(name)`, `subprotocol()`, `query(name)`. */
  readonly from: readonly CredentialSource[];
  /**
   * The accepted signature algorithms, all of one family; never `none` (RFC 8725 §3.1). Else: `credential_invalid`
   * (401).
   */
  readonly algorithms: readonly string[];
  /** The accepted `iss`, or a list of them. Else: `credential_invalid` (401). */
  readonly issuer: string | readonly string[] | typeof unsafeAnyIssuer;
  /** The token's `aud` must name this service, or one of these. Else: `credential_invalid` (401). */
  readonly audience: string | readonly string[] | typeof unsafeAnyAudience;
  /** The only accepted `typ` header, such as `at+jwt` (RFC 9068). Default: any. Else: `credential_invalid` (401). */
  readonly type?: string;
  /**
   * How far the clocks of issuer and server may differ when `exp`, `nbf`, `iat` and the token's age are checked. A token
   * whose `iat` is further ahead is denied with `credential_invalid` (401); a revocation covers tokens that are dated
   * so much later than itself. Default: none.
   */
  readonly clockTolerance?: Duration;
  /** How old a token may be by its `iat`. Default: as old as its `exp` allows. Beyond: `credential_expired` (401). */
  readonly maxAge?: Duration;
  /**
   * Claims that must be there besides `sub` and `exp`, which are always required. Default: none. Else:
   * `credential_invalid` (401).
   */
  readonly requiredClaims?: readonly string[];
  /** The claim with the application's session id, which becomes `identity.session`. Default: `'sid'`. */
  readonly sessionClaim?: string;
  /** The length of the longest accepted token. Default: 8 KiB. Beyond: `credential_invalid` (401). */
  readonly maxBytes?: Size;
  /**
   * How many bytes of verified tokens are remembered, so that a reconnect costs no cryptography; `false` for none.
   * Times and revocations are checked each time. Default: 4 MiB.
   */
  readonly verifiedTokens?: Size | false;
  /**
   * For a key set with a URL: how long fetched keys may be used beyond their ten minutes, or the longer `max-age` of the
   * issuer's `Cache-Control`, while the issuer does not answer. Default: not at all. Beyond: `auth_unavailable` (503).
   */
  readonly staleIfError?: Duration;
  /** The `scheme` of the identities. Default: `'jwt'`. */
  readonly scheme?: Scheme;
}

/** One name, several, or the `unsafe` symbol. */
function expected<Open extends symbol>(
  name: string,
  open: Open,
): Kind<string | readonly string[] | Open, readonly string[] | undefined> {
  const openName = String(open.description?.split('.').at(-1));
  return {
    type: `string | string[] | ${openName}`,
    read(value, option) {
      if (value === open) return undefined;
      const list: unknown = typeof value === 'string' ? [value] : value;
      const isNamed = (entry: unknown): entry is string => typeof entry === 'string' && entry !== '';
      if (Array.isArray(list) && list.length > 0 && list.every(isNamed)) return list;
      throw new PolicyError(option, 'it is missing', `Name it, or write ${name}: ${openName}.`);
    },
  };
}

export const JWT_OPTIONS = {
  from: required(places(1)),
  algorithms: required(algorithms, 'credential_invalid'),
  issuer: required(expected('issuer', unsafeAnyIssuer), 'credential_invalid'),
  audience: required(expected('audience', unsafeAnyAudience), 'credential_invalid'),
  // jose takes an empty `typ` for "any".
  type: optional(
    checkedValue<string>(
      'string',
      (value) => typeof value === 'string' && value !== '',
      'it names no type',
      "Give 'at+jwt', say, or leave it out for any.",
    ),
    'any',
    'credential_invalid',
  ),
  clockTolerance: optional(duration, 'none'),
  maxAge: optional(duration, 'as old as its `exp` allows', 'credential_expired'),
  requiredClaims: option(
    checkedValue<readonly string[]>(
      'string[]',
      (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
      'it is not a list of names',
      "Give ['tenant'], say.",
    ),
    [],
    'credential_invalid',
  ),
  sessionClaim: option(text("Name a claim, or leave it out for 'sid'."), 'sid'),
  maxBytes: option(size, '8KiB', 'credential_invalid'),
  verifiedTokens: option(orFalse(size), '4MiB'),
  staleIfError: optional(duration, 'not at all', 'auth_unavailable'),
  scheme: option(schemeName, 'jwt'),
};

/** Times in milliseconds, sizes in bytes. */
export type JwtSettings = Settings<typeof JWT_OPTIONS>;

export function jwtSettings(options: JwtOptions<string>): JwtSettings {
  refuseUnknown(options, [...Object.keys(JWT_OPTIONS), ...Object.keys(KEY_OPTIONS)], 'jwt()');
  return readOptions(JWT_OPTIONS, options, 'jwt()');
}
