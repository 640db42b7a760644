// A program: a well-behaved client, which sends one message after another and waits for each answer. It is a process of its own,
// so that the flooding process does not delay it.
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { answers } from './answers.ts';

export type Neighbour = typeof questions;

/** Milliseconds between an answer and the next message. */
const PAUSE = 4;

let socket: WebSocket | undefined;
/** The milliseconds that each answer since the last report took. */
let roundTrips: number[] = [];
/** What came instead of the expected answers. */
let astray: string[] = [];

async function talk(ws: WebSocket): Promise<void> {
  for (let sent = 0; ws === socket; sent++) {
    const startedAt = performance.now();
    const answered = once(ws, 'message');
    ws.send(JSON.stringify({ type: 'say', text: `${sent}` }));
    const [answer] = await answered;
    roundTrips.push(performance.now() - startedAt);
    const { type, text } = JSON.parse(String(answer));
    if (type !== 'said' || text !== `${sent}`) astray.push(String(answer));
    await wait(PAUSE);
  }
}

const questions = {
  enter: async (port: number, headers: Record<string, string>): Promise<void> => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { Host: 'localhost', ...headers } });
    await once(ws, 'open');
    socket = ws;
    roundTrips = [];
    astray = [];
    ws.on('close', (code) => {
      if (ws === socket) astray.push(`closed with ${code}`);
    });
    talk(ws).catch((error) => astray.push(String(error)));
  },
  answered: (): number => roundTrips.length,
  /** The round trips since the last report, and what went wrong since the client connected. */
  report: () => {
    const report = { roundTrips, astray };
    roundTrips = [];
    return report;
  },
  leave: (): void => {
    const ws = socket;
    socket = undefined;
    ws?.terminate();
  },
};
answers(questions);
