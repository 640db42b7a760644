// Refuses every upgrade, and looks at none: what a refusal costs that nobody has decided on.
import { createServer } from 'node:http';
import { listen } from '../common.js';

const RESPONSE = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

export async function start() {
  const server = createServer();
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
    socket.end(RESPONSE, () => socket.destroy());
  });
  return listen(server);
}
