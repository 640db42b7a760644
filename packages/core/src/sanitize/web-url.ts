import type { TString } from 'typebox';
import { asObject, refuseUnknown, stringList } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import { canonicalUrl } from './canonical-url.ts';
import { parseLengths } from './lengths.ts';
import { checkProtocols } from './protocols.ts';
import { sanitizedText } from './sanitizer.ts';

/** Options of `webUrl()`. */
export interface WebUrlOptions {
  /** The allowed schemes, of `https:`, `http:`, `wss:` and `ws:`. Default: `https:` and `http:`. */
  readonly protocols?: readonly WebProtocol[];
  /**
   * The longest URL, in characters, before and after it is made canonical. Default: 2,048. Beyond: the message is
   * refused.
   */
  readonly maxLength?: number;
  /**
   * The only allowed hosts, with their port unless it is the scheme's default. `*` stands for one whole label:
   * `*.example.com`. Default: any.
   */
  readonly hosts?: readonly string[];
}

/** A protocol that `webUrl()` can allow. */
export type WebProtocol = 'https:' | 'http:' | 'wss:' | 'ws:';

const KNOWN: readonly string[] = ['protocols', 'maxLength', 'hosts'] satisfies (keyof WebUrlOptions)[];
const WEB: readonly string[] = ['https:', 'http:', 'wss:', 'ws:'] satisfies WebProtocol[];

/**
 * An absolute URL that is safe as the target of a link: never `javascript:`, `data:` and the like, and without user
 * and password, which could be mistaken for a host. It is parsed as browsers parse it (WHATWG) and passed on in
 * canonical form. A URL with white space, backslashes, controls or invisible characters is refused, because parsers
 * drop or misread them.
 *
 * It does not stop request forgery: a server that fetches the URL must check the addresses of the host, for every
 * redirect. Apostrophes and ampersands stay in it, so escape it in HTML like any text.
 *
 * @example
 * ```ts
 * import { Type, webUrl } from '@sallyport/core';
 *
 * export const share = Type.Object({ link: webUrl({ hosts: ['*.example.com'] }) });
 * ```
 */
export function webUrl(options: WebUrlOptions = {}): TString {
  const given = asObject(options, 'webUrl()');
  refuseUnknown(given, KNOWN, 'webUrl()');
  const { maxLength } = parseLengths(given, { minLength: 0, maxLength: 2_048 }, 'webUrl');
  const protocols = checkProtocols(options.protocols ?? ['https:', 'http:'], WEB, 'webUrl({ protocols })');
  const isListed = compileHosts(options.hosts);
  return sanitizedText({ maxLength, format: 'uri' }, (text) => {
    if (text.length > maxLength) return undefined;
    const url = canonicalUrl(text, protocols);
    return url !== undefined && url.href.length <= maxLength && isListed(url) ? url.href : undefined;
  });
}

function compileHosts(hosts: readonly string[] | undefined): (url: URL) => boolean {
  stringList(hosts, 'webUrl({ hosts })');
  if (hosts === undefined) return () => true;
  const exact = new Set<string>();
  const parents = new Set<string>();
  for (const entry of hosts) {
    if (entry.startsWith('*.')) parents.add(parseHost(entry.slice(2), entry));
    else exact.add(parseHost(entry, entry));
  }
  return ({ host }) => {
    const dot = host.indexOf('.');
    return exact.has(host) || (dot > 0 && parents.has(host.slice(dot + 1)));
  };
}

/** In the spelling that the URL parser gives to hosts. */
function parseHost(host: string, entry: string): string {
  const url = canonicalUrl(`https://${host}`, ['https:']);
  const bare =
    url !== undefined && url.href === `https://${url.host}/` && url.hostname !== '' && !/[/?#@*]/.test(host);
  if (bare && (host === entry || /[^.]\.[^.]/.test(url.hostname))) return url.host;
  throw new PolicyError(
    'webUrl({ hosts })',
    bare ? `'${entry}' is everybody's` : `'${entry}' is no host`,
    "Write 'example.com', 'example.com:8443' or '*.example.com'.",
  );
}
