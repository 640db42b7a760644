import { AUTH_TYPE, readAuthMessage } from '../auth/auth-message.ts';
import type { VerificationRequest } from '../auth/credential-verifier.ts';
import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Authenticated } from '../connection/pending-context.ts';
import { ofPage } from '../handshake/handshake-source.ts';
import { isAcceptable } from '../message/parse.ts';
import { readMessage } from '../message/pipeline.ts';
import { Denial, deny } from '../vocabulary/decision.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { Lease } from '../vocabulary/store-contract.ts';
import type { Incoming } from '../wire/incoming.ts';
import type { GuardFamily } from './family.ts';
import type { Route } from './route.ts';

/** Verifies the credential in an auth message like that of a handshake, and calls `policy.authorize`. */
async function judgeAuthMessage(
  family: GuardFamily,
  route: Route,
  message: unknown,
  circumstances: Pick<VerificationRequest, 'request' | 'source' | 'signal' | 'renews'>,
): Promise<Identity | Denial> {
  const presented = readAuthMessage(message, route.settings.auth);
  if (presented instanceof Denial) return presented;
  const { authenticator, credential } = presented;
  const { request } = circumstances;
  const verdict = await family.verifier.verify(authenticator, { credential, ...circumstances });
  if (verdict instanceof Denial) return verdict;
  if (verdict === undefined) return deny('credential_invalid', 'the credential was not accepted');
  const { authorize } = route.settings;
  if (authorize !== undefined && (await authorize({ identity: verdict, request })) !== true) {
    return deny('not_authorized', 'policy.authorize did not return true').at('authorization');
  }
  // A revocation may have come during `authorize`.
  return family.verifier.refuses(verdict, authenticator.tolerance) ?? verdict;
}

/** Authenticates a pending connection, and takes a slot for the identity. */
export async function authenticateFirstMessage(
  family: GuardFamily,
  route: Route,
  message: unknown,
  circumstances: Pick<VerificationRequest, 'request' | 'source' | 'signal'>,
  open: (identity: Identity, slot: Lease) => Authenticated,
): Promise<Authenticated | Denial> {
  const identity = await judgeAuthMessage(family, route, message, circumstances);
  if (identity instanceof Denial) return identity;
  const slot = await family.slots.acquireIdentity(identity.subject);
  return slot instanceof Denial ? slot.at('admission') : open(identity, slot);
}

/** Verifies the new credential of an open connection, within the same deadline as a handshake. */
export async function renewConnection(
  family: GuardFamily,
  route: Route,
  connection: GuardedConnection,
  message: unknown,
): Promise<Identity | Denial> {
  const { request } = connection;
  if (request === undefined) return deny('internal', 'the connection cannot be renewed');
  const controller = new AbortController();
  const cancel = family.timers.schedule(family.settings.deadline, () => controller.abort());
  const address = family.sourceOf(request.address);
  const source = request.origin === 'null' ? ofPage(address) : address;
  const { signal } = controller;
  try {
    const identity = await judgeAuthMessage(family, route, message, {
      request,
      source,
      signal,
      renews: true,
    });
    if (identity instanceof Denial || isSameHolder(identity, connection.identity)) return identity;
    // A valid credential of another holder counts as a failed authentication, like a forged one.
    family.verifier.attempts.failed(source);
    return deny(
      'credential_invalid',
      'a renewal cannot change the scheme, the issuer, the subject or the session',
    );
  } finally {
    cancel();
  }
}

/**
 * Whether two identities have the same holder. A subject is unique only for one authenticator and one issuer (RFC 7519 §4.1.2),
 * so both must be the same. "No issuer" differs from every issuer; otherwise two renewals could switch from one issuer to
 * another.
 */
function isSameHolder(next: Identity, current: Identity): boolean {
  return (
    next.scheme === current.scheme &&
    issuerOf(next) === issuerOf(current) &&
    next.subject === current.subject &&
    next.session === current.session
  );
}

/** The issuer of an identity's credential (RFC 7519 §4.1.1); `undefined` if it has none. */
function issuerOf({ claims }: Identity): unknown {
  return (claims as { readonly iss?: unknown }).iss;
}

/** Parses a message. Returns `undefined` if it is unreadable or no auth message. */
export function readPendingMessage(
  data: Uint8Array | string,
  isBinary: boolean,
  { rules }: Route,
): Incoming | undefined {
  const incoming = readMessage(data, isBinary, rules);
  if ('denial' in incoming || incoming.type !== AUTH_TYPE) return undefined;
  const { value, text, keysRead } = incoming;
  return isAcceptable(value, rules.bounds, text, keysRead) ? incoming : undefined;
}
