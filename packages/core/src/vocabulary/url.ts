/**
 * Parses an absolute URL as browsers do (WHATWG); `undefined` for any other text.
 *
 * Not `URL.canParse`: once Node 20 and 22 have compiled a caller, it returns `false` for every URL with a Latin-1
 * letter beyond ASCII, such as `https://bücher.example`.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
