import type { AnyGuard } from '@sallyport/core';
import type { ChatHandler, Host, HostOptions, RunningHost } from '../contract/hosts/host.ts';
import { chatGuard, type PolicyOverrides } from './chat-policy.ts';
import { eventually } from './eventually.ts';

/** An application, and a record of everything that its guard hands to it or emits. */
export interface Watched extends RunningHost {
  readonly guard: AnyGuard;
  /** What typed handlers got: type and body, in order. */
  readonly typed: readonly (readonly [type: string, body: unknown])[];
  /** What a listener of the bare library got, in order. */
  readonly raw: readonly (string | Buffer)[];
  /** Stage, reason and pointer of each denied message. */
  readonly denied: readonly string[];
  readonly reported: readonly string[];
  readonly faults: readonly unknown[];
  /** Code and reason of each connection that has ended. */
  readonly closed: readonly string[];
  /** Waits for this message. All messages before it have been decided by then. */
  settled(type?: string): Promise<void>;
}

/** Answers a message. What it throws is a fault of the handler. */
export type Answering = (type: string, body: unknown, connection: Parameters<ChatHandler>[0]) => unknown;

/** Starts an application of this policy with typed handlers for all types and a listener of the bare library. */
export async function watch(
  start: (host: Host, options: HostOptions) => Promise<RunningHost>,
  host: Host,
  policy: PolicyOverrides,
  answer: Answering = () => undefined,
  connected: ChatHandler = () => undefined,
): Promise<Watched> {
  const guard = chatGuard(policy);
  const typed: (readonly [string, unknown])[] = [];
  const raw: (string | Buffer)[] = [];
  const denied: string[] = [];
  const reported: string[] = [];
  const faults: unknown[] = [];
  const closed: string[] = [];
  const note =
    (list: string[]) =>
    ({ stage, reason, pointer }: { stage: string; reason: string; pointer: string | undefined }) =>
      list.push([stage, reason, pointer].filter((part) => part !== undefined).join(' '));
  guard.on('message.denied', note(denied));
  guard.on('message.reported', note(reported));
  guard.on('fault', ({ error }) => faults.push(error));
  guard.on('connection.closed', ({ code, reason }) => closed.push(`${code} ${reason ?? ''}`.trim()));
  const chat: ChatHandler = (connection, socket, native) => {
    for (const type of typesOf(policy)) {
      connection.on(type, (body) => {
        // A copy, since a later handler could change the message.
        typed.push([type, structuredClone(body)]);
        return answer(type, body, connection);
      });
    }
    socket.on('message', (data, isBinary) => raw.push(isBinary ? (data as Buffer) : String(data)));
    return connected(connection, socket, native);
  };
  const running = await start(host, { guard, chat });
  const settled = (type = 'next'): Promise<void> =>
    eventually(() => typed.at(-1)?.[0] === type, `the message '${type}'`);
  return { ...running, guard, typed, raw, denied, reported, faults, closed, settled };
}

/** The message types; none for `passthrough()`, which is marked by a symbol. */
function typesOf({ messages = {} }: PolicyOverrides): readonly string[] {
  return Object.getOwnPropertySymbols(messages).length > 0 ? [] : Object.keys(messages);
}
