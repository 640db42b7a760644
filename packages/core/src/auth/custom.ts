import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Claims, Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import { type Duration, parseDuration } from '../vocabulary/units.ts';
import { type Authenticator, checkScheme, freezeIdentity } from './authenticator.ts';
import type { CredentialSource } from './credential-source.ts';
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
  /** How often `stillValid` is asked while a connection is open. Default: 60 s. */
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

const KNOWN: readonly string[] = [
  'scheme',
  'from',
  'ambient',
  'recheckEvery',
  'messageField',
  'authenticate',
];

/** An authenticator of the application's own: a server-side session, an API key in a database, a client certificate. */
export function custom<const Scheme extends string, C extends Claims = Claims>(
  options: CustomOptions<Scheme, C>,
): Authenticator<Identity<Scheme, C>> {
  const { scheme, from = [], ambient, messageField, authenticate } = options;
  checkCustom(options as unknown as CustomOptions<string, Claims>);
  const every = parseDuration(options.recheckEvery ?? '60s', 'custom({ recheckEvery })');
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

function checkCustom({
  scheme,
  from = [],
  ambient,
  authenticate,
  ...rest
}: CustomOptions<string, Claims>): void {
  const { messageField } = rest;
  if (
    messageField !== undefined &&
    (typeof messageField !== 'string' || messageField === '' || messageField === 'type')
  ) {
    throw new PolicyError(
      'custom({ messageField })',
      'it is no name for a field beside `type`',
      "Give 'key', say.",
    );
  }
  const unknown = Object.keys(rest).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) {
    throw new PolicyError('custom()', `unknown option '${unknown}'`, `Use ${KNOWN.join(', ')}.`);
  }
  checkScheme(scheme, 'custom({ scheme })');
  if (typeof authenticate !== 'function') {
    throw new PolicyError(
      'custom({ authenticate })',
      'it is not a function',
      'Return who it is, or undefined.',
    );
  }
  if (from.length > 0 && ambient !== undefined) {
    throw new PolicyError(
      'custom({ ambient })',
      'the sources in `from` say it already',
      'Leave `ambient` out.',
    );
  }
}
