// A program: a node that a process manager starts and stops. Plain JavaScript, since PM2 starts a `.ts` file with another runtime.
// Prints `PID listening PORT`, and `PID over` when its shutdown is over. WITHIN is what its shutdown may take.
import { createServer } from 'node:http';
import { anonymous, createGuard, Type } from '@sallyport/core';
import { gracefulShutdown, guardServer } from '@sallyport/ws';
import { WebSocketServer } from 'ws';

const say = (text) => process.stdout.write(`${process.pid} ${text}\n`);
const guard = createGuard({
  origins: ['http://localhost'],
  auth: [anonymous()],
  messages: { say: Type.Object({}) },
  limits: { handshakes: { rate: '1000/s', burst: 1_000 } },
  logger: { warn: (_details, text) => say(text) },
});
const server = createServer((_request, response) => response.end());
guardServer(server, new WebSocketServer({ noServer: true }), guard, { path: '/chat' });
void gracefulShutdown(server, guard, { within: process.env.WITHIN ?? '5s' }).closed.then(() => say('over'));
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => say(`listening ${server.address().port}`));
