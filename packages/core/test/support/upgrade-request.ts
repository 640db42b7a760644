import type { HandshakeRequest, Peer } from '@sallyport/core';

/** A header's value; several for a header that is repeated, `null` for one that is left out. */
export type HeaderValue = string | readonly string[] | null;

export interface RequestOverrides {
  readonly method?: string;
  readonly target?: string;
  readonly httpVersion?: string;
  /** Replace the defaults, whatever the letter case of their names. */
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  readonly peer?: Partial<Peer>;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  Host: 'localhost:3000',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** The handshake of a local client that every default policy's outer door lets in; a test changes one thing in it. */
export function upgradeRequest(overrides: RequestOverrides = {}): HandshakeRequest {
  const { method = 'GET', target = '/chat', httpVersion = '1.1', headers = {}, peer = {} } = overrides;
  const replaced = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const kept = Object.entries(DEFAULTS).filter(([name]) => !replaced.has(name.toLowerCase()));
  return {
    method,
    target,
    httpVersion,
    rawHeaders: [...kept, ...Object.entries(headers)].flatMap(([name, value]) => lines(name, value)),
    peer: { address: '127.0.0.1', encrypted: false, unix: false, ...peer },
  };
}

function lines(name: string, value: HeaderValue): string[] {
  if (value === null) return [];
  return typeof value === 'string' ? [name, value] : value.flatMap((one) => [name, one]);
}
