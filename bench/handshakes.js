// Handshakes as work: admitted ones with a token that the server has seen or has not, and refused ones.
import { open, Talker } from './load.js';
import { signToken } from './token.js';

/** So many handshakes one after another, all with one token. */
export function withKnownToken(token, count) {
  return async ({ port, dialect }) => {
    for (let i = 0; i < count; i++) (await open(port, token, dialect)).destroy();
    return count;
  };
}

/** The same, each with a token of its own, made before anything is measured. */
export async function withNewTokens(count, slices) {
  const tokens = [];
  for (let i = 0; i < count * slices; i++) tokens.push(await signToken({ jti: `${i}` }));
  const next = new Map();
  return async ({ name, port, dialect }) => {
    const from = next.get(name) ?? 0;
    next.set(name, from + count);
    const own = tokens.slice(from, from + count);
    if (own.length < count) throw new Error('There are too few tokens.');
    for (const token of own) (await open(port, token, dialect)).destroy();
    return count;
  };
}

/** The same from a page of another site: refused before anything dear. */
export function fromForeignOrigin(token, count) {
  return async ({ port, dialect }) => {
    for (let i = 0; i < count; i++) {
      const answer = await open(port, token, dialect, { origin: 'https://evil.example' }).catch(
        (error) => error,
      );
      if (!/ 403 /.test(answer.message)) throw new Error(`It was not refused: ${answer.message}`);
    }
    return count;
  };
}

/**
 * Keeps one idle connection open on every server that admits any while `measure` runs: a server that has none begins and ends
 * its timers with each handshake, which no server in use does.
 */
export async function withIdle(contenders, token, measure) {
  const idle = [];
  for (const { name, port, dialect, shape } of contenders) {
    if (name === 'refusing') continue;
    const socket = await open(port, token, dialect);
    // It says nothing, but answers pings.
    new Talker(socket, 1, dialect, shape);
    idle.push(socket);
  }
  try {
    const result = await measure();
    if (idle.some(({ destroyed, readableEnded }) => destroyed || readableEnded))
      throw new Error('An idle connection did not last.');
    return result;
  } finally {
    for (const socket of idle) socket.destroy();
  }
}
