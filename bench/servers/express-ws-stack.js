// What a team assembles on Express: express-ws (which brings ws 7), rate-limiter-flexible, zod, jsonwebtoken.
import { createServer } from 'node:http';
import express from 'express';
import expressWs from 'express-ws';
import { listen, MAX_BYTES, ORIGIN, RATES } from '../common.js';
import { claimsOfHeader, limiter, Say } from '../parts.js';

/**
 * @param {'echo' | 'reply'} shape
 * @param {{ rates?: typeof RATES }} [options]
 */
export async function start(shape, { rates = RATES } = {}) {
  const handshakes = limiter(rates.handshakes);
  const messages = limiter(rates.messages);

  // The middleware of express-ws runs after the 101, so that a refusal has to be here.
  async function verifyClient({ req, origin }, done) {
    try {
      await handshakes.consume(req.socket.remoteAddress);
    } catch {
      return done(false, 429);
    }
    if (origin !== ORIGIN) return done(false, 403);
    try {
      req.user = claimsOfHeader(req.headers.authorization).sub;
    } catch {
      return done(false, 401);
    }
    done(true);
  }

  const app = express();
  const server = createServer(app);
  const wsOptions = { maxPayload: MAX_BYTES, perMessageDeflate: false, verifyClient };
  expressWs(app, server, { wsOptions });

  app.ws('/chat', (ws, { user }) => {
    // ws 7 gives a text as a string, and sends a string as a text.
    ws.on('message', async (data) => {
      try {
        await messages.consume(user);
        const { room, text } = Say.parse(JSON.parse(data));
        if (shape === 'echo') ws.send(data);
        else ws.send(JSON.stringify({ type: 'said', room, text }));
      } catch {
        ws.close(1008);
      }
    });
    // What is too big, or no frame at all: ws has closed the connection when it says so.
    ws.on('error', () => {});
  });
  return listen(server);
}
