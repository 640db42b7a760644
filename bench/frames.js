// The frames of RFC 6455 §5.2, as far as a client of this bench needs them.

export const TEXT = 0x81;
export const CLOSE = 0x88;
export const PING = 0x89;
const PONG = 0x8a;

const MASK = [1, 2, 3, 4];

/** A text as a client sends it, masked, of up to 65,535 bytes. */
export function textFrame(text) {
  return frame(TEXT, Buffer.from(text));
}

/** The answer to a ping. */
export function pongFrame(payload) {
  return frame(PONG, payload);
}

function frame(first, payload) {
  const { length } = payload;
  if (length > 0xffff) throw new Error('too long for a frame of this bench');
  const head = length < 126 ? [first, 0x80 | length] : [first, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...head, ...MASK]), payload.map((byte, i) => byte ^ MASK[i % 4])]);
}

/**
 * Reads one unmasked frame, as a server sends it: its first byte, its payload, and where the next one begins.
 * `undefined` while some of it is missing.
 *
 * @param {Buffer} bytes
 * @param {number} at where it begins
 */
export function readFrame(bytes, at) {
  if (bytes.length < at + 2) return undefined;
  const short = bytes[at + 1];
  if (short > 126) throw new Error('a masked frame, or a longer one than any server here sends');
  if (short === 126 && bytes.length < at + 4) return undefined;
  const from = short === 126 ? at + 4 : at + 2;
  const end = from + (short === 126 ? bytes.readUInt16BE(at + 2) : short);
  if (bytes.length < end) return undefined;
  return { first: bytes[at], payload: bytes.subarray(from, end), end };
}
