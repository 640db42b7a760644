import type { Authenticator } from '../auth/authenticator.ts';
import { Denial, deny, isPromise, type MaybePromise, settled } from '../decision.ts';
import type { Identity } from '../ports.ts';
import type { Arrival } from './arrival.ts';
import { NOT_EVALUATED, type Stage } from './stage.ts';

type Outcome = Identity | Denial | undefined;

/** Who is it? Ends with an identity, or denies. */
export function authenticationStage(authenticators: readonly Authenticator[]): Stage {
  const withoutSources = authenticators.filter(({ from }) => from.length === 0);
  const check = (arrival: Arrival): MaybePromise<Denial | undefined> => {
    const { credential } = arrival;
    if (credential === undefined) return askInTurn(withoutSources, arrival, 0);
    const outcome = ask(credential.authenticator, arrival);
    const accept = (found: Outcome): Denial | undefined =>
      settle(found ?? deny('credential_invalid', 'the credential was not accepted'), arrival);
    return isPromise(outcome) ? settled(outcome).then(accept) : accept(outcome);
  };
  return {
    name: 'authentication',
    check,
    preview(arrival) {
      const { credential } = arrival;
      const asked = credential === undefined ? withoutSources : [credential.authenticator];
      return asked.some(({ asksOutside }) => asksOutside) ? NOT_EVALUATED : check(arrival);
    },
  };
}

function askInTurn(
  authenticators: readonly Authenticator[],
  arrival: Arrival,
  from: number,
): MaybePromise<Denial | undefined> {
  for (let i = from; i < authenticators.length; i++) {
    const outcome = ask(authenticators[i] as Authenticator, arrival);
    if (isPromise(outcome)) {
      return settled(outcome).then((found) =>
        found === undefined ? askInTurn(authenticators, arrival, i + 1) : settle(found, arrival),
      );
    }
    if (outcome !== undefined) return settle(outcome, arrival);
  }
  return deny('credential_missing', 'no credential was presented');
}

function ask(authenticator: Authenticator, arrival: Arrival): MaybePromise<Outcome> {
  return authenticator.authenticate({
    credential: arrival.credential?.value,
    request: arrival.view,
    clock: arrival.reading.clock,
    get signal() {
      return arrival.signal;
    },
  });
}

function settle(outcome: Identity | Denial, arrival: Arrival): Denial | undefined {
  if (outcome instanceof Denial) return outcome;
  arrival.identity = outcome;
  return undefined;
}
