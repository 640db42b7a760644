import { PolicyError } from '../vocabulary/policy-error.ts';

/** How the bytes of a frame become a value, and back. It replaces JSON, for formats such as MessagePack or CBOR. */
export interface Codec {
  /** The media type, such as `application/msgpack`, for documents made from the policy. */
  readonly contentType: string;
  /** The kind of frame that carries it. A frame of the other kind closes with `frame_unsupported` (1003). */
  readonly frames: 'text' | 'binary';
  /**
   * Reads one message. A throw denies with `message_malformed`. The result must stay within `limits.json` and hold
   * plain values only: objects, arrays, texts, numbers, booleans, `null`, and `Uint8Array`s.
   *
   * The codec itself must refuse text that is not UTF-8, and announced lengths for which a library allocates memory
   * (`maxArrayLength`, `maxMapLength` and the like of `@msgpack/msgpack`).
   *
   * If one map has a key twice, another reader of the same bytes may take the other value. So `decode` calls `key` once
   * for each key that it reads, repeated ones included. A message whose result has another number of keys is
   * `message_malformed`.
   */
  decode(data: Uint8Array | string, key: () => void): unknown;
  /** Whether `decode` itself throws for a repeated key, or the format has none. Then `key` is not asked for. Default: `false`. */
  readonly uniqueKeys?: boolean;
  /** Writes one message. */
  encode(value: unknown): Uint8Array | string;
}

/**
 * Tries a codec that does not state `uniqueKeys`: whether it calls `key` for the keys that it reads.
 *
 * @throws PolicyError if it does not, because then a repeated key would pass, or no message at all.
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

/** What one outgoing message consists of: text, or the bytes of a binary message. */
export type Payload = string | Uint8Array;

/** ws delivers `Buffer`s with checked UTF-8, and their `toString` is far faster than a `TextDecoder`. */
export function textOf(data: Uint8Array | string): string {
  if (typeof data === 'string') return data;
  const bytes = data instanceof Buffer ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  // An argument would cost a lookup of the encoding.
  return bytes.toString();
}

export function byteLength(data: Uint8Array | string): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
}
