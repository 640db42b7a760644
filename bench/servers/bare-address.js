// ws alone, which asks the system for each peer's address, as everybody has to who limits or bans by it.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen } from '../common.js';

export async function start() {
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (socket.remoteAddress === undefined) socket.destroy();
    else wss.handleUpgrade(request, socket, head, () => {});
  });
  return listen(server);
}
