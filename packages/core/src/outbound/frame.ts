const TEXT = 0x81;
const BINARY = 0x82;

/** One whole, unmasked frame of a server (RFC 6455 §5.2), with text or bytes. The bytes may be text as well. */
export function frameOf(data: string | Uint8Array, isBinary = typeof data !== 'string'): Uint8Array {
  const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
  const header = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + bytes);
  frame[0] = isBinary ? BINARY : TEXT;
  if (header === 2) frame[1] = bytes;
  else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  if (typeof data === 'string') frame.write(data, header);
  else frame.set(data, header);
  return frame;
}
