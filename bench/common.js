// What all servers of the comparison, and those who talk to them, agree on.

/** The page that clients come from, and the only one that may connect. */
export const ORIGIN = 'https://app.example.com';

/** The name that the servers answer to, with any port. */
export const HOST = 'localhost';

/** The largest message, in bytes. */
export const MAX_BYTES = 16 * 1_024;

/** What a second brings, and the burst: so high that nothing is refused, since this measures what the checks cost. */
export const RATES = { messages: 10_000_000, bytes: 10_000 * 1_024 * 1_024, handshakes: 10_000_000 };

/** Open connections in all, of one address, and of one user. */
export const MAX_CONNECTIONS = 100_000;

/**
 * Resolves with the port of a server once it listens on loopback.
 *
 * @param {import('node:http').Server} server
 * @returns {Promise<number>}
 */
export function listen(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}
