import { type Denial, deny } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import { parseUrl } from '../vocabulary/url.ts';
import { lowerCase } from './field-grammar.ts';
import { isPublicSuffix } from './public-suffix.ts';

export interface Host {
  /** Lower case; an IPv6 address keeps its brackets. */
  readonly name: string;
  readonly port: string;
}

export type HostPolicy = (host: Host) => Denial | undefined;

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Characters of a name (RFC 1035 §2.3.4) and a port. */
const LONGEST_HOST = 253 + ':65535'.length;
const WELL_FORMED = /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;

/**
 * `undefined` unless the header is in canonical spelling, apart from upper and lower case: `0x7f.1`, `127.1`, user
 * information, white space and non-ASCII names are never compared.
 */
export function parseHost(header: string): Host | undefined {
  const match = header.length > LONGEST_HOST ? null : WELL_FORMED.exec(lowerCase(header));
  const name = match?.[1];
  if (name === undefined || !isCanonicalName(name)) return undefined;
  const port = match?.[2] ?? '';
  return port !== '' && (Number(port) > 65_535 || String(Number(port)) !== port) ? undefined : { name, port };
}

function isCanonicalName(name: string): boolean {
  return ORDINARY_NAME.test(name) || parseUrl(`http://${name}`)?.hostname === name;
}

/** A name with one spelling only: no IP address, whose last label would begin with a digit, and no encoded label. */
const ORDINARY_NAME = /^(?!(?:.*\.)?xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*$/;

export function isLoopbackName(name: string): boolean {
  return LOOPBACK_NAMES.has(name);
}

/**
 * Without a list and without `policy.origins`, only loopback names pass. Comparing the origin with the host does not
 * stop DNS rebinding, because there both are the attacker's name.
 */
export function compileHosts(hosts: readonly string[] | undefined, originsAreStated: boolean): HostPolicy {
  if (hosts === undefined) {
    if (originsAreStated) return () => undefined;
    return ({ name }) =>
      isLoopbackName(name)
        ? undefined
        : deny(
            'host_denied',
            `'${name}' is not a loopback name; list it in policy.hosts, or state policy.origins`,
          );
  }
  const entries = hosts.map(parseEntry);
  return (host) =>
    entries.some((entry) => matches(entry, host))
      ? undefined
      : deny('host_denied', `'${host.name}' is not on the list in policy.hosts`);
}

interface Entry {
  readonly name: string;
  /** For `*.example.com`, the part after the star, with its dot. */
  readonly suffix: string | undefined;
  readonly port: string;
}

function matches(entry: Entry, { name, port }: Host): boolean {
  if (entry.port !== '' && entry.port !== port) return false;
  if (entry.suffix === undefined) return entry.name === name;
  return isWholeLabel(name, entry.suffix);
}

/** Whether `name` is exactly one label in front of `suffix`, which begins with a dot. */
export function isWholeLabel(name: string, suffix: string): boolean {
  // The URL standard allows odd characters in host names, even `*`.
  return name.endsWith(suffix) && /^[a-z0-9_-]+$/.test(name.slice(0, -suffix.length));
}

function parseEntry(entry: string): Entry {
  const wildcard = typeof entry === 'string' && entry.startsWith('*.');
  const { name, port } = canonicalHost(wildcard ? entry.slice(2) : entry, entry, 'policy.hosts');
  if (wildcard) refusePublicSuffix(name, entry, 'policy.hosts');
  return { name, suffix: wildcard ? `.${name}` : undefined, port };
}

export function canonicalHost(text: string, entry: string, option: string): Host {
  const fail = (problem: string, fix: string): never => {
    throw new PolicyError(option, `'${entry}' ${problem}`, fix);
  };
  const isPlain = typeof text === 'string' && !/[\s/@?#\\*]/.test(text);
  const name = isPlain ? parseUrl(`http://${text}`)?.hostname : undefined;
  if (name === undefined) {
    return fail(
      'is not a host name',
      "Write a name with an optional port, such as 'chat.example.com' or 'localhost:3000'.",
    );
  }
  if (name.endsWith('.'))
    fail('ends in a dot', 'Leave the trailing dot out: browsers treat it as another host.');
  const port = /:(\d+)$/.exec(text.replace(/^\[.*\]/, ''))?.[1] ?? '';
  return { name, port };
}

export function refusePublicSuffix(name: string, entry: string, option: string): void {
  if (isPublicSuffix(name)) {
    throw new PolicyError(
      option,
      `'${entry}' would let in everybody who registers a name under '${name}'`,
      'Put the star below a domain that you own.',
    );
  }
}
