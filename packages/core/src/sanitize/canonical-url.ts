import { parseUrl } from '../vocabulary/url.ts';
import { SUSPECT } from './characters.ts';

/** Browsers drop some of these and take a backslash for a slash: where they are, a URL is not what it looks like. */
const MISREAD = /[\s\\]/;

/**
 * An absolute URL of one of the schemes, as browsers parse it (WHATWG), without a user or password. `undefined` for any
 * other text, and for one that has to be mended to be a URL.
 */
export function canonicalUrl(text: string, protocols: readonly string[]): URL | undefined {
  if (MISREAD.test(text) || SUSPECT.test(text)) return undefined;
  const url = parseUrl(text);
  if (url === undefined || !protocols.includes(url.protocol) || url.username !== '' || url.password !== '')
    return undefined;
  // The parser takes `https:host`, `https:/host` and `https:///host`, too, which other readers take for a path.
  if (url.host !== '' && !/^\/\/[^/]/.test(text.slice(url.protocol.length))) return undefined;
  return url;
}
