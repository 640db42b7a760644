// What ws's documentation shows: the text once, and `send` for every client that is open.
import { createServer } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { listen } from '../common.js';

let wss;

export async function start() {
  const server = createServer();
  wss = new WebSocketServer({ server });
  return listen(server);
}

export async function broadcast(body, times) {
  for (let i = 0; i < times; i++) {
    const text = JSON.stringify({ ...body, type: 'said' });
    for (const client of wss.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
    await setImmediate();
  }
  return 2 + Buffer.byteLength(JSON.stringify({ ...body, type: 'said' }));
}
