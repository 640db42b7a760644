import { stillValid } from '../auth/recheck.ts';
import { deny, isPromise, type MaybePromise } from '../vocabulary/decision.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { Incoming } from '../wire/incoming.ts';
import { type DeniedMessage, type PassedMessage, refuse } from '../wire/inspection.ts';
import { type CompiledType, isAuthorized, type MessageRules } from './rules.ts';
import type { Sender } from './sender.ts';

/** Checks the credential's age, the session, and the type's own rule. */
export function checkPermission(
  incoming: Incoming,
  type: CompiledType,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<PassedMessage | DeniedMessage> {
  const { identity } = sender;
  if (type.freshness !== undefined && !isFresh(identity, type.freshness, rules.now())) {
    return refuse(
      deny('step_up_required', `'${type.name}' asks for a fresh credential`).at('message-authorization'),
      incoming.id,
    );
  }
  if (type.recheck) return recheck(incoming, type, sender, rules);
  const answer = isAuthorized(type, rules, sender, incoming.body);
  return isPromise(answer)
    ? answer.then((allowed) => verdict(allowed, incoming, type))
    : verdict(answer, incoming, type);
}

function verdict(allowed: boolean, incoming: Incoming, type: CompiledType): PassedMessage | DeniedMessage {
  if (allowed) return { incoming, type };
  return refuse(
    deny('message_forbidden', `'${type.name}' is not permitted`).at('message-authorization'),
    incoming.id,
  );
}

/** The session comes first, so that no rule runs for a session that has ended. */
async function recheck(
  incoming: Incoming,
  type: CompiledType,
  sender: Sender,
  rules: MessageRules,
): Promise<PassedMessage | DeniedMessage> {
  const reason = await stillValid(sender.identity);
  if (reason !== undefined) {
    return refuse(
      deny(reason, 'the session did not answer that it is still there').at('message-authorization'),
      incoming.id,
    );
  }
  return verdict(await isAuthorized(type, rules, sender, incoming.body), incoming, type);
}

/** A credential without an issue date may be old. */
function isFresh({ issuedAt }: Identity, freshness: number, now: number): boolean {
  return issuedAt !== undefined && now - issuedAt * 1_000 <= freshness;
}
