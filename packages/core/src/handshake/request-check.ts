import { TOKEN } from '../auth/credential-source.ts';
import { type Denial, deny } from '../vocabulary/decision.ts';
import { listEntries, lowerCase } from './field-grammar.ts';
import type { HandshakeContext } from './handshake-context.ts';
import type { Stage } from './stage.ts';
import { MAX_PARAMETERS } from './target.ts';

export interface RequestBounds {
  readonly headerCount: number;
  readonly headerBytes: number;
  readonly offeredSubprotocols: number;
}

/** The ws library parses the offers. These bounds keep that cheap (CVE-2021-32640, CVE-2024-37890). */
const MAX_EXTENSION_BYTES = 1_024;
const MAX_EXTENSIONS = 8;
const MAX_CONNECTION_OPTIONS = 20;

/**
 * RFC 6455 §4.2.1, strictly: refuses whatever two parsers could read differently, and everything that the ws library
 * would refuse after a slot was reserved.
 */
export function requestStage(bounds: RequestBounds): Stage {
  return { name: 'request', check: (context) => checkRequest(context, bounds) };
}

function checkRequest(context: HandshakeContext, bounds: RequestBounds): Denial | undefined {
  const { request, headers } = context;
  if (headers.count > bounds.headerCount) return malformed(`more than ${bounds.headerCount} headers`);
  if (headers.bytes > bounds.headerBytes)
    return malformed(`more than ${bounds.headerBytes} bytes of headers`);
  if (headers.repeated !== undefined) return malformed(`repeated header ${headers.repeated}`);
  if (request.method !== 'GET') return malformed('the method is not GET');
  if (request.httpVersion !== '1.1') return malformed('the HTTP version is not 1.1');
  if (lowerCase(headers.upgrade ?? '') !== 'websocket')
    return malformed("the Upgrade header is not 'websocket'");
  if (!hasUpgradeOption(headers.connection))
    return malformed("the Connection header does not hold 'upgrade'");
  // RFC 9112 §3.2.1: an absolute target names a second host, and a target with `//` looks like one.
  if (!/^\/(?!\/)[\x21\x22\x24-\x5b\x5d-\x7e]*$/.test(request.target))
    return malformed('the request target is not in origin form');
  if (context.target.overlong) return malformed(`more than ${MAX_PARAMETERS} query parameters`);
  if (headers.transferEncoding !== undefined || (headers.contentLength ?? '0') !== '0')
    return malformed('the request has a body');
  if (context.host === undefined) return malformed('Host is missing or not a host name');
  if (headers.version !== '13') return deny('version_unsupported', 'Sec-WebSocket-Version is not 13');
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers.key ?? ''))
    return malformed('Sec-WebSocket-Key is not 16 bytes of base64');
  return checkExtensions(headers.extensions) ?? readSubprotocols(context, bounds);
}

function hasUpgradeOption(connection: string | undefined): boolean {
  const options = listEntries(connection ?? '', MAX_CONNECTION_OPTIONS);
  return options?.some((option) => lowerCase(option) === 'upgrade') === true;
}

function checkExtensions(extensions: string | undefined): Denial | undefined {
  if (extensions === undefined) return undefined;
  if (extensions.length > MAX_EXTENSION_BYTES || extensions.split(',').length > MAX_EXTENSIONS) {
    return malformed('too many extensions are offered');
  }
  return /^[\x20-\x7e\t]*$/.test(extensions)
    ? undefined
    : malformed('Sec-WebSocket-Extensions holds other characters than printable ASCII');
}

/** RFC 6455 §4.1: a list of distinct tokens. */
function readSubprotocols(context: HandshakeContext, bounds: RequestBounds): Denial | undefined {
  const header = context.headers.subprotocols;
  if (header === undefined) return undefined;
  const offered = listEntries(header, bounds.offeredSubprotocols);
  if (offered === undefined) return malformed('too many subprotocols are offered');
  if (!offered.every((name) => TOKEN.test(name)))
    return malformed('Sec-WebSocket-Protocol is not a list of names');
  if (new Set(offered).size < offered.length) return malformed('a subprotocol is offered twice');
  context.offered = offered;
  return undefined;
}

function malformed(detail: string): Denial {
  return deny('request_malformed', detail);
}
