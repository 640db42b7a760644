import { PolicyError } from '../vocabulary/policy-error.ts';

/**
 * How the bytes of a frame become a value, and back. JSON is what the guard does by itself; a codec takes its place for
 * formats such as MessagePack or CBOR, on a library of your choice.
 */
export interface Codec {
  /** The media type, such as `application/msgpack`, for documents made from the policy. */
  readonly contentType: string;
  /** The kind of frame that carries it; one of the other kind closes with `frame_unsupported` (1003). */
  readonly frames: 'text' | 'binary';
  /**
   * Reads one message. What it throws for is `message_malformed`. What it returns is held to `limits.json`, and to plain
   * values: objects, arrays, texts, numbers, booleans, `null`, and `Uint8Array`s.
   *
   * What only the codec can see is the codec's to refuse: text that is no UTF-8, and lengths that a few bytes announce and
   * a library allocates for (`maxArrayLength`, `maxMapLength` and the like of `@msgpack/msgpack`).
   *
   * Of a key that one map has twice, another reader of the same bytes may take the other value. So it calls `key` once for each key
   * that it reads, a repeated one included: a message that then has another number of keys is `message_malformed`.
   */
  decode(data: Uint8Array | string, key: () => void): unknown;
  /** Whether `decode` itself throws for a repeated key, or the format has none. Then `key` is not asked for. Default: `false`. */
  readonly uniqueKeys?: boolean;
  /** Writes one message. */
  encode(value: unknown): Uint8Array | string;
}

/**
 * Tries a codec that does not say that its keys are unique: whether it tells of the keys that it reads.
 *
 * @throws PolicyError where it does not, since a repeated key would then pass, or nothing.
 */
export function requireCountedKeys(codec: Codec, option: string): void {
  let keys = 0;
  codec.decode(codec.encode({ a: { b: 1 } }), () => keys++);
  if (keys === 2) return;
  throw new PolicyError(
    option,
    `of { a: { b: 1 } } it tells ${keys} keys, so that it cannot be known whether one is repeated`,
    'Call key() for each key in decode(data, key), or say uniqueKeys: true where decode throws for a repeated one.',
  );
}

/** What goes out in one message: text, or the bytes of a binary one. */
export type Payload = string | Uint8Array;

/** ws hands over `Buffer`s, whose `toString` is far quicker than a `TextDecoder`; it has checked the UTF-8 itself. */
export function textOf(data: Uint8Array | string): string {
  if (typeof data === 'string') return data;
  const bytes = data instanceof Buffer ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  // Without an argument it looks for no encoding.
  return bytes.toString();
}

/** Bytes of a message as it came. */
export function byteLength(data: Uint8Array | string): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
}
