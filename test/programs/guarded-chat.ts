// A program: serves the chat on one host after another, reports its memory and connections, and stalls or closes on request.
import type { AnyGuard } from '@sallyport/core';
import type { ChatHandler, RunningHost } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { chatGuard, type PolicyOverrides } from '../support/chat-policy.ts';
import { realTime } from '../support/real-time.ts';
import { answers } from './answers.ts';

export type GuardedChat = typeof questions;

/** How often each thing has happened since the last report. */
let counts: Record<string, number> = {};
const count = (what: string): void => {
  counts[what] = (counts[what] ?? 0) + 1;
};

const chat: ChatHandler = (connection) => {
  for (const type of ['say', 'note'] as const) {
    connection.on(type, (message) => {
      count('handled');
      connection.send('said', { text: (message as { text: string }).text.slice(0, 20) });
    });
  }
};

let guard: AnyGuard | undefined;
let app: RunningHost | undefined;
/** Clears the application's log, which would count as memory of the guard. */
const forget = (): void => {
  if (app === undefined) return;
  (app.logged as string[]).length = 0;
  (app.handled as string[]).length = 0;
};
setInterval(forget, 50);

const questions = {
  /** Serves the chat on this host; resolves with its port. */
  start: async (name: string, policy: PolicyOverrides): Promise<number> => {
    guard = chatGuard({ ...policy, clock: realTime });
    for (const event of ['handshake.denied', 'message.denied'] as const)
      guard.on(event, ({ reason }) => count(reason));
    guard.on('connection.closed', ({ code, reason }) => count(`${code} ${reason}`));
    app = await hosts.find((host) => host.name === name)?.start({ guard, chat });
    return app?.port ?? 0;
  },
  stop: () => app?.close(),
  /** Bytes in and outside of the JavaScript heap. */
  memory: (): number => {
    forget();
    (globalThis as unknown as { gc: () => void }).gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  counts: () => {
    const last = counts;
    counts = {};
    return last;
  },
  connections: () => guard?.stats().connections ?? 0,
  sockets: () =>
    new Promise<number>((resolve) => app?.server.getConnections((_error, sockets) => resolve(sockets))),
  /** Blocks the event loop for this many milliseconds. */
  stall: (milliseconds: number): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  },
  /** Closes the guard, and returns how many milliseconds that took. */
  close: async (within: number): Promise<number> => {
    const startedAt = performance.now();
    await guard?.close({ within });
    return performance.now() - startedAt;
  },
};
answers(questions);
