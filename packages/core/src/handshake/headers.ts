import { lowerCase } from './field-grammar.ts';

/**
 * The headers that decide, read once from the raw list: Node's own `headers` object silently keeps the first
 * `Host` and `Authorization` and joins the rest, which hides exactly what an attacker repeats.
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
  /** Whether any header says that a proxy passed the request on: `Forwarded`, `X-Forwarded-*`, `Via`, `X-Real-IP` and the like. */
  readonly proxied: boolean;
  /** The first header that may come only once and came twice. */
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
 * Lists, which may stand on several lines (RFC 9110 §5.3, RFC 6455 §11.3.2 and §11.3.4), and what joins the lines. Clients of
 * HTTP/2 send a line for each cookie (RFC 9113 §8.2.3); a cookie that comes twice is refused by its name.
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

/** What proxies say of themselves beside `X-Forwarded-*`. */
const PROXY_HEADERS: ReadonlySet<string> = new Set([
  'via',
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
]);

/** Reads at most so many: a request with more of them is refused by their number. */
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
      // Not among those that are read, but still a header of the WebSocket protocol's own (RFC 6455 §11.3).
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
