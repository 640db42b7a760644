// The core alone, without a network: a guard, handshakes as a host describes them, and a socket that goes nowhere.
import { hostGuard } from '@sallyport/core/host';
import { ORIGIN } from './common.js';
import { plain } from './dialects.js';
import { signToken } from './token.js';

/** Takes everything, and keeps nothing. */
export class NullSocket {
  #read = 0;
  send() {
    return true;
  }
  sendFramed() {
    return true;
  }
  listens() {
    return false;
  }
  isHeld() {
    return false;
  }
  bytesRead() {
    return ++this.#read;
  }
  close() {}
  terminate() {}
  ping() {}
  pause() {}
  resume() {}
  deliver() {}
}

/** What everybody says in this bench. */
export const TEXT = plain.message;

export function handshakeRequest(token, address = '127.0.0.1') {
  const headers = {
    Host: 'localhost:3000',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Origin: ORIGIN,
    Authorization: `Bearer ${token}`,
  };
  return {
    method: 'GET',
    target: '/chat',
    httpVersion: '1.1',
    rawHeaders: Object.entries(headers).flat(),
    peer: { address, encrypted: true, unix: false },
  };
}

/** Takes a request through both doors, as hosts do. */
export async function admit(guard, request) {
  const handshake = hostGuard(guard).begin(request, () => {});
  const decision =
    (await hostGuard(guard).enter(handshake)) ?? (await hostGuard(guard).admit(handshake, undefined));
  if (decision.denied) throw new Error(`denied: ${decision.reason} (${decision.detail})`);
  return decision;
}

/** An open connection whose messages reach a handler that does nothing. */
export async function connected(guard) {
  const admission = await admit(guard, handshakeRequest(await signToken()));
  let handled = 0;
  const receiver = admission.open(new NullSocket(), (connection) => {
    connection.on('say', () => {
      handled++;
    });
  });
  return { receiver, handled: () => handled };
}
