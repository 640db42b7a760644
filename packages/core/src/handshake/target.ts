/** The request target, split by hand: `new URL` would repair it. */
export interface Target {
  readonly path: string;
  /** Path and query without the parameters that hold credentials. */
  readonly scrubbed: string;
  /** The percent-decoded values of those parameters. At most the first two of each name. */
  readonly credentials: ReadonlyMap<string, readonly string[]>;
  /** Too many parameters: the whole query was scrubbed, and the request stage refuses the request. */
  readonly overlong: boolean;
}

/** Bounds what one request costs before the address's rate is checked. */
export const MAX_PARAMETERS = 100;

const NONE: ReadonlyMap<string, readonly string[]> = new Map();

export function readTarget(target: string, credentialNames: ReadonlySet<string>): Target {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, scrubbed: target, credentials: NONE, overlong: false };
  const path = target.slice(0, mark);
  if (credentialNames.size === 0) return { path, scrubbed: target, credentials: NONE, overlong: false };
  const pairs = target.slice(mark + 1).split('&', MAX_PARAMETERS + 1);
  if (pairs.length > MAX_PARAMETERS) return { path, scrubbed: path, credentials: NONE, overlong: true };
  const credentials = new Map<string, string[]>();
  const kept = pairs.filter((pair) => {
    const equals = pair.indexOf('=');
    const name = credentialName(equals === -1 ? pair : pair.slice(0, equals), credentialNames);
    if (name === undefined) return true;
    const values = credentials.get(name) ?? [];
    // The credential stage refuses two values, so a third is not kept.
    if (values.length < 2) values.push(equals === -1 ? '' : decode(pair.slice(equals + 1)));
    credentials.set(name, values);
    return false;
  });
  if (credentials.size === 0) return { path, scrubbed: target, credentials: NONE, overlong: false };
  const scrubbed = kept.length === 0 ? path : `${path}?${kept.join('&')}`;
  return { path, scrubbed, credentials, overlong: false };
}

function credentialName(spelt: string, names: ReadonlySet<string>): string | undefined {
  if (names.has(spelt)) return spelt;
  if (!/[%+]/.test(spelt)) return undefined;
  for (const name of names) if (spells(spelt, name)) return name;
  return undefined;
}

/**
 * Whether some server's parser would read `spelt` as this name. Parsers differ in what they do with invalid escapes.
 */
function spells(spelt: string, name: string): boolean {
  const bytes = Buffer.from(name, 'utf8');
  if (spelt.length > 3 * bytes.length) return false;
  const plain = spelt
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return plain === bytes.toString('latin1') || plain === name;
}

/** Like an HTML form: `+` is a space. Invalid percent-encoding stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
