// `guard.broadcast` to everybody who is connected.
import { createServer } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { guardServer } from '@sallyport/ws';
import { WebSocketServer } from 'ws';
import { listen } from '../common.js';
import { guardOf } from './guard.js';

// Those who listen answer no ping.
const guard = guardOf({ heartbeat: false });

export async function start() {
  const server = createServer();
  guardServer(server, new WebSocketServer({ noServer: true }), guard);
  return listen(server);
}

/** Says it so many times, each in a tick of its own, and tells how many bytes a frame of it has. */
export async function broadcast(body, times) {
  for (let i = 0; i < times; i++) {
    guard.broadcast('said', body);
    await setImmediate();
  }
  return 2 + Buffer.byteLength(JSON.stringify({ ...body, type: 'said' }));
}
