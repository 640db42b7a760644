/** A request target, taken apart without trusting it: `new URL` forgives too much to compare with. */
export interface Target {
  readonly path: string;
  /** Path and query, without the parameters that hold credentials. */
  readonly scrubbed: string;
  /** The values of those parameters, still percent-decoded, by name; several where a name was repeated. */
  readonly credentials: ReadonlyMap<string, readonly string[]>;
}

const NONE: ReadonlyMap<string, readonly string[]> = new Map();

export function readTarget(target: string, credentialNames: ReadonlySet<string>): Target {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, scrubbed: target, credentials: NONE };
  const path = target.slice(0, mark);
  if (credentialNames.size === 0) return { path, scrubbed: target, credentials: NONE };
  const credentials = new Map<string, string[]>();
  const kept = target
    .slice(mark + 1)
    .split('&')
    .filter((pair) => {
      const equals = pair.indexOf('=');
      const name = decode(equals === -1 ? pair : pair.slice(0, equals));
      if (!credentialNames.has(name)) return true;
      const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
      credentials.set(name, [...(credentials.get(name) ?? []), value]);
      return false;
    });
  return { path, scrubbed: kept.length === 0 ? path : `${path}?${kept.join('&')}`, credentials };
}

/** As servers decode forms: `+` is a space. What is not valid percent-encoding stays as it came. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
