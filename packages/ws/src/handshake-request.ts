import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HandshakeRequest } from '@sallyport/core';
import type { HostHandshake } from '@sallyport/core/host';

/**
 * A node:http upgrade request as the guard reads it, for `guard.handshake` and `guard.explain`.
 *
 * @param overUnixSocket whether the server listens on a Unix socket, where peers have no address. Default: `false`.
 * @param server the server that accepted the connection.
 */
export function handshakeRequest(
  request: IncomingMessage,
  overUnixSocket = false,
  server?: object,
): HandshakeRequest {
  const socket = request.socket as (Duplex & { remoteAddress?: string; encrypted?: boolean }) | undefined;
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion,
    // Requests that a framework's test helper makes up have no raw headers.
    rawHeaders: request.rawHeaders ?? flatten(request.headers),
    peer: {
      address: socket?.remoteAddress,
      encrypted: socket?.encrypted === true,
      unix: overUnixSocket,
    },
    server,
  };
}

function flatten(headers: IncomingMessage['headers']): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((single) => [name, String(single)]),
  );
}

const OFFERS = 'sec-websocket-protocol';

/**
 * Removes credentials from the request before the application, its logger or another listener sees it: from the URL, and
 * from the offered subprotocols, raw headers included (OWASP ASVS 5.0, 14.2.1).
 */
export function scrub(request: IncomingMessage, handshake: HostHandshake): void {
  request.url = handshake.target;
  if (handshake.offeredSubprotocols.length === 0) return;
  const offers = handshake.offeredSubprotocols.join(', ');
  // Node builds both objects from the raw headers on first use, and keeps their count. So read them before a line is removed.
  const { headers, headersDistinct, rawHeaders = [] } = request;
  if (headers[OFFERS] !== undefined) headers[OFFERS] = offers;
  headersDistinct?.[OFFERS]?.splice(0, Number.POSITIVE_INFINITY, offers);
  const [first, ...more] = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 && name.toLowerCase() === OFFERS ? [i] : [],
  );
  if (first !== undefined) rawHeaders[first + 1] = offers;
  // A client may offer subprotocols in several header lines, each of which may contain a token.
  for (const line of more.reverse()) rawHeaders.splice(line, 2);
}
