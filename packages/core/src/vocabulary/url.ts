/**
 * Parses an absolute URL as browsers do (WHATWG); `undefined` for what is none.
 *
 * Not `URL.canParse`: once Node 20 and 22 have compiled a caller, it answers `false` for every URL with a Latin-1 letter
 * that is not ASCII, so that `https://bücher.example` is a URL at first, and no longer after some thousands of calls.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
