// What the attacks share: the victim, further connections, and the form of an outcome.
import { chatAddress } from './ways.js';

/**
 * The result of an attack.
 *
 * @typedef {object} Outcome
 * @property {boolean | undefined} held whether the guard prevented the attack; `undefined` if that is not known
 * @property {string} verdict in a few words
 * @property {string} saw what the attacking script could see
 * @property {object | undefined} decision the guard's decision about the attack, if there is one
 * @property {string} [said] a text to show instead of a decision
 */

/** The user who is logged in on this page, whom the attacks are against. */
export const victim = { name: undefined };

/** The outcome of an attack by a handshake. It is held only if the guard denied it and the browser saw no open socket. */
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

/** Opens a socket, and resolves with whether it opened and with its close code. */
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

/** Opens another connection of the visitor, so that attacks do not close the first one. */
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
  /** Resolves with the first message from index `at` on that fits, or `undefined` if the connection closes first. */
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
