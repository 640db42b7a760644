import { parseUrl } from '../vocabulary/url.ts';
import { SUSPECT } from './characters.ts';

/** Browsers drop white space and read a backslash as a slash, so such a URL is not what it looks like. */
const MISREAD = /[\s\\]/;

/**
 * An absolute URL of one of the schemes, as browsers parse it (WHATWG), without user and password. `undefined` for
 * any other text, also for one that a browser would repair.
 */
export function canonicalUrl(text: string, protocols: readonly string[]): URL | undefined {
  if (MISREAD.test(text) || SUSPECT.test(text)) return undefined;
  const url = parseUrl(text);
  if (url === undefined || !protocols.includes(url.protocol) || url.username !== '' || url.password !== '')
    return undefined;
  // The parser also accepts `https:host`, `https:/host` and `https:///host`, which other programs read as a path.
  if (url.host !== '' && !/^\/\/[^/]/.test(text.slice(url.protocol.length))) return undefined;
  return url;
}
