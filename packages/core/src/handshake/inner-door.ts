import type { Authenticator } from '../auth/authenticator.ts';
import type { CredentialVerifier } from '../auth/credential-verifier.ts';
import type { CsrfOption } from '../auth/csrf.ts';
import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Identity, RequestView } from '../vocabulary/ports.ts';
import { authenticationStage } from './authentication.ts';
import { credentialStage } from './credential-lookup.ts';
import { checkOrigin, isUnvouched, type OriginPolicy } from './origin.ts';
import { admissionStage, type Slots } from './slot-reservation.ts';
import { NOT_EVALUATED, type Stage } from './stage.ts';
import { subprotocolStage } from './subprotocol.ts';

/**
 * Decides whether this identity may connect to this route. Only `true` allows. A hook that throws or rejects denies
 * with `internal` (500).
 */
export type AuthorizeHandshake = (context: {
  readonly identity: Identity;
  readonly request: RequestView;
}) => MaybePromise<boolean>;

export interface InnerDoorSettings {
  readonly authenticators: readonly Authenticator[];
  readonly origins: OriginPolicy;
  readonly subprotocols: readonly string[];
  readonly authorize: AuthorizeHandshake | undefined;
  readonly csrf: CsrfOption | undefined;
  readonly verifier: CredentialVerifier;
  readonly slots: Slots;
  readonly firstMessage: boolean;
}

/** One per route. It runs after the application's own session middleware. */
export function innerDoor(settings: InnerDoorSettings): readonly Stage[] {
  return [
    credentialStage(settings.authenticators),
    originStage(settings.origins, settings.authenticators),
    subprotocolStage(settings.subprotocols),
    authenticationStage(settings),
    csrfStage(settings.csrf),
    authorizationStage(settings.authorize),
    admissionStage(settings.slots),
  ];
}

/**
 * ASVS 5.0, 4.4.2. Runs after the credential was found, because a missing `Origin` is refused only with an ambient
 * credential.
 */
function originStage(origins: OriginPolicy, authenticators: readonly Authenticator[]): Stage {
  const withoutSource = authenticators.filter(({ from, ambient }) => from.length === 0 && ambient);
  const ambientWithoutSource = withoutSource.length > 0;
  const admitsPrograms = withoutSource.every((one) => one.admitsPrograms === true);
  return {
    name: 'origin',
    check(context) {
      const { credential, headers, view } = context;
      const isProgram = headers.origin === undefined && admitsPrograms;
      const ambient = credential?.source.ambient ?? (ambientWithoutSource && !isProgram);
      const verdict = checkOrigin(headers.origin, ambient, origins, view);
      const keep = (denial: Denial | undefined): Denial | undefined => {
        const unvouched = isUnvouched(headers.origin, denial, origins);
        // What the store has answered is about the other count.
        if (unvouched !== context.unvouched) context.failures = undefined;
        context.unvouched = unvouched;
        return denial;
      };
      return isPromise(verdict) ? verdict.then(keep) : keep(verdict);
    },
    preview(context) {
      return origins.asksApplication && context.headers.origin !== undefined
        ? NOT_EVALUATED
        : this.check(context);
    },
  };
}

/** Demands an anti-forgery token with an ambient credential, which a page of another site can make its visitor send. */
function csrfStage(csrf: CsrfOption | undefined): Stage {
  return {
    name: 'csrf',
    check(context) {
      const { identity, credential } = context;
      if (csrf === undefined || identity === undefined || credential?.source.ambient === false)
        return undefined;
      const [token, ...more] = context.target.credentials.get(csrf.query) ?? [];
      if (token === undefined || more.length > 0)
        return deny('csrf_denied', 'the request holds no anti-forgery token, or more than one');
      const answer = csrf.verify({ token, identity, request: context.view });
      return isPromise(answer) ? settled(answer).then(forgery) : forgery(answer);
    },
    preview: () => (csrf === undefined ? undefined : NOT_EVALUATED),
  };
}

function forgery(answer: boolean): Denial | undefined {
  return answer === true ? undefined : deny('csrf_denied', 'policy.csrf.verify did not return true');
}

function authorizationStage(authorize: AuthorizeHandshake | undefined): Stage {
  return {
    name: 'authorization',
    check(context) {
      // The same hook runs once the first message has authenticated the connection.
      if (authorize === undefined || context.pending) return undefined;
      if (context.identity === undefined) return deny('not_authorized', 'there is no identity to authorize');
      const answer = authorize({ identity: context.identity, request: context.view });
      return isPromise(answer) ? settled(answer).then(authorized) : authorized(answer);
    },
    preview: () => (authorize === undefined ? undefined : NOT_EVALUATED),
  };
}

function authorized(answer: boolean): Denial | undefined {
  return answer === true ? undefined : deny('not_authorized', 'policy.authorize did not return true');
}
