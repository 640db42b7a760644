// D1, D2, D6: 20,000 sockets that send nothing, half a request line, headers that never end, or a whole handshake and then
// nothing. They get no more slots than one address may have and leave no slots or memory behind, and another client is served in
// time. (The server's `headersTimeout`, which the guard sets, bounds how long headers may take.)
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { goodHeaders } from '../support/chat-policy.ts';
import { handshakeBytes } from '../support/wire.ts';
import { floodedHosts } from './flooded-hosts.ts';
import { FloodedServer } from './flooded-server.ts';
import { FLOOD } from './flooder.ts';

/** Sockets that are opened at once, a quarter of them with a whole handshake. */
const BATCH = 8;
/** Milliseconds between two batches, so that the server can do its other work. */
const BEAT = 3;
/** Sockets open at once, since the number of open files of this process is limited. */
const HELD = 1_000;
/** Slots of an address, of which the neighbour has one. */
const SLOTS = 100;

const limits = {
  connectionsPerAddress: SLOTS,
  connectionsPerIdentity: SLOTS,
  handshakes: { rate: '10000/s', burst: 10_000 },
  // For the neighbour.
  messages: { rate: '300/s', burst: 300 },
  heartbeat: '1s',
} as const;

/** A socket, and the status of its answer: 0 for no answer. */
interface Opened {
  readonly socket: Socket;
  readonly status: Promise<number>;
}

function open(port: number, begun: Buffer): Opened {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const status = new Promise<number>((resolve) => {
    socket.once('data', (answer) => resolve(Number(answer.toString('latin1', 9, 12))));
    socket.once('close', () => resolve(0));
  });
  // Closes sockets that the server has ended, since the number of open files of this process is limited.
  for (const event of ['end', 'error'] as const) socket.on(event, () => socket.destroy());
  if (begun.length > 0) socket.write(begun);
  return { socket, status };
}

let flooded: FloodedServer;
beforeAll(async () => {
  flooded = await FloodedServer.start();
}, 60_000);
afterAll(async () => expect(await flooded?.end()).toBe(''));

describe.each(floodedHosts)('$name', ({ name }) => {
  beforeAll(() => flooded.serve(name, { limits }));
  afterAll(() => flooded.stop());

  test('20,000 half-open sockets get no more slots than their address may have, and leave none behind', async () => {
    const whole = handshakeBytes({ headers: await goodHeaders('mallory') });
    const begun = [Buffer.alloc(0), Buffer.from('GET /ch'), whole.subarray(0, -2)];
    let connections = 0;
    const [statuses = []] = await flooded.withstands(async () => {
      const statuses: number[] = [];
      const unfinished: Socket[] = [];
      const drop = (count: number): void => {
        for (const [i, socket] of unfinished.splice(0, count).entries()) {
          if (i % 2 === 0) socket.end();
          else socket.resetAndDestroy();
        }
      };
      for (let opened = 0; opened < FLOOD; opened += BATCH) {
        const handshakes: Opened[] = [];
        for (let i = 0; i < BATCH; i++) {
          if (i % 4 === 3) handshakes.push(open(flooded.port, whole));
          else unfinished.push(open(flooded.port, begun[i % 4] as Buffer).socket);
        }
        // The kernel queues sockets that are not accepted yet. Without the wait, the server would not see the flood.
        statuses.push(...(await Promise.all(handshakes.map(({ status }) => status))));
        connections = Math.max(connections, await flooded.server.ask('connections'));
        drop(Math.max(0, unfinished.length - HELD));
        await wait(BEAT);
      }
      drop(unfinished.length);
      // Accepted sockets stay open and answer nothing, so that the server has to end them.
      return async () => statuses;
    });
    expect(statuses).toHaveLength(FLOOD / 4);
    expect(new Set(statuses)).toEqual(new Set([101, 429]));
    // Exactly the slots of the address were used, one of them by the neighbour.
    expect(connections).toBe(SLOTS);
    expect(await flooded.server.ask('connections')).toBe(1);
    const { '1006 unresponsive': unresponsive } = await flooded.server.ask('counts');
    expect(unresponsive).toBeGreaterThanOrEqual(SLOTS - 1);
  }, 60_000);
});
