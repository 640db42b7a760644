import { Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Kind } from '../vocabulary/option.ts';
import { callback, checkedValue, duration, flag } from '../vocabulary/option-kinds.ts';
import { option, optional, readOnlyOptions, required } from '../vocabulary/option-table.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Claims, Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import type { Duration } from '../vocabulary/units.ts';
import { type Authenticator, freezeIdentity, schemeName } from './authenticator.ts';
import { type CredentialSource, places } from './credential-source.ts';
import { type Moment, secondsOf } from './moment.ts';
import { keepRecheck } from './recheck.ts';

/** What `authenticate` returns for a valid credential. */
export interface CustomIdentity<C> {
  readonly subject: string;
  readonly session?: string | undefined;
  readonly tokenId?: string | undefined;
  /**
   * When the login was made, in seconds since the epoch or as a `Date`. A message's `freshness` and a revocation's
   * `issuedBefore` compare with it. Default: unknown, so that a revocation of the subject always covers it. So does a time ahead
   * of the guard's clock.
   */
  readonly issuedAt?: Moment | undefined;
  /** When the connection must end, in seconds since the epoch or as a `Date`. Default: `limits.lifetime`. */
  readonly expiresAt?: Moment | undefined;
  readonly claims?: C;
  /**
   * Asks whether the login behind this identity, such as a session, still exists. Called every `recheckEvery` while
   * the connection is open, and before messages whose rule says `recheck: true`. Any answer but `true` closes with
   * `revoked` (4401). A rejection, or no answer until the next call is due, closes with `auth_unavailable` (1013);
   * before a message, either one refuses that message only.
   */
  readonly stillValid?: () => MaybePromise<boolean>;
}

/** Options of `custom()`. */
export interface CustomOptions<Scheme extends string, C> {
  /** The `scheme` of the identities, by which handlers tell them apart. */
  readonly scheme: Scheme;
  /**
   * Where the credential is looked for. Default: nowhere; `authenticate` is asked when no other credential was found.
   */
  readonly from?: readonly CredentialSource[];
  /**
   * Whether a browser or the network attaches the credential by itself. Default: `true` (a session, a client
   * certificate, a proxy's identity header), which makes a right `Origin` necessary. Refused together with `from`,
   * whose sources say it already.
   */
  readonly ambient?: boolean;
  /** How often `stillValid` is asked while a connection is open. Default: 60 s. Else: `revoked` (4401). */
  readonly recheckEvery?: Duration;
  /**
   * The field of `{ "type": "auth", … }` that holds its credential, for `firstMessage` and `renewal`. Default: none,
   * so that messages cannot carry it.
   */
  readonly messageField?: string;
  /**
   * Returns who the client is. `undefined` or `null` means that the credential is wrong (with `from`), or that there
   * is none. A rejection denies with `auth_unavailable` (503). The handshake's deadline bounds it, and then aborts
   * `signal`.
   */
  readonly authenticate: (presented: {
    readonly credential: string | undefined;
    readonly request: RequestView;
    readonly signal: AbortSignal;
  }) => MaybePromise<CustomIdentity<C> | undefined | null>;
}

const messageField: Kind<string> = checkedValue(
  'string',
  (value) => typeof value === 'string' && value !== '' && value !== 'type',
  'it cannot be the name of a field beside `type`',
  "Give a name such as 'key'.",
);

export const CUSTOM_OPTIONS = {
  scheme: required(schemeName),
  from: optional(places(0), 'nowhere; `authenticate` is asked when no other credential was found'),
  ambient: optional(
    flag,
    "`true` (a session, a client certificate, a proxy's identity header), which makes a right `Origin` necessary",
  ),
  recheckEvery: option(duration, '60s', 'revoked'),
  messageField: optional(messageField, 'none, so that messages cannot carry it'),
  authenticate: required(
    callback<CustomOptions<string, Claims>['authenticate']>('Return who it is, or undefined.'),
    'auth_unavailable',
  ),
};

/**
 * Authenticates with the application's own code: a server-side session, an API key in a database, a client
 * certificate.
 *
 * @example
 * ```ts
 * import { cookie, custom } from '@sallyport/core';
 *
 * declare function findSession(id: string): Promise<{ user: string; roles: string[] } | undefined>;
 *
 * export const sessions = custom({
 *   scheme: 'session',
 *   from: [cookie('__Host-session')],
 *   async authenticate({ credential = '' }) {
 *     const session = await findSession(credential);
 *     return session && { subject: session.user, session: credential, claims: { roles: session.roles } };
 *   },
 * });
 * ```
 */
export function custom<const Scheme extends string, C extends Claims = Claims>(
  options: CustomOptions<Scheme, C>,
): Authenticator<Identity<Scheme, C>> {
  const settings = readOnlyOptions(CUSTOM_OPTIONS, options, 'custom()');
  const { authenticate } = options;
  const { from = [], ambient, recheckEvery: every, messageField } = settings;
  const scheme = settings.scheme as Scheme;
  if (from.length > 0 && ambient !== undefined) {
    throw new PolicyError(
      'custom({ ambient })',
      'the sources in `from` say it already',
      'Leave `ambient` out.',
    );
  }
  const unavailable = (): Denial => deny('auth_unavailable', `custom({ scheme: '${scheme}' }) failed`);
  return {
    scheme,
    from,
    ambient: ambient ?? true,
    asksOutside: true,
    ...(messageField !== undefined && { messageField }),
    authenticate({ credential, request, signal, clock }) {
      type Found = CustomIdentity<C> | undefined | null;
      const decide = (found: Found): Identity<Scheme, C> | Denial | undefined => {
        if (found !== undefined && found !== null) return identityOf(scheme, found, every, clock);
        return credential === undefined
          ? undefined
          : deny('credential_invalid', `${scheme}: the credential was not accepted`);
      };
      try {
        const found = authenticate({ credential, request, signal });
        return isPromise(found) ? settled(found).then(decide, unavailable) : decide(found);
      } catch {
        return unavailable();
      }
    },
  };
}

function identityOf<Scheme extends string, C extends Claims>(
  scheme: Scheme,
  found: CustomIdentity<C>,
  every: number,
  clock: Clock,
): Identity<Scheme, C> | Denial {
  const { subject, session, tokenId, claims = {} as C, stillValid } = found;
  if (typeof subject !== 'string' || subject === '') {
    return deny('internal', `custom({ scheme: '${scheme}' }) returned an identity without a subject`);
  }
  const times = timesOf(scheme, found, clock);
  if (times instanceof Denial) return times;
  if (times.expiresAt !== undefined && times.expiresAt * 1_000 <= clock.now()) {
    return deny('credential_expired', `${scheme}: the credential has expired`);
  }
  const identity: Identity<Scheme, C> = { scheme, subject, session, tokenId, ...times, claims };
  freezeIdentity(identity as Identity);
  if (stillValid !== undefined) keepRecheck(identity as Identity, { stillValid, every });
  return identity;
}

/** A wrong time is a mistake of the application, which must not let in for ever what it meant to bound. */
function timesOf(
  scheme: string,
  { issuedAt, expiresAt }: CustomIdentity<Claims>,
  clock: Clock,
): Pick<Identity, 'issuedAt' | 'expiresAt'> | Denial {
  try {
    const issued = secondsOf(issuedAt, 'issuedAt');
    // No revocation could cover a time to come.
    const isAhead = issued !== undefined && issued > Math.ceil(clock.now() / 1_000);
    return { issuedAt: isAhead ? undefined : issued, expiresAt: secondsOf(expiresAt, 'expiresAt') };
  } catch (error) {
    return deny(
      'internal',
      `custom({ scheme: '${scheme}' }) returned an identity whose ${(error as Error).message}`,
    );
  }
}
