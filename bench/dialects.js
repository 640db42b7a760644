// What is said to a server and what it must answer: messages as Sallyport's flat envelope has them, and Socket.IO's.
import { textFrame } from './frames.js';

const BODY = { room: 'lobby', text: 'a message of a length that people write in a chat' };

/**
 * @typedef {object} Dialect
 * @property {string} path what is upgraded
 * @property {(token?: string) => string[]} headers the lines that carry the credential, if headers do
 * @property {(token?: string) => { awaited: string, said?: Buffer }[]} greeting after the 101: how each text of the server
 *   begins, and the frame to say then
 * @property {(type: string, body: object) => string} write a message as text
 * @property {string} message what is sent
 * @property {{ echo: string, reply: string }} answers what comes back, by the shape of the server
 * @property {(text: string) => unknown} read what a text says, to be compared whatever the order of its keys
 * @property {Map<string, Buffer>} pings what a server may ask in a text at any time, with the frame that answers it
 */

/**
 * JSON with the type in it, and the token in `Authorization`.
 *
 * @param {string} [type] of the messages
 * @returns {Dialect}
 */
export function plainOf(type = 'say') {
  return {
    path: '/chat',
    headers: (token) => (token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    greeting: () => [],
    ...spoken((name, body) => JSON.stringify({ type: name, ...body }), type),
    read: JSON.parse,
    pings: new Map(),
  };
}

/** @type {Dialect} */
export const plain = plainOf();

/**
 * Engine.IO 4 and Socket.IO 5: the token is in the packet that connects, an event stands for a type.
 *
 * @type {Dialect}
 */
export const socketIo = {
  path: '/socket.io/?EIO=4&transport=websocket',
  headers: () => [],
  greeting: (token) => [
    { awaited: '0{', said: textFrame(`40${JSON.stringify({ token })}`) },
    { awaited: '40{' },
  ],
  ...spoken((name, body) => `42${JSON.stringify([name, body])}`, 'say'),
  read: (text) => (text.startsWith('42') ? JSON.parse(text.slice(2)) : text),
  pings: new Map([['2', textFrame('3')]]),
};

function spoken(write, type) {
  const message = write(type, BODY);
  return { write, message, answers: { echo: message, reply: write('said', BODY) } };
}
