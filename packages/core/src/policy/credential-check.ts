import { AUTH_TYPE } from '../auth/auth-message.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { type CredentialSource, isCredentialSource, sourceKey } from '../auth/credential-source.ts';
import { unsafeAllowAnyOrigin } from '../handshake/origin.ts';
import { isPassthrough } from '../message/passthrough.ts';
import { type Options, oneOf, optionObject } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import {
  unsafeReportAuthorization,
  unsafeReportHost,
  unsafeReportOrigin,
  unsafeReportTransport,
} from './policy.ts';

/** What a stage in `report` is called in the policy, and the stage it stands for. */
export const REPORTABLE: ReadonlyMap<string | symbol, string> = new Map<string | symbol, string>([
  ['rate', 'rate'],
  ['subprotocol', 'subprotocol'],
  ['message-rate', 'message-rate'],
  ['schema', 'schema'],
  ['sanitize', 'sanitize'],
  [unsafeReportTransport, 'transport'],
  [unsafeReportHost, 'host'],
  [unsafeReportOrigin, 'origin'],
  [unsafeReportAuthorization, 'authorization'],
]);

export function checkAuth(auth: unknown): readonly Authenticator[] {
  if (!Array.isArray(auth) || auth.length === 0) {
    throw new PolicyError(
      'policy.auth',
      'nobody is asked who connects',
      'List authenticators such as jwt(…); anonymous() lets everybody in.',
    );
  }
  const seen = new Map<string, Authenticator>();
  for (const entry of auth as (Authenticator | undefined)[]) {
    const { scheme = '', from, authenticate } = entry ?? {};
    if (!Array.isArray(from) || typeof authenticate !== 'function')
      throw new PolicyError(
        'policy.auth',
        'an entry is no authenticator',
        'Use jwt(…), custom(…) or anonymous().',
      );
    for (const source of from as CredentialSource[]) {
      if (!isCredentialSource(source))
        throw new PolicyError(
          'policy.auth',
          `'${scheme}' looks for its credential in something that is no place`,
          'Use bearer(), cookie(name), subprotocol() or query(name).',
        );
      const earlier = seen.get(sourceKey(source));
      // Tokens say who issued them, so that exactly one of several jwt() judges each.
      if (earlier !== undefined && !(earlier.accepts && entry?.accepts)) {
        throw new PolicyError(
          'policy.auth',
          `${sourceKey(source)} is read by both '${earlier.scheme}' and '${scheme}'`,
          'Give each authenticator a place of its own, so that nothing falls through from one to the other.',
        );
      }
      seen.set(sourceKey(source), entry as Authenticator);
    }
  }
  return auth as Authenticator[];
}

/** `firstMessage` and `renewal` need somebody who reads the message, and nobody who answers in its stead. */
export function checkAuthMessages(
  { firstMessage, renewal, messages }: Options,
  authenticators: readonly Authenticator[],
): void {
  const first = optionObject(firstMessage, ['early'], 'policy.firstMessage');
  oneOf(first.early, ['refuse', 'queue'], 'policy.firstMessage.early');
  optionObject(renewal, ['notice'], 'policy.renewal');
  const option = firstMessage ? 'policy.firstMessage' : 'policy.renewal';
  if (!(firstMessage || renewal)) return;
  if (!authenticators.some(({ messageField }) => messageField !== undefined)) {
    throw new PolicyError(
      option,
      'no authenticator reads messages',
      'Use jwt(), tickets(), or custom({ messageField }).',
    );
  }
  checkMessageFields(authenticators);
  if (AUTH_TYPE in (messages as object)) {
    throw new PolicyError(
      `policy.messages.${AUTH_TYPE}`,
      `the name belongs to ${option}`,
      'Choose another one.',
    );
  }
  if (renewal && isPassthrough(messages)) {
    throw new PolicyError('policy.renewal', 'the messages are not read', 'Leave it out with passthrough().');
  }
  const fallback = firstMessage ? authenticators.find(({ from }) => from.length === 0) : undefined;
  if (fallback !== undefined) {
    throw new PolicyError(
      'policy.firstMessage',
      `'${fallback.scheme}' answers for every handshake without a credential, so no first message would be asked for`,
      'Take it out of policy.auth.',
    );
  }
}

/** Exactly one authenticator has to judge what an auth message holds. */
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

/** One parameter cannot be both what identifies and what a forger cannot know. */
export function checkCsrfPlace(
  csrf: { readonly query: string } | undefined,
  authenticators: readonly Authenticator[],
): void {
  const taken = authenticators
    .flatMap(({ from }) => from)
    .some((source) => source.kind === 'query' && source.name === csrf?.query);
  if (!taken) return;
  throw new PolicyError(
    'policy.csrf.query',
    `'${csrf?.query}' holds a credential already`,
    'Give the anti-forgery token a parameter of its own.',
  );
}

/** How long a connection outlives its credential goes by the scheme of its identity. */
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

export function checkReport(report: unknown, authenticators: readonly Authenticator[]): void {
  if (report === undefined) return;
  if (!Array.isArray(report))
    throw new PolicyError('policy.report', 'it is not a list', "Give ['schema'], say.");
  for (const stage of report) {
    if (!REPORTABLE.has(stage)) {
      throw new PolicyError(
        'policy.report',
        `'${String(stage)}' cannot only report`,
        "Use 'rate', 'subprotocol', 'message-rate', 'schema', or unsafeReportTransport, unsafeReportHost, unsafeReportOrigin, unsafeReportAuthorization.",
      );
    }
  }
  const unsafe = report.find((stage) => typeof stage === 'symbol');
  const ambient = ambientOf(authenticators);
  if (unsafe !== undefined && ambient !== undefined) {
    throw new PolicyError(
      'policy.report',
      `${REPORTABLE.get(unsafe)} would only be reported while ${ambient} is attached by browsers themselves`,
      'Report it with explicit credentials only (bearer(), subprotocol(), query()).',
    );
  }
}

/** Cross-site WebSocket hijacking needs just these two together (OWASP ASVS 5.0, 4.4.2). */
export function checkAnyOrigin(origins: unknown, authenticators: readonly Authenticator[]): void {
  if (origins !== unsafeAllowAnyOrigin) return;
  const ambient = ambientOf(authenticators.filter(({ scheme }) => scheme !== 'anonymous'));
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
