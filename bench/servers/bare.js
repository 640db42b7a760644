// ws alone: no origin, no token, no rate, no schema.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen } from '../common.js';

const handlers = {
  echo: (ws) => (data, binary) => ws.send(data, { binary }),
  reply: (ws) => (data) => {
    const { room, text } = JSON.parse(data);
    ws.send(JSON.stringify({ type: 'said', room, text }));
  },
};

export async function start(shape) {
  const server = createServer();
  const wss = new WebSocketServer({ server });
  wss.on('connection', (ws) => ws.on('message', handlers[shape](ws)));
  return listen(server);
}
