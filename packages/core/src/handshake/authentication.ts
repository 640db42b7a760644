import type { AttemptSource } from '../auth/attempts.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { CredentialVerifier, Verification, VerificationRequest } from '../auth/credential-verifier.ts';
import { Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Identity, RequestView } from '../vocabulary/ports.ts';
import type { HandshakeContext } from './handshake-context.ts';
import { sourceOf } from './handshake-source.ts';
import { NOT_EVALUATED, type Stage } from './stage.ts';

export interface AuthenticationSettings {
  readonly authenticators: readonly Authenticator[];
  readonly verifier: CredentialVerifier;
  readonly firstMessage: boolean;
}

export function authenticationStage(settings: AuthenticationSettings): Stage {
  const withoutSources = settings.authenticators.filter(({ from }) => from.length === 0);
  return {
    name: 'authentication',
    check(context) {
      const { credential } = context;
      if (credential === undefined) return askInTurn(withoutSources, context, settings, 0);
      if (credential.authenticator.spends !== true)
        return verifyCredential(credential.authenticator, context, settings);
      // A ticket works once: do not spend it on a connection that gets no slot.
      return context.full ?? verifyCredential(credential.authenticator, context, settings);
    },
    preview(context) {
      const asked = context.credential === undefined ? withoutSources : [context.credential.authenticator];
      if (asked.some(({ asksOutside }) => asksOutside)) return NOT_EVALUATED;
      const [authenticator] = asked;
      if (authenticator === undefined) return absent(context, settings);
      const verdict = settings.verifier.preview(authenticator, new HandshakeVerification(context));
      return isPromise(verdict)
        ? settled(verdict).then((late) => settle(late, context))
        : settle(verdict, context);
    },
  };
}

function verifyCredential(
  authenticator: Authenticator,
  context: HandshakeContext,
  { verifier }: AuthenticationSettings,
): MaybePromise<Denial | undefined> {
  const verdict = verifier.verify(authenticator, new HandshakeVerification(context));
  return isPromise(verdict)
    ? settled(verdict).then((late) => settle(late, context))
    : settle(verdict, context);
}

function askInTurn(
  authenticators: readonly Authenticator[],
  context: HandshakeContext,
  settings: AuthenticationSettings,
  from: number,
): MaybePromise<Denial | undefined> {
  for (let i = from; i < authenticators.length; i++) {
    const verdict = settings.verifier.verify(
      authenticators[i] as Authenticator,
      new HandshakeVerification(context),
    );
    if (isPromise(verdict)) {
      return settled(verdict).then((late) =>
        late === undefined ? askInTurn(authenticators, context, settings, i + 1) : settle(late, context),
      );
    }
    if (verdict !== undefined) return settle(verdict, context);
  }
  return absent(context, settings);
}

function absent(context: HandshakeContext, { firstMessage }: AuthenticationSettings): Denial | undefined {
  if (!firstMessage) return deny('credential_missing', 'no credential was presented');
  context.pending = true;
  return undefined;
}

/** Not an object literal with a getter: each of those gets a shape of its own. */
class HandshakeVerification implements VerificationRequest {
  readonly credential: string | undefined;
  readonly request: RequestView;
  readonly source: AttemptSource;
  readonly failures: VerificationRequest['failures'];
  readonly #context: HandshakeContext;

  constructor(context: HandshakeContext) {
    this.credential = context.credential?.value;
    this.request = context.view;
    this.source = sourceOf(context);
    this.failures = context.failures;
    this.#context = context;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }
}

function settle(verdict: Verification, context: HandshakeContext): Denial | undefined {
  if (verdict === undefined) return deny('credential_invalid', 'the credential was not accepted');
  if (verdict instanceof Denial) return verdict;
  context.identity = verdict as Identity;
  return undefined;
}
