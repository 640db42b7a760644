/** A request target, taken apart without trusting it: `new URL` forgives too much to compare with. */
export interface Target {
  readonly path: string;
  /** Path and query, without the parameters that hold credentials. */
  readonly scrubbed: string;
  /** The values of those parameters, percent-decoded, by name. Of a name that is repeated, the first two. */
  readonly credentials: ReadonlyMap<string, readonly string[]>;
  /** Whether it has more parameters than are read. Then the whole query counts as a credential, and is scrubbed. */
  readonly overlong: boolean;
}

/** Reading comes before the address's rate, so what it costs must not grow with what is sent. */
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
    // A second one is refused already: a third is of no use to anybody.
    if (values.length < 2) values.push(equals === -1 ? '' : decode(pair.slice(equals + 1)));
    credentials.set(name, values);
    return false;
  });
  if (credentials.size === 0) return { path, scrubbed: target, credentials: NONE, overlong: false };
  const scrubbed = kept.length === 0 ? path : `${path}?${kept.join('&')}`;
  return { path, scrubbed, credentials, overlong: false };
}

/** Which credential's name this is, spelt plainly or with escapes. */
function credentialName(spelt: string, names: ReadonlySet<string>): string | undefined {
  if (names.has(spelt)) return spelt;
  if (!/[%+]/.test(spelt)) return undefined;
  for (const name of names) if (spells(spelt, name)) return name;
  return undefined;
}

/**
 * Whether an application's parser would read this name in it. Some leave an escape as it is that is none, others throw;
 * nothing is thrown here, and no name that is longer than its longest spelling is looked at.
 */
function spells(spelt: string, name: string): boolean {
  const bytes = Buffer.from(name, 'utf8');
  if (spelt.length > 3 * bytes.length) return false;
  const plain = spelt
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return plain === bytes.toString('latin1') || plain === name;
}

/** As servers decode forms: `+` is a space. What is not valid percent-encoding stays as it came. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
