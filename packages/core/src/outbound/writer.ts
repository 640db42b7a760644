import { type Reason, reasons } from '../vocabulary/reasons.ts';
import type { Codec, Payload } from '../wire/codec.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Addressee, Incoming, MessageId } from '../wire/incoming.ts';

/** A reply's schema, where it is checked. */
interface BodyCheck {
  passes(body: unknown): boolean;
  /** The same before the type stands among its properties. */
  passesUntyped?(body: unknown): boolean;
  pointer(body: unknown): string;
}

export interface WriterOptions {
  readonly envelope: Envelope;
  /** JSON where there is none. */
  readonly codec: Codec | undefined;
  /** By type; anything may be sent where there are none. */
  readonly replies: ReadonlyMap<string, BodyCheck> | undefined;
  /** What the schemas were compiled from: routes that share it write the same. */
  readonly source: unknown;
  /** Whether what is sent is held against its schema; its type is in any case. */
  readonly check: boolean;
}

/** Puts what a route sends into its envelope and its codec, after a look at its schema. */
export class Writer {
  constructor(readonly options: WriterOptions) {}

  /** @throws TypeError for a reply that `policy.replies` does not know, or that does not match its schema. */
  message(type: string, body: unknown): Payload {
    const { envelope } = this.options;
    const text = this.#textOf(type, body);
    if (text !== undefined) return text;
    if (envelope.mergesType) {
      const merged = envelope.notice(type, body);
      this.#check(type, merged);
      return this.#encode(merged);
    }
    this.#check(type, body);
    return this.#encode(envelope.notice(type, body));
  }

  /**
   * The answer to a request; `undefined` where its envelope answers nobody without an id.
   *
   * @throws TypeError as `message` does.
   */
  answer(id: MessageId | undefined, type: string | undefined, body: unknown): Payload | undefined {
    const { envelope } = this.options;
    const text = type === undefined ? undefined : this.#textOf(type, body);
    if (text !== undefined) return text;
    const value = envelope.answer(id, type, body);
    if (type !== undefined) this.#check(type, envelope.mergesType ? value : body);
    return value === undefined ? undefined : this.#encode(value);
  }

  /** A message of the guard itself. */
  notice(type: string, body: object): Payload {
    return this.#encode(this.options.envelope.notice(type, body));
  }

  /** Answers for the guard itself: by id where there is one, else as a message of this type. */
  noticeTo(id: MessageId | undefined, type: string, body: object): Payload {
    return this.#encode(this.options.envelope.answer(id, type, body));
  }

  /** Tells of a denial; `undefined` where its sender asked not to be answered. */
  error(code: Reason, path: string | undefined, to: Addressee): Payload | undefined {
    const message = reasons[code].text;
    const body = path === undefined ? { code, message } : { code, path, message };
    const value = this.options.envelope.error(to, body);
    return value === undefined ? undefined : this.#encode(value);
  }

  /** A message as it is handed on, for those who want its bytes and not its body. */
  rewrite(incoming: Incoming): Payload {
    return this.#encode(this.options.envelope.rewrite(incoming));
  }

  /** Whether a message that one of them wrote is what the other would have written. */
  writesLike({ options: other }: Writer): boolean {
    const { envelope, codec, source } = this.options;
    return other.envelope === envelope && other.codec === codec && other.source === source;
  }

  /** What the envelope would make of it, without a copy that has the type; `undefined` where only that tells. */
  #textOf(type: string, body: unknown): string | undefined {
    const { envelope, codec, replies, check } = this.options;
    if (codec !== undefined || !envelope.mergesType || !isPlain(body)) return undefined;
    if (replies !== undefined) {
      const schema = replies.get(type);
      if (schema === undefined || (check && schema.passesUntyped?.(body) !== true)) return undefined;
    }
    const text = JSON.stringify(body);
    const last = `"type":${JSON.stringify(type)}}`;
    return text === '{}' ? `{${last}` : `${text.slice(0, -1)},${last}`;
  }

  #check(type: string, body: unknown): void {
    const { replies, check } = this.options;
    if (replies === undefined) return;
    const schema = replies.get(type);
    if (schema === undefined) throw new TypeError(`There is no reply '${type}' in the policy.`);
    if (check && !schema.passes(body))
      throw new TypeError(`The reply '${type}' does not match its schema at '${schema.pointer(body)}'.`);
  }

  #encode(value: unknown): Payload {
    const { codec } = this.options;
    return codec === undefined ? JSON.stringify(value) : codec.encode(value);
  }
}

/** Whether its JSON is that of its own properties, of which none is in the way. */
function isPlain(body: unknown): body is object {
  return (
    typeof body === 'object' &&
    body !== null &&
    Object.getPrototypeOf(body) === Object.prototype &&
    !('type' in body) &&
    !('toJSON' in body)
  );
}
