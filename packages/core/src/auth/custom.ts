import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import { callback, checkedValue, duration, flag, type Kind } from '../vocabulary/option-kinds.ts';
import { option, optional, readOnlyOptions, required } from '../vocabulary/option-table.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Claims, Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import type { Duration } from '../vocabulary/units.ts';
import { type Authenticator, freezeIdentity, schemeName } from './authenticator.ts';
import { type CredentialSource, places } from './credential-source.ts';
import { keepRecheck } from './recheck.ts';

/** What a custom authenticator returns for a credential that is right. */
export interface CustomIdentity<C> {
  readonly subject: string;
  readonly session?: string | undefined;
  readonly tokenId?: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt?: number | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly claims?: C;
  /**
   * Whether what this identity came from, a session say, is still there. Asked while the connection is open, every
   * `recheckEvery` and before messages whose rule says `recheck: true`; anything but `true` closes with `revoked`.
   * No answer until the next question is due, or a rejection, closes with `auth_unavailable`; before a message it is
   * that message alone which is refused.
   */
  readonly stillValid?: () => MaybePromise<boolean>;
}

export interface CustomOptions<Scheme extends string, C> {
  /** The `scheme` of the identities, by which handlers tell them apart. */
  readonly scheme: Scheme;
  /** Where the credential is looked for. Default: nowhere; `authenticate` is asked when no other credential was found. */
  readonly from?: readonly CredentialSource[];
  /**
   * Whether the credential is one that a browser or the network attaches by itself. Default: `true` (a session, a
   * client certificate, a proxy's identity header), which makes a right `Origin` necessary. With `from`, the
   * sources say it and this option is refused.
   */
  readonly ambient?: boolean;
  /** How often `stillValid` is asked while a connection is open. Default: 60 s. Else: `revoked` (4401). */
  readonly recheckEvery?: Duration;
  /**
   * The field of `{ "type": "auth", … }` that holds its credential, for `firstMessage` and `renewal`. Default: none, so
   * that messages cannot carry it.
   */
  readonly messageField?: string;
  /**
   * Who is it? `undefined` or `null` says that the credential is not right (with `from`), or that there was none.
   * A rejection denies with `auth_unavailable` (503); the handshake's deadline bounds it, and `signal` tells when
   * nobody waits for the answer any more.
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
  'it is no name for a field beside `type`',
  "Give 'key', say.",
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

/** An authenticator of the application's own: a server-side session, an API key in a database, a client certificate. */
export function custom<const Scheme extends string, C extends Claims = Claims>(
  options: CustomOptions<Scheme, C>,
): Authenticator<Identity<Scheme, C>> {
  const { authenticate } = options;
  const settings = readOnlyOptions(CUSTOM_OPTIONS, options, 'custom()');
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
      const judge = (found: Found): Identity<Scheme, C> | Denial | undefined => {
        if (found !== undefined && found !== null) return identityOf(scheme, found, every, clock);
        return credential === undefined
          ? undefined
          : deny('credential_invalid', `${scheme}: it was not accepted`);
      };
      try {
        const found = authenticate({ credential, request, signal });
        return isPromise(found) ? settled(found).then(judge, unavailable) : judge(found);
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
  const { subject, session, tokenId, issuedAt, expiresAt, claims = {} as C, stillValid } = found;
  if (typeof subject !== 'string' || subject === '') {
    return deny('internal', `custom({ scheme: '${scheme}' }) returned an identity without a subject`);
  }
  // Written so that a number that is none has expired, too.
  if (expiresAt !== undefined && !(expiresAt * 1_000 > clock.now())) {
    return deny('credential_expired', `${scheme}: it has expired`);
  }
  const identity: Identity<Scheme, C> = { scheme, subject, session, tokenId, issuedAt, expiresAt, claims };
  freezeIdentity(identity as Identity);
  if (stillValid !== undefined) keepRecheck(identity as Identity, { stillValid, every });
  return identity;
}
