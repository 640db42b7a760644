import { AUTH_TYPE } from '../auth/auth-message.ts';
import { stillValid } from '../auth/recheck.ts';
import { type Denial, deny, isPromise, type MaybePromise } from '../decision.ts';
import { spend } from '../limits/rate.ts';
import type { Identity } from '../ports.ts';
import { parseJson, UNREADABLE } from './parse.ts';
import { type CompiledType, isAuthorized, type MessageRules } from './rules.ts';

/** Two buckets as plain numbers: theoretical arrival times of messages and of bytes. */
interface Quota {
  messages: number;
  bytes: number;
}

/** A message that may be handed on. */
export interface Passed {
  readonly type: string | undefined;
  readonly message: unknown;
}

/** Whose message it is, as far as the message room has to know. */
export interface Sender {
  readonly identity: Identity;
  readonly quota: Quota;
  /** Records what a stage in report-only mode would have denied. */
  reported(denial: Denial, pointer?: string): void;
}

/** Size, then rate: all that is looked at before a byte of it is read. Runs as the frame arrives, never later. */
export function admit(bytes: number, now: number, sender: Sender, rules: MessageRules): Denial | undefined {
  if (bytes > rules.maxBytes) return deny('message_too_big', `more than ${rules.maxBytes} bytes`).at('size');
  const { quota } = sender;
  const messages = spend(quota.messages, now, rules.rate);
  const volume = spend(quota.bytes, now, rules.byteRate, bytes);
  if (messages < 0 || volume < 0) {
    const denial = deny('message_rate', messages < 0 ? 'limits.messages' : 'limits.bytes').at('message-rate');
    if (!rules.reportRate) return denial;
    sender.reported(denial);
  }
  if (messages >= 0) quota.messages = messages;
  if (volume >= 0) quota.bytes = volume;
  return undefined;
}

/** Parse, schema, permission. A policy that is synchronous answers at once. */
export function judge(
  data: Uint8Array | string,
  isBinary: boolean,
  sender: Sender,
  rules: MessageRules,
): MaybePromise<Passed | Renewal | MessageDenial> {
  const opaque = rules.passthrough;
  if (opaque !== undefined) {
    const taken = isBinary ? opaque.binary : opaque.text;
    return taken
      ? { type: undefined, message: data }
      : refuse(deny('frame_unsupported', 'this kind of frame').at('parse'));
  }
  if (isBinary) return refuse(deny('frame_unsupported', 'a binary frame').at('parse'));
  const message = parseJson(typeof data === 'string' ? data : decode(data), rules.json);
  if (message === UNREADABLE || !isObject(message)) {
    return refuse(deny('message_malformed', 'not an object in JSON, or beyond limits.json').at('parse'));
  }
  const type = rules.types.get(message.type as string);
  if (type === undefined && rules.renewal && message.type === AUTH_TYPE) return { renewal: message };
  if (type === undefined) return refuse(deny('message_type_unknown', 'no such message type').at('schema'));
  if (!type.check.passes(message)) {
    const pointer = type.check.pointer(message);
    const denial = deny('message_invalid', 'it does not match its schema').at('schema');
    if (!rules.reportSchema) return refuse(denial, pointer);
    sender.reported(denial, pointer);
  }
  return authorize(type, rules, sender.identity, message);
}

function isObject(value: unknown): value is { readonly type?: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A new credential for an open connection, which is not the message room's to judge. */
export interface Renewal {
  readonly renewal: object;
}

/** A denied message, and where in it the mistake is. */
export interface MessageDenial {
  readonly denial: Denial;
  readonly pointer: string | undefined;
}

function refuse(denial: Denial, pointer?: string): MessageDenial {
  return { denial, pointer };
}

function authorize(
  type: CompiledType,
  rules: MessageRules,
  identity: Identity,
  message: unknown,
): MaybePromise<Passed | MessageDenial> {
  if (type.freshness !== undefined && !isFresh(identity, type.freshness, rules.now())) {
    return refuse(
      deny('step_up_required', `'${type.name}' asks for a fresh credential`).at('message-authorization'),
    );
  }
  const ask = (): MaybePromise<boolean> => isAuthorized(type, rules, identity, message);
  const finish = (allowed: boolean): Passed | MessageDenial =>
    allowed
      ? { type: type.name, message }
      : refuse(deny('message_forbidden', `'${type.name}' is not permitted`).at('message-authorization'));
  if (type.recheck) return recheck(identity, ask, finish);
  const answer = ask();
  return isPromise(answer) ? answer.then(finish) : finish(answer);
}

/** The session first, so that nothing is asked on behalf of one that is gone. */
async function recheck<T>(
  identity: Identity,
  ask: () => MaybePromise<boolean>,
  finish: (allowed: boolean) => T,
): Promise<T | MessageDenial> {
  const reason = await stillValid(identity);
  if (reason !== undefined)
    return refuse(
      deny(reason, 'the session did not answer that it is still there').at('message-authorization'),
    );
  return finish(await ask());
}

/** Without an issue date nobody knows how old it is. */
function isFresh({ issuedAt }: Identity, freshness: number, now: number): boolean {
  return issuedAt !== undefined && now - issuedAt * 1_000 <= freshness;
}

/** ws hands over `Buffer`s, whose `toString` is far quicker than a `TextDecoder`; it has checked the UTF-8 itself. */
function decode(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
}
