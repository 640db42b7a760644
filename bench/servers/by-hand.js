// ws with the checks of the guard's policy written by hand, in the order in which the guard makes them.
import { createServer, STATUS_CODES } from 'node:http';
import { WebSocketServer } from 'ws';
import { HOST, listen, MAX_BYTES, MAX_CONNECTIONS, ORIGIN, RATES } from '../common.js';
import { claimsOfHeader, Say } from '../parts.js';

const HEARTBEAT = 25_000;
const MAX_BUFFERED = 1_024 * 1_024;

/** By type: what it must look like, and who takes it. */
const types = new Map([
  ['say', { schema: Say, handle: (ws, { room, text }) => send(ws, { type: 'said', room, text }) }],
]);

/**
 * @param {'echo' | 'reply'} shape
 * @param {{ rates?: typeof RATES }} [options]
 */
export async function start(shape, { rates = RATES } = {}) {
  const server = createServer();
  const wss = new WebSocketServer({ noServer: true, maxPayload: MAX_BYTES, perMessageDeflate: false });
  const handshakes = new Map();
  const ofAddress = new Counts(MAX_CONNECTIONS);
  const ofUser = new Counts(MAX_CONNECTIONS);

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', ignore);
    const { headers } = request;
    const address = socket.remoteAddress;
    if (headers.host?.replace(/:\d+$/, '') !== HOST) return refuse(socket, 403);
    if (!bucketOf(handshakes, address, rates.handshakes).take(1, Date.now())) return refuse(socket, 429);
    if (headers.origin !== ORIGIN) return refuse(socket, 403);
    let user;
    try {
      user = claimsOfHeader(headers.authorization).sub;
    } catch {
      return refuse(socket, 401);
    }
    if (wss.clients.size >= MAX_CONNECTIONS) return refuse(socket, 503);
    if (ofAddress.isFull(address) || ofUser.isFull(user)) return refuse(socket, 429);
    // From here on the socket's end gives back what is taken, whether ws accepts the handshake or not.
    ofAddress.add(address);
    ofUser.add(user);
    socket.once('close', () => {
      ofAddress.remove(address);
      ofUser.remove(user);
    });
    socket.off('error', ignore);
    wss.handleUpgrade(request, socket, head, (ws) => serve(ws, shape, rates));
  });

  setInterval(() => {
    for (const ws of wss.clients) beat(ws);
    // A full bucket is as good as none: addresses that are gone are forgotten.
    for (const [address, bucket] of handshakes) if (bucket.isFull(Date.now())) handshakes.delete(address);
  }, HEARTBEAT);
  return listen(server);
}

function serve(ws, shape, rates) {
  const messages = new Bucket(rates.messages);
  const bytes = new Bucket(rates.bytes);
  ws.isAlive = true;
  ws.on('pong', isAlive);
  ws.on('error', ignore);
  ws.on('message', (data, binary) => {
    if (binary) return ws.close(1003);
    const now = Date.now();
    if (!messages.take(1, now) || !bytes.take(data.length, now)) return ws.close(1008);
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return ws.close(1007);
    }
    const type = types.get(message?.type);
    if (type === undefined) return ws.close(1008);
    // A property named `__proto__` is an unknown one to zod, and nothing is copied from a message before that.
    const { success, data: checked } = type.schema.safeParse(message);
    if (!success) return ws.close(1008);
    if (shape === 'echo') write(ws, data);
    else type.handle(ws, checked);
  });
}

function send(ws, message) {
  write(ws, JSON.stringify(message));
}

/** Text, to a client that reads what it is sent. */
function write(ws, text) {
  if (ws.bufferedAmount > MAX_BUFFERED) return ws.close(1013);
  ws.send(text, { binary: false });
}

/** As in the README of ws: whoever did not answer the last ping is gone. */
function beat(ws) {
  if (!ws.isAlive) return ws.terminate();
  ws.isAlive = false;
  ws.ping();
}

function isAlive() {
  this.isAlive = true;
}

/** An error comes with a `close`, which is where everything is cleaned up. */
function ignore() {}

function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** As many tokens as a second brings at most, taken one by one. Times are in milliseconds. */
class Bucket {
  constructor(rate) {
    this.rate = rate;
    this.tokens = rate;
    this.at = Date.now();
  }

  take(cost, now) {
    this.#fill(now);
    if (this.tokens < cost) return false;
    this.tokens -= cost;
    return true;
  }

  isFull(now) {
    this.#fill(now);
    return this.tokens === this.rate;
  }

  #fill(now) {
    this.tokens = Math.min(this.rate, this.tokens + ((now - this.at) * this.rate) / 1_000);
    this.at = now;
  }
}

function bucketOf(buckets, key, rate) {
  let bucket = buckets.get(key);
  if (bucket === undefined) {
    bucket = new Bucket(rate);
    buckets.set(key, bucket);
  }
  return bucket;
}

/** How many there are of each key. */
class Counts {
  #counts = new Map();

  constructor(max) {
    this.max = max;
  }

  isFull(key) {
    return (this.#counts.get(key) ?? 0) >= this.max;
  }

  add(key) {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  remove(key) {
    const left = this.#counts.get(key) - 1;
    if (left === 0) this.#counts.delete(key);
    else this.#counts.set(key, left);
  }
}
