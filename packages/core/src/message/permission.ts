import { stillValid } from '../auth/recheck.ts';
import { deny, isPromise, type MaybePromise } from '../vocabulary/decision.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { Incoming } from '../wire/incoming.ts';
import { type DeniedMessage, type PassedMessage, refuse } from '../wire/inspection.ts';
import { type CompiledType, isAuthorized, type MessageRules } from './rules.ts';
import type { Sender } from './sender.ts';

/** May this identity send this message: how fresh its credential is, whether its session is there, and the type's own rule. */
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

/** The session first, so that nothing is asked on behalf of one that is gone. */
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

/** Without an issue date nobody knows how old it is. */
function isFresh({ issuedAt }: Identity, freshness: number, now: number): boolean {
  return issuedAt !== undefined && now - issuedAt * 1_000 <= freshness;
}
