import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HandshakeRequest } from '@sallyport/core';
import type { Handshake } from '@sallyport/core/host';

/** Node's upgrade request in the guard's words. Also for `guard.explain`. */
export function handshakeRequest(request: IncomingMessage, overUnixSocket = false): HandshakeRequest {
  const socket = request.socket as (Duplex & { remoteAddress?: string; encrypted?: boolean }) | undefined;
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion,
    // Requests that a framework makes up for its own tests come without raw headers.
    rawHeaders: request.rawHeaders ?? flatten(request.headers),
    peer: {
      address: socket?.remoteAddress,
      encrypted: socket?.encrypted === true,
      unix: overUnixSocket,
    },
  };
}

function flatten(headers: IncomingMessage['headers']): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((single) => [name, String(single)]),
  );
}

/**
 * Takes credentials out of the request, before the application, its logger or any other listener sees it: from the
 * URL, and from the offered subprotocols, raw headers included (OWASP ASVS 5.0, 14.2.1).
 */
export function scrub(request: IncomingMessage, handshake: Handshake): void {
  request.url = handshake.target;
  if (handshake.offeredSubprotocols.length === 0) return;
  const offers = handshake.offeredSubprotocols.join(', ');
  const raw = request.rawHeaders ?? [];
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === 'sec-websocket-protocol') raw[i + 1] = offers;
  }
  // Node makes these from the raw headers on first use, so they may exist already.
  if (request.headers['sec-websocket-protocol'] !== undefined)
    request.headers['sec-websocket-protocol'] = offers;
  const distinct = request.headersDistinct?.['sec-websocket-protocol'];
  if (distinct !== undefined) distinct.splice(0, distinct.length, offers);
}
