import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuard } from '@sallyport/core';
import { connectionOf, guardServer } from '@sallyport/ws';
import { WebSocket, WebSocketServer } from 'ws';
import type { Random } from '../random.ts';
import { checkNext, must, show } from './checks.ts';
import type { Dialect } from './dialect.ts';
import { generate } from './generator.ts';
import type { Outcome } from './outcomes.ts';
import { messages, policyOf } from './policy.ts';
import { type Expected, expectedOf } from './reference.ts';
import { isAnswered, replyIn } from './reference-envelopes.ts';

/** Milliseconds that the last answer may take. */
const PATIENCE = 30_000;

/** Sends this many messages through a real socket to a real server, and checks all their outcomes in order. */
export async function endToEnd(dialect: Dialect, random: Random, count: number): Promise<void> {
  const { envelope, codec } = dialect;
  const server = await serve(dialect);
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, {
    origin: `http://127.0.0.1:${server.port}`,
  });
  const answers: Outcome[] = [];
  client.on('message', (data: Buffer, isBinary) =>
    answers.push({ kind: 'answered', data: isBinary ? data : data.toString() }),
  );
  const ended = new Promise<never>((_resolve, reject) => {
    client.once('close', (code) => reject(new Error(`the connection was closed with ${code}`)));
    client.once('error', reject);
  });
  try {
    await Promise.race([once(client, 'open'), ended]);
    const sent = Array.from({ length: count }, () => generate(random, dialect)).map(({ data }) => ({
      data,
      expected: expectedOf(dialect.read(data), dialect),
    }));
    for (const { data } of sent) client.send(data, { binary: codec !== undefined });
    const wanted = sent.filter(({ expected }) => isTold(expected, dialect)).length;
    await Promise.race([until(() => answers.length >= wanted, client), ended]);
    for (const [index, { data, expected }] of sent.entries()) {
      const outcomes = 'reason' in expected ? [] : server.handedOn.splice(0, 2);
      if (isTold(expected, dialect)) outcomes.push(...answers.splice(0, 1));
      try {
        checkNext(outcomes, expected, data, dialect, replyIn(envelope, expected.id, 'got', { well: true }));
      } catch (error) {
        const { seed } = random;
        const what = `Message ${index} on the wire of seed ${seed} (SALLYPORT_FUZZ_SEED=${seed} repeats it)`;
        throw new Error(`${what}: ${(error as Error).message}\nexpected: ${show(expected)}\n${show(data)}`);
      }
    }
    const rest = [...server.handedOn, ...answers, ...server.faults];
    must(rest.length === 0, () => `too much came of the messages on the wire: ${show(rest)}`);
  } finally {
    ended.catch(() => {});
    client.terminate();
    await server.close();
  }
}

/** Whether the sender gets an answer: an error, or the reply of the handler. */
function isTold(expected: Expected, { envelope }: Dialect): boolean {
  return !('reason' in expected) || isAnswered(envelope, expected.id);
}

/** Waits for answers, and fails if too few come. */
function until(fits: () => boolean, client: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the answers on the wire have stopped')), PATIENCE);
    const look = (): void => {
      if (!fits()) return;
      clearTimeout(timer);
      client.off('message', look);
      resolve();
    };
    client.on('message', look);
    look();
  });
}

/** A server of the fuzzed policy, whose handlers answer everything. */
async function serve({ envelope, codec }: Dialect) {
  const guard = createGuard(policyOf(envelope, codec));
  const handedOn: Outcome[] = [];
  const faults: unknown[] = [];
  guard.on('fault', (event) => faults.push(event));
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, guard);
  wss.on('connection', (socket) => {
    const connection = connectionOf(socket, guard);
    for (const type of Object.keys(messages)) {
      connection.on(type, 'got', (body) => {
        handedOn.push({ kind: 'handled', type, body });
        return { well: true };
      });
    }
    socket.on('message', (data: Buffer, isBinary) => handedOn.push({ kind: 'passed on', data, isBinary }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    await guard.close({ within: '1s' });
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, handedOn, faults, close };
}
