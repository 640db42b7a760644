import { type Reason, reasons } from '../vocabulary/reasons.ts';
import type { Codec, Payload } from '../wire/codec.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Addressee, Incoming, MessageId } from '../wire/incoming.ts';

interface BodyCheck {
  passes(body: unknown): boolean;
  /** The same for a body without its type. */
  passesUntyped?(body: unknown): boolean;
  pointer(body: unknown): string;
}

export interface WriterOptions {
  readonly envelope: Envelope;
  /** Absent for JSON. */
  readonly codec: Codec | undefined;
  /** By type. Absent: anything may be sent. */
  readonly replies: ReadonlyMap<string, BodyCheck> | undefined;
  /** Routes with the same source compile to the same schemas. */
  readonly source: unknown;
  /** Whether replies are checked by their schema. Their type is always checked. */
  readonly check: boolean;
}

/** Writes outgoing messages: checks their schema, then applies envelope and codec. */
export class Writer {
  constructor(readonly options: WriterOptions) {}

  /** @throws TypeError if `policy.replies` has no such type, or the body does not match its schema. */
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
   * `undefined` if the envelope answers only requests with an id.
   *
   * @throws TypeError like `message`.
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

  /** An answer of the guard itself. Without an id it is a message of this type. */
  noticeTo(id: MessageId | undefined, type: string, body: object): Payload {
    return this.#encode(this.options.envelope.answer(id, type, body));
  }

  /** The report of a denial; `undefined` if the sender wants no answer. `wait` is in milliseconds. */
  error(code: Reason, path: string | undefined, to: Addressee, wait?: number): Payload | undefined {
    const message = reasons[code].text;
    const report = path === undefined ? { code, message } : { code, path, message };
    const body =
      wait === undefined ? report : { ...report, retryAfter: Math.max(1, Math.ceil(wait / 1_000)) };
    const value = this.options.envelope.error(to, body);
    return value === undefined ? undefined : this.#encode(value);
  }

  /** The message with its present body, for receivers of bytes. */
  rewrite(incoming: Incoming): Payload {
    return this.#encode(this.options.envelope.rewrite(incoming));
  }

  /** Whether both writers write the same messages alike. */
  writesLike({ options: other }: Writer): boolean {
    const { envelope, codec, source } = this.options;
    return other.envelope === envelope && other.codec === codec && other.source === source;
  }

  /** A fast path that writes a merged type without copying the body; `undefined` if it does not apply. */
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

/** For a protocol that the guard does not know: its peers could not read an error reply. */
export class OpaqueWriter extends Writer {
  override error(): undefined {
    return undefined;
  }
}

/** Whether JSON.stringify writes its own properties and nothing else. */
function isPlain(body: unknown): body is object {
  return (
    typeof body === 'object' &&
    body !== null &&
    Object.getPrototypeOf(body) === Object.prototype &&
    !('type' in body) &&
    !('toJSON' in body)
  );
}
