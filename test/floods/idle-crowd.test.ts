// D1, D6, D10: many idle connections on one server: all are kept, counted and pinged, one more is refused, and closing the guard
// closes every one of them with 1001.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Crowd } from '../programs/crowd.ts';
import type { GuardedChat } from '../programs/guarded-chat.ts';
import { goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { Forked } from '../support/forked.ts';
import { refusal } from '../support/wire.ts';
import { IN_FULL } from './flooder.ts';

const CROWD = IN_FULL ? 10_000 : 1_000;
/** Milliseconds. */
const WINDOW = 4_000;
const PATIENCE = 60_000;
const limits = {
  connections: CROWD,
  connectionsPerAddress: CROWD + 1,
  connectionsPerIdentity: CROWD + 1,
  handshakes: { rate: '100000/s', burst: 100_000 },
  heartbeat: '4s',
} as const;

let server: Forked<GuardedChat>;
let crowd: Forked<Crowd>;
beforeAll(async () => {
  [server, crowd] = await Promise.all([
    Forked.start<GuardedChat>('guarded-chat'),
    Forked.start<Crowd>('crowd'),
  ]);
}, 60_000);
afterAll(async () => expect([await crowd?.end(), await server?.end()]).toEqual(['', '']));

test(`${CROWD} idle connections are kept, counted and pinged; one more is refused; a shutdown closes all of them`, async () => {
  const port = await server.ask('start', 'ws', { limits });
  const headers = await goodHeaders();
  const before = await server.ask('memory');
  await crowd.ask('enter', port, headers, CROWD);
  expect([await server.ask('connections'), await server.ask('sockets')]).toEqual([CROWD, CROWD]);
  // Measured: 6 KiB for each, nearly all of it for Node's socket and the WebSocket library.
  const each = ((await server.ask('memory')) - before) / CROWD;
  expect(each).toBeLessThan(12 * 1_024);
  // All slots are taken.
  expect(await refusal(port, { headers })).toMatchObject({ status: 503 });

  await eventually(async () => (await crowd.ask('pinged')) === CROWD, 'a ping for everybody', PATIENCE);
  expect(await server.ask('counts')).toEqual({ capacity: 1 });
  const milliseconds = await server.ask('close', WINDOW);
  await eventually(async () => (await crowd.ask('closed')).ended === CROWD, 'the end of everybody', PATIENCE);
  const closed = await crowd.ask('closed');
  expect(closed.codes).toEqual({ 1001: CROWD });
  // Spread over the window, so that the clients do not all reconnect at once.
  expect(closed.half).toBeGreaterThan(WINDOW / 5);
  expect(milliseconds).toBeLessThan(WINDOW + PATIENCE);
  expect(await server.ask('connections')).toBe(0);
}, 180_000);
