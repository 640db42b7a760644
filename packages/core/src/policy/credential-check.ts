import { AUTH_TYPE } from '../auth/auth-message.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { sourceKey } from '../auth/credential-source.ts';
import { isPassthrough } from '../message/passthrough.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import { REPORTABLE } from './policy-kinds.ts';
import type { RouteSettings } from './route-settings.ts';

/** If two authenticators read the same place, a credential that one of them refuses would be tried by the other. */
export function checkPlaces(authenticators: readonly Authenticator[]): void {
  const seen = new Map<string, Authenticator>();
  for (const entry of authenticators) {
    for (const source of entry.from) {
      const earlier = seen.get(sourceKey(source));
      // Several jwt() may read one place: the issuer in the token says which of them verifies it.
      if (earlier !== undefined && !(earlier.accepts && entry.accepts)) {
        throw new PolicyError(
          'policy.auth',
          `${sourceKey(source)} is read by both '${earlier.scheme}' and '${entry.scheme}'`,
          'Give each authenticator a place of its own, so that nothing falls through from one to the other.',
        );
      }
      seen.set(sourceKey(source), entry);
    }
  }
}

/** `firstMessage` and `renewal` need an authenticator that reads auth messages; `firstMessage` excludes `anonymous()`. */
export function checkAuthMessages({ firstMessage, renewal, messages, auth }: RouteSettings): void {
  if (!(firstMessage || renewal)) return;
  const option = firstMessage ? 'policy.firstMessage' : 'policy.renewal';
  if (!auth.some(({ messageField }) => messageField !== undefined)) {
    throw new PolicyError(
      option,
      'no authenticator reads messages',
      'Use jwt(), tickets(), or custom({ messageField }).',
    );
  }
  checkMessageFields(auth);
  if (!isPassthrough(messages) && messages.has(AUTH_TYPE)) {
    throw new PolicyError(
      `policy.messages.${AUTH_TYPE}`,
      `the name belongs to ${option}`,
      'Choose another one.',
    );
  }
  if (renewal && isPassthrough(messages)) {
    throw new PolicyError('policy.renewal', 'the messages are not read', 'Leave it out with passthrough().');
  }
  const fallback = firstMessage ? auth.find(({ from }) => from.length === 0) : undefined;
  if (fallback !== undefined) {
    throw new PolicyError(
      'policy.firstMessage',
      `'${fallback.scheme}' answers for every handshake without a credential, so no first message would be asked for`,
      'Take it out of policy.auth.',
    );
  }
}

/** Exactly one authenticator must verify the credential in an auth message. */
function checkMessageFields(authenticators: readonly Authenticator[]): void {
  const seen = new Map<string, Authenticator>();
  for (const entry of authenticators) {
    const { messageField, scheme, accepts } = entry;
    if (messageField === undefined) continue;
    const earlier = seen.get(messageField);
    if (earlier !== undefined && !(earlier.accepts && accepts)) {
      throw new PolicyError(
        'policy.auth',
        `'${messageField}' of the auth message is read by both '${earlier.scheme}' and '${scheme}'`,
        'Give each a messageField of its own.',
      );
    }
    seen.set(messageField, entry);
  }
}

/** The CSRF token must not be in the same place as a credential. */
export function checkCsrfPlace({ csrf, auth }: RouteSettings): void {
  const taken = auth
    .flatMap(({ from }) => from)
    .some((source) => source.kind === 'query' && source.name === csrf?.query);
  if (!taken) return;
  throw new PolicyError(
    'policy.csrf.query',
    `'${csrf?.query}' holds a credential already`,
    'Give the anti-forgery token a parameter of its own.',
  );
}

/** Authenticators with the same scheme need the same `clockTolerance`, because an open connection looks it up by scheme. */
export function checkTolerances(authenticators: readonly Authenticator[]): void {
  const seen = new Map<string, number>();
  for (const { scheme, tolerance = 0 } of authenticators) {
    if ((seen.get(scheme) ?? tolerance) !== tolerance) {
      throw new PolicyError(
        'policy.auth',
        `two authenticators of scheme '${scheme}' differ in clockTolerance`,
        "Give each a scheme of its own, such as scheme: 'partner'.",
      );
    }
    seen.set(scheme, tolerance);
  }
}

/** With a cookie, no unsafe stage may only report: a foreign page could pass that stage with its visitor's cookie. */
export function checkReport({ policy, auth }: RouteSettings): void {
  const unsafe = policy.report?.find((stage) => typeof stage === 'symbol');
  const ambient = ambientOf(auth);
  if (unsafe === undefined || ambient === undefined) return;
  throw new PolicyError(
    'policy.report',
    `${REPORTABLE.get(unsafe)} would only be reported while ${ambient} is attached by browsers themselves`,
    'Report it with explicit credentials only (bearer(), subprotocol(), query()).',
  );
}

/** Any origin plus ambient credentials would allow cross-site WebSocket hijacking (OWASP ASVS 5.0, 4.4.2). */
export function checkAnyOrigin({ origins, auth }: RouteSettings): void {
  if (!origins.allowsAnyPage) return;
  const ambient = ambientOf(auth.filter(({ scheme }) => scheme !== 'anonymous'));
  if (ambient === undefined) return;
  throw new PolicyError(
    'policy.origins',
    `every page could connect with its visitor's ${ambient}`,
    'List the origins, or take the credential from a header, a subprotocol or the query.',
  );
}

function ambientOf(authenticators: readonly Authenticator[]): string | undefined {
  for (const { scheme, from, ambient } of authenticators) {
    if (from.length === 0 && ambient) return `${scheme} credential`;
    const source = from.find((entry) => entry.ambient);
    if (source !== undefined) return sourceKey(source);
  }
  return undefined;
}
