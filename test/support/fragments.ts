import { frame } from './wire.ts';

const CONTINUATION = 0x0;
const FIN = 0x80;

/** A message in several frames (RFC 6455 §5.4): only the last one has the FIN bit. */
export function fragments(parts: readonly (string | Buffer)[], opcode = 0x1): Buffer[] {
  return parts.map((part, i) => {
    const one = frame(part, i === 0 ? opcode : CONTINUATION);
    if (i < parts.length - 1) one[0] = (one[0] as number) & ~FIN;
    return one;
  });
}
