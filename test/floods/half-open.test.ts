// D1, D2, D6, H8: 20,000 sockets that never become anything: silent, with half a request line, with headers that never end,
// ended on one side; with a handshake whose credential takes for ever to be checked; accepted, and then silent. Each is dropped
// within its deadline, none keeps a slot or memory, and a neighbour hardly notices.
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { goodHeaders } from '../support/chat-policy.ts';
import { handshakeBytes } from '../support/wire.ts';
import { floodedHosts } from './flooded-hosts.ts';
import { FloodedServer } from './flooded-server.ts';
import { FLOOD } from './flooder.ts';

/** Sockets that are opened at once, and held at once: what a process may hold is bounded, too. */
const BATCH = 100;
const HELD = 1_000;
/** Milliseconds between two batches, so that a server is not asked for more than it can do. */
const BEAT = 10;
const PER_ADDRESS = 100;

const limits = {
  connectionsPerAddress: PER_ADDRESS,
  connectionsPerIdentity: PER_ADDRESS,
  handshakes: { rate: '10000/s', burst: 10_000 },
  heartbeat: '1s',
} as const;

let flooded: FloodedServer;
beforeAll(async () => {
  flooded = await FloodedServer.start();
}, 60_000);
afterAll(async () => expect(await flooded?.end()).toBe(''));

describe.each(floodedHosts)('$name', ({ name }) => {
  beforeAll(() => flooded.serve(name, { limits }));
  afterAll(() => flooded.stop());

  test('half-open sockets', async () => {
    const whole = handshakeBytes({ headers: await goodHeaders('mallory') });
    const kinds = ['', 'GET /ch', whole.subarray(0, -2), whole];
    await flooded.server.ask('counts');
    const [answers] = await flooded.withstands(async () => {
      const held: Socket[] = [];
      const answers: Record<string, number> = {};
      const open = (begun: Buffer | string): Socket => {
        const socket = connect({ port: flooded.port, host: '127.0.0.1', allowHalfOpen: true });
        socket.on('error', () => socket.destroy());
        socket.once('data', (answer) => {
          const status = answer.toString('latin1', 9, 12);
          answers[status] = (answers[status] ?? 0) + 1;
        });
        if (begun !== '') socket.write(begun);
        return socket;
      };
      for (let opened = 0; opened < FLOOD; opened += BATCH) {
        for (let i = 0; i < BATCH; i++) held.push(open(kinds[i % kinds.length] ?? ''));
        // What it may hold no longer, it drops without a word; every other one says half of a goodbye.
        for (const [i, socket] of held.splice(0, held.length - HELD).entries()) {
          if (i % 8 < 4) socket.end();
          else socket.resetAndDestroy();
        }
        await wait(BEAT);
      }
      return async () => {
        for (const socket of held) socket.resetAndDestroy();
        return answers;
      };
    });
    console.log(answers, await flooded.server.ask('counts'));
  }, 40_000);
});
