import { Denial, deny, isPromise, type MaybePromise, settled } from '../decision.ts';
import { PolicyError } from '../errors.ts';
import type { Claims, Identity, RequestView } from '../ports.ts';
import { type Authenticator, checkScheme, freezeIdentity } from './authenticator.ts';
import type { CredentialSource } from './credential.ts';

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

/** An authenticator of the application's own: a server-side session, an API key in a database, a client certificate. */
export function custom<const Scheme extends string, C extends Claims = Claims>(
  options: CustomOptions<Scheme, C>,
): Authenticator<Identity<Scheme, C>> {
  const { scheme, from = [], ambient, authenticate } = options;
  for (const key of Object.keys(options)) {
    if (!['scheme', 'from', 'ambient', 'authenticate'].includes(key)) {
      throw new PolicyError(
        'custom()',
        `unknown option '${key}'`,
        "Use 'scheme', 'from', 'ambient' and 'authenticate'.",
      );
    }
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
  const finish = (found: CustomIdentity<C> | undefined | null): Identity<Scheme, C> | Denial | undefined => {
    if (found === undefined || found === null) {
      return from.length > 0
        ? deny('credential_invalid', `${scheme}: the credential was not accepted`)
        : undefined;
    }
    if (typeof found.subject !== 'string' || found.subject === '') {
      return deny('internal', `custom({ scheme: '${scheme}' }) returned an identity without a subject`);
    }
    const { subject, session, tokenId, issuedAt, expiresAt, claims = {} as C } = found;
    return freezeIdentity({ scheme, subject, session, tokenId, issuedAt, expiresAt, claims } as Identity<
      Scheme,
      C
    > &
      Identity);
  };
  const unavailable = (): Denial => deny('auth_unavailable', `custom({ scheme: '${scheme}' }) failed`);
  return {
    scheme,
    from,
    ambient: ambient ?? true,
    asksOutside: true,
    authenticate({ credential, request, signal, clock }) {
      const judge = (
        found: CustomIdentity<C> | undefined | null,
      ): Identity<Scheme, C> | Denial | undefined => {
        const outcome = finish(found);
        if (outcome === undefined || outcome instanceof Denial || outcome.expiresAt === undefined)
          return outcome;
        return outcome.expiresAt * 1_000 > clock.now()
          ? outcome
          : deny('credential_expired', `${scheme}: expired`);
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
