// Socket.IO with its own middleware, and rate-limiter-flexible, zod and jsonwebtoken in it. WebSocket only.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { z } from 'zod';
import { listen, MAX_BYTES, ORIGIN, RATES } from '../common.js';
import { body, claimsOf, limiter } from '../parts.js';

/** By event: its name is the type of a message. */
const schemas = new Map([['say', z.strictObject(body)]]);

/**
 * @param {'echo' | 'reply'} shape
 * @param {{ rates?: typeof RATES }} [options]
 */
export async function start(shape, { rates = RATES } = {}) {
  const handshakes = limiter(rates.handshakes);
  const messages = limiter(rates.messages);

  /** Before the 101. `cors` is for polling, and stops no WebSocket. */
  async function allowRequest(request, done) {
    try {
      await handshakes.consume(request.socket.remoteAddress);
      done(null, request.headers.origin === ORIGIN);
    } catch {
      done('too many handshakes', false);
    }
  }

  const server = createServer();
  const io = new Server(server, {
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: MAX_BYTES,
    cors: { origin: ORIGIN },
    allowRequest,
  });

  io.use((socket, next) => {
    try {
      socket.data.user = claimsOf(socket.handshake.auth.token).sub;
      next();
    } catch {
      next(new Error('not authenticated'));
    }
  });

  io.on('connection', (socket) => {
    socket.use(async ([event, message, ...more], next) => {
      try {
        await messages.consume(socket.data.user);
        const schema = schemas.get(event);
        if (schema === undefined || more.length > 0) throw new Error('no such message');
        schema.parse(message);
        next();
      } catch {
        next(new Error('refused'));
      }
    });
    socket.on('error', () => socket.disconnect(true));

    if (shape === 'echo') socket.on('say', (message) => socket.emit('say', message));
    else socket.on('say', ({ room, text }) => socket.emit('said', { room, text }));
  });
  return listen(server);
}
