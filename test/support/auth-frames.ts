import { frame } from './wire.ts';

/** A message as a client's frame. */
export function send(message: object): Buffer {
  return frame(JSON.stringify(message));
}

export function authenticate(credential: { readonly token?: string; readonly ticket?: string }): Buffer {
  return send({ type: 'auth', ...credential });
}

export function say(text: string): Buffer {
  return send({ type: 'say', text });
}

/** Part of a message: the first with its opcode, the others as continuations; none of them is the last. */
export function fragment(payload: string | Buffer, first = false): Buffer {
  const bytes = frame(payload, first ? 0x1 : 0x0);
  bytes[0] = (bytes[0] as number) & 0x7f;
  return bytes;
}
