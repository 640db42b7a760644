import type { AttemptSource } from '../auth/attempts.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Case, Judge, Verdict } from '../auth/judge.ts';
import { Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Identity, RequestView } from '../vocabulary/ports.ts';
import type { Arrival } from './arrival.ts';
import { sourceOf } from './rate.ts';
import { NOT_EVALUATED, type Stage } from './stage.ts';

export interface AuthenticationSettings {
  readonly authenticators: readonly Authenticator[];
  readonly judge: Judge;
  /** Whether a handshake without a credential is let through, to authenticate by its first message. */
  readonly firstMessage: boolean;
}

/** Who is it? Ends with an identity, or as pending, or denies. */
export function authenticationStage(settings: AuthenticationSettings): Stage {
  const withoutSources = settings.authenticators.filter(({ from }) => from.length === 0);
  return {
    name: 'authentication',
    check(arrival) {
      const { credential } = arrival;
      if (credential === undefined) return askInTurn(withoutSources, arrival, settings, 0);
      if (credential.authenticator.spends !== true)
        return judgeCredential(credential.authenticator, arrival, settings);
      // A ticket that is redeemed for a connection that then finds no slot would be lost.
      return arrival.full ?? judgeCredential(credential.authenticator, arrival, settings);
    },
    preview(arrival) {
      const asked = arrival.credential === undefined ? withoutSources : [arrival.credential.authenticator];
      if (asked.some(({ asksOutside }) => asksOutside)) return NOT_EVALUATED;
      const [authenticator] = asked;
      if (authenticator === undefined) return absent(arrival, settings);
      const verdict = settings.judge.preview(authenticator, new ArrivalCase(arrival));
      return isPromise(verdict)
        ? settled(verdict).then((late) => settle(late, arrival))
        : settle(verdict, arrival);
    },
  };
}

function judgeCredential(
  authenticator: Authenticator,
  arrival: Arrival,
  { judge }: AuthenticationSettings,
): MaybePromise<Denial | undefined> {
  const verdict = judge.judge(authenticator, new ArrivalCase(arrival));
  return isPromise(verdict)
    ? settled(verdict).then((late) => settle(late, arrival))
    : settle(verdict, arrival);
}

function askInTurn(
  authenticators: readonly Authenticator[],
  arrival: Arrival,
  settings: AuthenticationSettings,
  from: number,
): MaybePromise<Denial | undefined> {
  for (let i = from; i < authenticators.length; i++) {
    const verdict = settings.judge.judge(authenticators[i] as Authenticator, new ArrivalCase(arrival));
    if (isPromise(verdict)) {
      return settled(verdict).then((late) =>
        late === undefined ? askInTurn(authenticators, arrival, settings, i + 1) : settle(late, arrival),
      );
    }
    if (verdict !== undefined) return settle(verdict, arrival);
  }
  return absent(arrival, settings);
}

function absent(arrival: Arrival, { firstMessage }: AuthenticationSettings): Denial | undefined {
  if (!firstMessage) return deny('credential_missing', 'no credential was presented');
  arrival.pending = true;
  return undefined;
}

/** A class, since each object literal with a getter is of a shape of its own. */
class ArrivalCase implements Case {
  readonly credential: string | undefined;
  readonly request: RequestView;
  readonly source: AttemptSource;
  readonly failures: Case['failures'];
  readonly #arrival: Arrival;

  constructor(arrival: Arrival) {
    this.credential = arrival.credential?.value;
    this.request = arrival.view;
    this.source = sourceOf(arrival);
    this.failures = arrival.failures;
    this.#arrival = arrival;
  }

  get signal(): AbortSignal {
    return this.#arrival.signal;
  }
}

function settle(verdict: Verdict, arrival: Arrival): Denial | undefined {
  if (verdict === undefined) return deny('credential_invalid', 'the credential was not accepted');
  if (verdict instanceof Denial) return verdict;
  arrival.identity = verdict as Identity;
  return undefined;
}
