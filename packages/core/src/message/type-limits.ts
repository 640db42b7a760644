import { spend } from '../limits/cell-rate.ts';
import { deny } from '../vocabulary/decision.ts';
import { byteLength } from '../wire/codec.ts';
import type { Incoming } from '../wire/incoming.ts';
import { type DeniedMessage, refuse } from '../wire/inspection.ts';
import type { CompiledType, MessageRules } from './rules.ts';
import type { Sender } from './sender.ts';

/** The limits of one message type: size, order, rate and cost. */
export function checkTypeLimits(
  data: Uint8Array | string,
  { id }: Incoming,
  type: CompiledType,
  sender: Sender,
  rules: MessageRules,
): DeniedMessage | undefined {
  const { name, after, once, rate, cost } = type;
  if (type.size < rules.maxBytes && byteLength(data) > type.size) {
    return refuse(deny('message_too_big', `'${name}' has more than ${type.size} bytes`).at('size'), id, {
      ofType: true,
    });
  }
  const { steps } = sender.ledger;
  const missing = after.find((step) => steps?.has(step) !== true);
  if (missing !== undefined)
    return refuse(deny('message_out_of_order', `'${name}' before '${missing}'`).at('order'), id);
  if (once && steps?.has(name) === true)
    return refuse(deny('message_out_of_order', `'${name}' again`).at('order'), id);
  return rate === undefined && cost === 1 ? undefined : pay(id, type, sender, rules);
}

/** The frame was already counted as one message. */
function pay(
  id: Incoming['id'],
  { name, rate, cost }: CompiledType,
  sender: Sender,
  rules: MessageRules,
): DeniedMessage | undefined {
  const { ledger } = sender;
  const now = rules.monotonic();
  const all = cost === 1 ? ledger.messages : spend(ledger.messages, now, rules.rate, cost - 1);
  const own = rate === undefined ? 0 : spend(ledger.types?.get(name) ?? 0, now, rate);
  if (all < 0 || own < 0) {
    const what = all < 0 ? `the cost of '${name}'` : `the rate of '${name}'`;
    const denial = deny('message_rate', what, -Math.min(all, own)).at('message-rate');
    if (!rules.reportRate) return refuse(denial, id, { ofType: all >= 0 });
    sender.reported(denial);
  }
  if (all >= 0) ledger.messages = all;
  if (rate !== undefined && own >= 0) {
    ledger.types ??= new Map();
    ledger.types.set(name, own);
  }
  return undefined;
}
