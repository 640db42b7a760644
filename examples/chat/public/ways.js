// The credentials with which the page can open the chat.

export const chatAddress = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat`;
/** How long a token, or a connection opened by a ticket, is valid. */
const MINUTES = 5;

/** Asks the server for a `token` or a `ticket` for the user of the session cookie. */
export async function ask(what) {
  const response = await fetch(`/${what}`, { method: 'POST' });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer[what];
}

/**
 * Each `open` gives a socket, and in `expiresAt` when the connection expires (seconds since the epoch), unless with the session.
 * `renewedBy` is what renews it: a credential of the kind that opened it. A page cannot send an HttpOnly cookie in a message.
 */
export const ways = {
  cookie: {
    name: 'session cookie',
    what: 'The browser sends the cookie by itself, whichever page opens the socket: so the guard compares the origin.',
    open: () => ({ socket: new WebSocket(chatAddress), expiresAt: undefined }),
  },
  token: {
    name: 'token',
    renewedBy: 'token',
    what: 'A script cannot set headers on a WebSocket, so the token goes as a subprotocol. The server never echoes it.',
    async open() {
      const token = await ask('token');
      return { socket: new WebSocket(chatAddress, ['bearer', token]), expiresAt: soon() };
    },
  },
  ticket: {
    name: 'ticket',
    renewedBy: 'ticket',
    what: 'A ticket may stand in the address: it is spent as it is used, and otherwise worthless after 30 seconds.',
    async open() {
      const ticket = await ask('ticket');
      return { socket: new WebSocket(`${chatAddress}?ticket=${ticket}`), expiresAt: soon() };
    },
  },
  late: {
    name: 'first message',
    renewedBy: 'token',
    what: 'The socket opens at once, but nobody listens until its first message has said who it is. It has 5 seconds.',
    async open() {
      const token = await ask('token');
      const socket = new WebSocket(`${chatAddress}/late`);
      socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token }));
      return { socket, expiresAt: soon() };
    },
  },
};

function soon() {
  return Math.floor(Date.now() / 1_000) + MINUTES * 60;
}
