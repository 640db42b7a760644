import { frame } from './wire.ts';

/** A message as a frame of a client. */
export function send(message: object): Buffer {
  return frame(JSON.stringify(message));
}

export function authenticate(credential: Readonly<Record<string, string | undefined>>): Buffer {
  return send({ type: 'auth', ...credential });
}

export function say(text: string): Buffer {
  return send({ type: 'say', text });
}

/** A fragment of a message: the first one or a continuation, never the last one. */
export function fragment(payload: string | Buffer, first = false): Buffer {
  const bytes = frame(payload, first ? 0x1 : 0x0);
  bytes[0] = (bytes[0] as number) & 0x7f;
  return bytes;
}
