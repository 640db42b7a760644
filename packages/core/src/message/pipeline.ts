import { AUTH_TYPE } from '../auth/auth-message.ts';
import { type Denial, deny, isPromise, type MaybePromise } from '../decision.ts';
import { spend } from '../limits/rate.ts';
import { type Codec, textOf } from '../wire/codec.ts';
import { Incoming, UNADDRESSED, UNREAD } from '../wire/incoming.ts';
import type { Mistake } from './check.ts';
import { countColons, isAcceptable, parseJson, UNREADABLE } from './parse.ts';
import { checkPermission } from './permission.ts';
import type { CompiledType, MessageRules } from './rules.ts';
import { checkTurn } from './turn.ts';
import {
  type MessageDenial,
  type Passed,
  type Renewal,
  refuse,
  type Sender,
  type Verdict,
} from './verdict.ts';

/** Size, then rate: all that is looked at before a byte of it is read. Runs as the frame arrives, never later. */
export function admit(bytes: number, now: number, sender: Sender, rules: MessageRules): Denial | undefined {
  // What has no size that anybody knows, such as a Blob, is too big.
  if (!(bytes <= rules.maxBytes))
    return deny('message_too_big', `more than ${rules.maxBytes} bytes`).at('size');
  const { ledger } = sender;
  const messages = spend(ledger.messages, now, rules.rate);
  const volume = spend(ledger.bytes, now, rules.byteRate, bytes);
  if (messages < 0 || volume < 0) {
    const denial = deny('message_rate', messages < 0 ? 'limits.messages' : 'limits.bytes').at('message-rate');
    if (!rules.reportRate) return denial;
    sender.reported(denial);
  }
  if (messages >= 0) ledger.messages = messages;
  if (volume >= 0) ledger.bytes = volume;
  return undefined;
}

/** Parse, order of steps, schema, sanitizing, permission. A policy that is synchronous answers at once. */
export function judge(
  data: Uint8Array | string,
  isBinary: boolean,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<Verdict> {
  const opaque = rules.passthrough;
  if (opaque !== undefined) {
    return (isBinary ? opaque.binary : opaque.text)
      ? { incoming: new Incoming(undefined, data, OPAQUE, undefined, 0), type: undefined }
      : refuse(deny('frame_unsupported', 'this kind of frame').at('parse'), UNREAD);
  }
  const incoming = open(data, isBinary, rules);
  if ('denial' in incoming) return incoming;
  const faulted = (fault: unknown): Verdict => ({ fault, to: incoming.id });
  try {
    const verdict = consider(incoming, data, sender, rules);
    return isPromise(verdict) ? verdict.then(undefined, faulted) : verdict;
  } catch (error) {
    return faulted(error);
  }
}

/** All that is looked at once its id is known, the application's own rules and schemas included: they may throw. */
function consider(
  incoming: Incoming,
  data: Uint8Array | string,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<Verdict> {
  const type = rules.types.get(incoming.type);
  const { value, text } = incoming;
  const short = type !== undefined && isBoundedBySchema(incoming, type, rules);
  if (!short && !isAcceptable(value, rules.bounds, text))
    return refuse(malformed('beyond limits.json'), UNADDRESSED);
  if (type === undefined) return unlisted(incoming, rules);
  const untimely = checkTurn(data, incoming, type, sender, rules);
  if (untimely !== undefined) return untimely;
  const mistake = type.check.look(incoming);
  if (isPromise(mistake)) return mistake.then((late) => afterSchema(late, incoming, type, sender, rules));
  // Nobody walked through what its schema bounds; now it turns out that its schema does not.
  if (short && mistake !== undefined && !isAcceptable(value, rules.bounds, text)) {
    return refuse(malformed('beyond limits.json'), UNADDRESSED);
  }
  return afterSchema(mistake, incoming, type, sender, rules);
}

/** Takes a message out of its frame and its envelope. Its shape has not been looked at. Never throws. */
export function open(
  data: Uint8Array | string,
  isBinary: boolean,
  { codec, envelope }: MessageRules,
): Incoming | MessageDenial {
  if (isBinary !== (codec?.frames === 'binary')) {
    return refuse(deny('frame_unsupported', 'this kind of frame').at('parse'), UNREAD);
  }
  const text = codec === undefined ? textOf(data) : undefined;
  const value = text === undefined ? decode(codec as Codec, data) : parseJson(text);
  if (value === UNREADABLE) return refuse(malformed('it cannot be read'), UNREAD);
  const incoming = envelope.open(value);
  if (incoming === undefined) return refuse(malformed('it is no message in this envelope'), UNADDRESSED);
  incoming.text = text;
  // Another reader of the same bytes may take other ones of repeated keys, say: it gets what was read here.
  incoming.changed = codec !== undefined;
  return incoming;
}

/** The content of opaque messages is in no envelope. */
const OPAQUE = {};

function decode(codec: Codec, data: Uint8Array | string): unknown {
  try {
    return codec.decode(data);
  } catch {
    return UNREADABLE;
  }
}

function malformed(detail: string): Denial {
  return deny('message_malformed', detail).at('parse');
}

/**
 * Whether a body that passes its schema cannot break a bound, so that it has to be walked through once only, by its
 * schema. More colons than keys would mean that a text has some, or that a key is repeated: that is for a closer look.
 */
function isBoundedBySchema(
  { text, envelopeKeys }: Incoming,
  { check }: CompiledType,
  { bounds }: MessageRules,
): boolean {
  const { fixedKeys } = check;
  if (
    text === undefined ||
    fixedKeys === undefined ||
    text.length > bounds.text ||
    text.length > 2 * bounds.items
  )
    return false;
  return countColons(text) === fixedKeys + envelopeKeys;
}

function unlisted(incoming: Incoming, rules: MessageRules): Renewal | MessageDenial {
  if (rules.renewal && incoming.type === AUTH_TYPE) return { renewal: incoming };
  return refuse(deny('message_type_unknown', 'no such message type').at('schema'), incoming.id);
}

/** What the schema says, then permission. */
function afterSchema(
  mistake: Mistake | undefined,
  incoming: Incoming,
  type: CompiledType,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<Passed | MessageDenial> {
  if (mistake !== undefined) {
    const { stage, pointer } = mistake;
    const detail = stage === 'schema' ? 'it does not match its schema' : 'a text in it was refused';
    const denial = deny('message_invalid', detail).at(stage);
    if (!(stage === 'schema' ? rules.reportSchema : rules.reportSanitize)) {
      return refuse(denial, incoming.id, { pointer });
    }
    sender.reported(denial, pointer);
  }
  return checkPermission(incoming, type, sender, rules);
}
