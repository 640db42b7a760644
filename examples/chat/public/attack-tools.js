// What the attacks share: the victim, connections to lose, and how an outcome is told.
import { chatAddress } from './ways.js';

/**
 * What an attack tells of itself.
 *
 * @typedef {object} Outcome
 * @property {boolean} held whether the castle stands
 * @property {string} verdict in a few words
 * @property {string} saw what the attacking script could see
 * @property {object | undefined} decision the guard's decision, where it made one about this
 * @property {string} [said] in place of a decision
 */

/** Whom the attacks are against: who is logged in here. */
export const victim = { name: undefined };

/** Held is what the guard refused and what the browser never saw open; anything else is not called held. */
export function handshakeOutcome({ opened, code }, decision) {
  const held = !opened && decision?.event === 'handshake.denied';
  return {
    held: opened ? false : held ? true : undefined,
    verdict: opened ? 'It got in' : held ? 'Held before the 101' : 'It failed, but not at the guard',
    saw: opened ? 'an open socket' : `no socket, only close code ${code}`,
    decision,
  };
}

export const isHandshakeFrom = (origin) => (decision) =>
  decision.event.startsWith('handshake.') && decision.origin === origin;

export const isDeniedMessage = (decision) =>
  decision.event === 'message.denied' && decision.subject === victim.name;

/** Opens a socket, only to see whether it opens. */
export function attempt(protocols, address = chatAddress) {
  return new Promise((resolve) => {
    const socket = new WebSocket(address, protocols);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      socket.close();
    };
    socket.onclose = ({ code }) => resolve({ opened, code });
  });
}

/** A second connection of the visitor's own, which the attacks on messages may lose. */
export async function secondConnection(address = chatAddress) {
  const socket = new WebSocket(address);
  const received = [];
  const waiting = new Set();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    received.push(message);
    for (const look of [...waiting]) look();
  };
  const closed = new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
  });
  /** The first message from `at` on that fits, or `undefined` when the connection ends before. */
  const message = (fits, at = 0) =>
    Promise.race([
      closed.then(() => undefined),
      new Promise((resolve) => {
        const look = () => {
          const found = received.slice(at).find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    ]);
  if ((await message(({ type }) => type === 'welcome')) === undefined)
    throw new Error('The connection was refused.');
  return { socket, received, closed, message };
}

export function later(ms, value) {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}
