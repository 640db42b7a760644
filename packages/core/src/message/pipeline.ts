import { AUTH_TYPE } from '../auth/auth-message.ts';
import { spend } from '../limits/cell-rate.ts';
import { request } from '../limits/identity-rates.ts';
import { type Denial, deny, isPromise, type MaybePromise } from '../vocabulary/decision.ts';
import { type Codec, textOf } from '../wire/codec.ts';
import { type Addressee, Incoming, UNADDRESSED, UNREAD } from '../wire/incoming.ts';
import {
  type DeniedMessage,
  type Inspection,
  type PassedMessage,
  type RenewalMessage,
  refuse,
} from '../wire/inspection.ts';
import type { Mistake } from './check.ts';
import { countColons, isAcceptable, parseJson, UNREADABLE } from './parse.ts';
import { checkPermission } from './permission.ts';
import type { CompiledType, MessageRules } from './rules.ts';
import type { Sender } from './sender.ts';
import { checkTypeLimits } from './type-limits.ts';

/** Checks size and rate as a frame arrives, before a byte of the message is read. */
export function checkFrame(
  bytes: number,
  now: number,
  sender: Sender,
  rules: MessageRules,
): Denial | undefined {
  if (bytes > rules.maxBytes) return deny('message_too_big', `more than ${rules.maxBytes} bytes`).at('size');
  const { ledger } = sender;
  const messages = spend(ledger.messages, now, rules.rate);
  const volume = spend(ledger.bytes, now, rules.byteRate, bytes);
  const { share } = ledger;
  const ofIdentity = share === undefined ? 0 : request(share, now);
  if (messages < 0 || volume < 0 || ofIdentity < 0) {
    const limit = messages < 0 ? 'limits.messages' : volume < 0 ? 'limits.bytes' : 'limits.identityMessages';
    const denial = deny('message_rate', limit, -Math.min(messages, volume, ofIdentity)).at('message-rate');
    if (!rules.reportRate) return denial;
    sender.reported(denial);
  }
  if (messages >= 0) ledger.messages = messages;
  if (volume >= 0) ledger.bytes = volume;
  if (share !== undefined && ofIdentity >= 0) share.tat = ofIdentity;
  return undefined;
}

/** Parses, then checks order, schema, sanitizing and permission. Synchronous if the policy is. */
export function inspectMessage(
  data: Uint8Array | string,
  isBinary: boolean,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<Inspection> {
  const opaque = rules.passthrough;
  if (opaque !== undefined) {
    return (isBinary ? opaque.binary : opaque.text)
      ? { incoming: new Incoming(undefined, data, OPAQUE, undefined, 0), type: undefined }
      : refuse(deny('frame_unsupported', 'this kind of frame').at('parse'), UNREAD);
  }
  const incoming = readMessage(data, isBinary, rules);
  if ('denial' in incoming) return incoming;
  try {
    const inspection = consider(incoming, data, sender, rules);
    return isPromise(inspection)
      ? inspection.then(undefined, (error) => faultOf(error, incoming))
      : inspection;
  } catch (error) {
    return faultOf(error, incoming);
  }
}

function faultOf(fault: unknown, { id }: Incoming): Inspection {
  return { fault, to: id };
}

/** Rules and schemas of the application run here and may throw. */
function consider(
  incoming: Incoming,
  data: Uint8Array | string,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<Inspection> {
  const type = rules.types.get(incoming.type);
  const { value, text, keysRead } = incoming;
  const bounded = type !== undefined && isBoundedBySchema(incoming, type, rules);
  if (!bounded && !isAcceptable(value, rules.bounds, text, keysRead))
    return refuse(malformed('beyond limits.json'), UNADDRESSED);
  if (type === undefined) return unlisted(incoming, rules);
  const denied = checkTypeLimits(data, incoming, type, sender, rules);
  if (denied !== undefined) return denied;
  const mistake = type.check.look(incoming, bounded);
  if (isPromise(mistake)) return mistake.then((late) => afterSchema(late, incoming, type, sender, rules));
  return afterSchema(mistake, incoming, type, sender, rules);
}

/** Takes a message out of its frame and envelope, without checking the body. Never throws. */
export function readMessage(
  data: Uint8Array | string,
  isBinary: boolean,
  { codec, envelope }: MessageRules,
): Incoming | DeniedMessage {
  if (isBinary !== (codec?.frames === 'binary')) {
    return refuse(deny('frame_unsupported', 'this kind of frame').at('parse'), UNREAD);
  }
  let keys = 0;
  const text = codec === undefined ? textOf(data) : undefined;
  const value = codec === undefined ? parseJson(text as string) : decode(codec, data, () => keys++);
  if (value === UNREADABLE) return refuse(malformed('it cannot be read'), UNREAD);
  const incoming = envelope.open(value);
  if (incoming === undefined) return refuse(malformed('it is no message in this envelope'), UNADDRESSED);
  incoming.text = text;
  if (codec !== undefined && codec.uniqueKeys !== true) incoming.keysRead = keys;
  // With a codec, listeners get a message written anew, because another parser may read the same bytes differently.
  incoming.changed = codec !== undefined;
  return incoming;
}

/** Whom an error reply about a message goes to, without checking the message. */
export function addresseeOf(data: Uint8Array | string, isBinary: boolean, rules: MessageRules): Addressee {
  if (rules.passthrough !== undefined) return UNREAD;
  const read = readMessage(data, isBinary, rules);
  return 'denial' in read ? read.to : read.id;
}

/** Opaque messages have no envelope. */
const OPAQUE = {};

function decode(codec: Codec, data: Uint8Array | string, key: () => void): unknown {
  try {
    return codec.decode(data, key);
  } catch {
    return UNREADABLE;
  }
}

function malformed(detail: string): Denial {
  return deny('message_malformed', detail).at('parse');
}

/**
 * A message whose schema bounds it need not be walked through as well. More colons than keys may mean a repeated key,
 * so such a text is looked at closely.
 */
function isBoundedBySchema(
  { text, envelopeKeys, id, body }: Incoming,
  { check }: CompiledType,
  { bounds }: MessageRules,
): boolean {
  const { fixedKeys } = check;
  if (
    text === undefined ||
    fixedKeys === undefined ||
    text.length > bounds.text ||
    text.length > 2 * bounds.items ||
    fixedKeys + envelopeKeys > bounds.keys ||
    (typeof id === 'number' && Math.abs(id) > bounds.number)
  )
    return false;
  return countColons(text) === fixedKeys + envelopeKeys && check.fits(body);
}

function unlisted(incoming: Incoming, rules: MessageRules): RenewalMessage | DeniedMessage {
  if (rules.renewal && incoming.type === AUTH_TYPE) return { renewal: incoming };
  return refuse(deny('message_type_unknown', 'no such message type').at('schema'), incoming.id);
}

function afterSchema(
  mistake: Mistake | undefined,
  incoming: Incoming,
  type: CompiledType,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<PassedMessage | DeniedMessage> {
  const denied =
    enforce(mistake, incoming, sender, rules) ??
    // A report-only schema stage must not let through what a sanitizer would have stopped.
    (mistake?.stage === 'schema'
      ? enforce(type.check.sanitize?.(incoming), incoming, sender, rules)
      : undefined);
  return denied ?? checkPermission(incoming, type, sender, rules);
}

function enforce(
  mistake: Mistake | undefined,
  { id }: Incoming,
  sender: Sender,
  rules: MessageRules,
): DeniedMessage | undefined {
  if (mistake === undefined) return undefined;
  const { stage, pointer } = mistake;
  const detail = stage === 'schema' ? 'it does not match its schema' : 'a text in it was refused';
  const denial = deny('message_invalid', detail).at(stage);
  if (!(stage === 'schema' ? rules.reportSchema : rules.reportSanitize))
    return refuse(denial, id, { pointer });
  sender.reported(denial, pointer);
  return undefined;
}
