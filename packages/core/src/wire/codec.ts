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
   */
  decode(data: Uint8Array | string): unknown;
  /** Writes one message. */
  encode(value: unknown): Uint8Array | string;
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
