import type { Server } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';

/** Milliseconds: Node's own values, by which a server is known whose application has set none. */
const NODE_HEADERS_TIMEOUT = 60_000;
const NODE_CHECKING_INTERVAL = 30_000;
/** Milliseconds. Headers may come over a slow network, however fast the application decides. */
const SHORTEST = 5_000;
/** How many times Node looks for late headers within their deadline. */
const CHECKS = 10;

/** The interval is an option of `createServer` and a property, which Node reads each time that the server begins to listen. */
type HttpServer = Server & { connectionsCheckingInterval?: number };

/**
 * Bounds how long a client may take to send the headers of a request by `limits.handshakeTimeout`, since there is no handshake
 * for the guard before they are complete (slow headers, CVE-2007-6750). Node keeps this deadline, for every request of the
 * server. What the application has set itself stays, and a line in the log tells if it is longer.
 */
export function boundHeaders(server: HttpServer, guard: AnyGuard): void {
  const { connectionsCheckingInterval: before } = server;
  // No HTTP server, but something else that emits `upgrade`.
  if (typeof server.headersTimeout !== 'number' || before === undefined) return;
  const deadline = Math.max(hostGuard(guard).limits.handshakeTimeout, SHORTEST);
  if (server.headersTimeout === NODE_HEADERS_TIMEOUT)
    server.headersTimeout = Math.min(deadline, NODE_HEADERS_TIMEOUT);
  if (before === NODE_CHECKING_INTERVAL)
    server.connectionsCheckingInterval = Math.min(Math.ceil(deadline / CHECKS), NODE_CHECKING_INTERVAL);

  let listens = false;
  server.once('listening', () => {
    listens = true;
    warnAboutHeaders(server, guard, deadline, server.connectionsCheckingInterval ?? before);
  });
  // A server may listen already. If its event comes in this turn, Node has not read the interval yet.
  if (server.listening)
    setImmediate(() => {
      if (!listens && server.listening) warnAboutHeaders(server, guard, deadline, before);
    });
}

function warnAboutHeaders(server: Server, guard: AnyGuard, deadline: number, interval: number): void {
  const bounds = [server.headersTimeout, server.requestTimeout].filter((bound) => bound > 0);
  const longest = Math.min(...bounds) + interval;
  if (longest <= 2 * deadline) return;
  const after = bounds.length === 0 ? 'never' : `after up to ${longest / 1_000} s`;
  const line = `createServer({ headersTimeout: ${deadline}, connectionsCheckingInterval: ${Math.ceil(deadline / CHECKS)} })`;
  hostGuard(guard).warn(
    'headers',
    `headers that do not end are cut ${after}, and limits.handshakeTimeout begins behind them: ${line}, or guard the server before it listens`,
  );
}
