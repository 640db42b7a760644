import type { Authenticator } from '../auth/authenticator.ts';
import { type Denial, deny, isPromise, type MaybePromise, settled } from '../decision.ts';
import type { Identity, RequestView, Store } from '../ports.ts';
import { admissionStage, type Caps } from './admission.ts';
import { authenticationStage } from './authentication.ts';
import { credentialStage } from './credential.ts';
import { judgeOrigin, type OriginPolicy } from './origin.ts';
import { NOT_EVALUATED, type Stage } from './stage.ts';
import { subprotocolStage } from './subprotocol.ts';

/** The application's say: may this identity connect here? Only `true` allows. */
export type AuthorizeHandshake = (context: {
  readonly identity: Identity;
  readonly request: RequestView;
}) => MaybePromise<boolean>;

export interface InnerDoorSettings {
  readonly authenticators: readonly Authenticator[];
  readonly origins: OriginPolicy;
  readonly subprotocols: readonly string[];
  readonly authorize: AuthorizeHandshake | undefined;
  readonly caps: Caps;
  readonly store: Store;
}

/** One per route, after the application's own session middleware. */
export function innerDoor(settings: InnerDoorSettings): readonly Stage[] {
  return [
    credentialStage(settings.authenticators),
    originStage(settings.origins, settings.authenticators),
    subprotocolStage(settings.subprotocols),
    authenticationStage(settings.authenticators),
    authorizationStage(settings.authorize),
    admissionStage(settings.store, settings.caps),
  ];
}

/** ASVS 5.0, 4.4.2. It comes after the credential, because a missing `Origin` is judged by what kind that is. */
function originStage(origins: OriginPolicy, authenticators: readonly Authenticator[]): Stage {
  const ambientWithoutSource = authenticators.some(({ from, ambient }) => from.length === 0 && ambient);
  return {
    name: 'origin',
    check({ credential, headers, view }) {
      return judgeOrigin(headers.origin, credential?.source.ambient ?? ambientWithoutSource, origins, view);
    },
    preview(arrival) {
      return origins.asksApplication && arrival.headers.origin !== undefined
        ? NOT_EVALUATED
        : this.check(arrival);
    },
  };
}

function authorizationStage(authorize: AuthorizeHandshake | undefined): Stage {
  return {
    name: 'authorization',
    check(arrival) {
      if (authorize === undefined) return undefined;
      if (arrival.identity === undefined) return deny('not_authorized', 'there is no identity to authorize');
      const answer = authorize({ identity: arrival.identity, request: arrival.view });
      return isPromise(answer) ? settled(answer).then(authorized) : authorized(answer);
    },
    preview: () => (authorize === undefined ? undefined : NOT_EVALUATED),
  };
}

function authorized(answer: boolean): Denial | undefined {
  return answer === true ? undefined : deny('not_authorized', 'policy.authorize did not answer true');
}
