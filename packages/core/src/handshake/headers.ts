import { lowerCase } from './field-grammar.ts';

/**
 * The headers that the guard reads, taken from the raw list. Node's `headers` object keeps only the first `Host` and
 * `Authorization`, so it hides repeated ones.
 */
export interface HandshakeHeaders {
  readonly host?: string;
  readonly origin?: string;
  readonly upgrade?: string;
  readonly connection?: string;
  readonly version?: string;
  readonly key?: string;
  readonly subprotocols?: string;
  readonly extensions?: string;
  readonly authorization?: string;
  readonly cookie?: string;
  readonly contentLength?: string;
  readonly transferEncoding?: string;
  readonly forwarded?: string;
  readonly forwardedFor?: string;
  readonly forwardedProto?: string;
  /** Whether a proxy added any header: `Forwarded`, `X-Forwarded-*`, `Via`, `X-Real-IP` and the like. */
  readonly proxied: boolean;
  /** The first header that occurs twice although it may occur once only. */
  readonly repeated?: string;
  readonly count: number;
  readonly bytes: number;
}

type Field = Exclude<keyof HandshakeHeaders, 'proxied' | 'repeated' | 'count' | 'bytes'>;

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['host', 'host'],
  ['origin', 'origin'],
  ['upgrade', 'upgrade'],
  ['connection', 'connection'],
  ['sec-websocket-version', 'version'],
  ['sec-websocket-key', 'key'],
  ['sec-websocket-protocol', 'subprotocols'],
  ['sec-websocket-extensions', 'extensions'],
  ['authorization', 'authorization'],
  ['cookie', 'cookie'],
  ['content-length', 'contentLength'],
  ['transfer-encoding', 'transferEncoding'],
  ['forwarded', 'forwarded'],
  ['x-forwarded-for', 'forwardedFor'],
  ['x-forwarded-proto', 'forwardedProto'],
]);

/**
 * Headers that may stand on several lines (RFC 9110 §5.3, RFC 6455 §11.3.2 and §11.3.4), and what joins their lines.
 * Behind HTTP/2, each cookie comes in a line of its own (RFC 9113 §8.2.3).
 */
const LISTS: ReadonlyMap<string, string> = new Map([
  ['connection', ', '],
  ['cookie', '; '],
  ['forwarded', ', '],
  ['sec-websocket-extensions', ', '],
  ['sec-websocket-protocol', ', '],
  ['x-forwarded-for', ', '],
  ['x-forwarded-proto', ', '],
]);

const PROXY_HEADERS: ReadonlySet<string> = new Set([
  'via',
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
]);

/** Stops after `most` headers. The request stage then refuses the request for their number. */
export function readHeaders(raw: readonly string[], most = Number.POSITIVE_INFINITY): HandshakeHeaders {
  const found: { -readonly [K in keyof HandshakeHeaders]: HandshakeHeaders[K] } = {
    proxied: false,
    count: raw.length >> 1,
    bytes: 0,
  };
  let others: Set<string> | undefined;
  const end = Math.min(raw.length - 1, 2 * most);
  for (let i = 0; i < end; i += 2) {
    const name = lowerCase(raw[i] as string);
    const value = raw[i + 1] as string;
    found.bytes += name.length + value.length + 4;
    if (PROXY_HEADERS.has(name) || name.startsWith('x-forwarded-')) found.proxied = true;
    const field = FIELDS.get(name);
    if (field === undefined) {
      // An extra `Sec-WebSocket-*` header may not be repeated either (RFC 6455 §11.3).
      if (name.startsWith('sec-websocket-')) {
        if (others?.has(name)) found.repeated ??= name;
        others = (others ?? new Set()).add(name);
      }
      continue;
    }
    const earlier = found[field];
    if (earlier === undefined) found[field] = value;
    else if (LISTS.has(name)) found[field] = earlier + LISTS.get(name) + value;
    else found.repeated ??= name;
  }
  return found;
}
