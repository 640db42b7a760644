import type { IncomingMessage } from 'node:http';

type Headers = Pick<IncomingMessage, 'headers'>;

/** Whether the `Upgrade` header lists `websocket`, with or without a version (RFC 9110 §7.8). */
export function namesWebSocket({ headers }: Headers): boolean {
  return listed(headers.upgrade).some((protocol) => protocol.split('/')[0] === 'websocket');
}

/** Whether the `Connection` header lists `Upgrade`, without which `Upgrade` has no effect (RFC 9110 §7.8). */
export function hasUpgradeOption({ headers }: Headers): boolean {
  return listed(headers.connection).includes('upgrade');
}

/**
 * The headers that an ordinary request lacks to be the WebSocket handshake that other headers of it show; none for a request
 * that is no handshake. A proxy that has not been told to forward them removes `Connection`, or `Upgrade` as well.
 */
export function missingHeaders(request: Headers): readonly string[] {
  const names = namesWebSocket(request);
  if (!names && request.headers['sec-websocket-key'] === undefined) return [];
  return [
    ...(names ? [] : ['Upgrade: websocket']),
    ...(hasUpgradeOption(request) ? [] : ['Connection: Upgrade']),
  ];
}

function listed(value: string | undefined): string[] {
  return (value ?? '').split(',').map((entry) => entry.trim().toLowerCase());
}
