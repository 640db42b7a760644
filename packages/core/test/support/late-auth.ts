import { bearer, custom, query } from '@sallyport/core';
import type { CustomIdentity } from '../../src/auth/custom.ts';
import type { MaybePromise } from '../../src/vocabulary/decision.ts';
import type { RecordingSocket } from './recording-socket.ts';

type Answer = CustomIdentity<Record<string, unknown>> | undefined;
export type Answers = (credential: string, signal: AbortSignal) => MaybePromise<Answer>;

/** An authenticator of handshakes (`Authorization`) and of messages (`key`) that a test answers for. */
export function keys(answers: Answers) {
  let asked = 0;
  const authenticator = custom({
    scheme: 'key',
    from: [bearer(), query('key')],
    messageField: 'key',
    recheckEvery: '10s',
    authenticate: ({ credential = '', signal }) => {
      asked++;
      return answers(credential, signal);
    },
  });
  return { authenticator, asked: () => asked };
}

/** Whoever's name it is; `wrong` is nobody's. */
export const byName: Answers = (credential) => (credential === 'wrong' ? undefined : { subject: credential });

export const auth = (key: string): string => JSON.stringify({ type: 'auth', key });
export const say = (text: string): string => JSON.stringify({ type: 'say', text });

/** All that could happen without waiting for a timer has happened. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection that retires has looked at what the kernel had received. */
export async function retired(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await settle();
}

/** A promise for each time that it is asked, for the test to settle. */
export class Held<T> {
  readonly #waiting: { resolve: (value: T) => void; reject: (error: unknown) => void }[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  ask = (): Promise<T> => new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));

  async answer(value: T): Promise<void> {
    this.#waiting.shift()?.resolve(value);
    await settle();
  }

  async fail(error: unknown = new Error('down')): Promise<void> {
    this.#waiting.shift()?.reject(error);
    await settle();
  }
}

/** The codes of the error replies, and the types of the others, in order. */
export function replies(socket: RecordingSocket): string[] {
  return socket.sent.map((message) => {
    const { type, code } = message as { type: string; code?: string };
    return code ?? type;
  });
}
