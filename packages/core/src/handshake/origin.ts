import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { RequestView } from '../vocabulary/ports.ts';
import { parseUrl } from '../vocabulary/url.ts';
import { canonicalHost, isWholeLabel, refusePublicSuffix } from './host.ts';

/**
 * Lets pages of every origin connect. It switches off the comparison of `Origin` and nothing else. With a credential
 * that browsers attach by themselves, the policy is refused at construction (`PolicyError`): that would allow
 * cross-site WebSocket hijacking.
 */
export const unsafeAllowAnyOrigin: unique symbol = Symbol('sallyport.unsafeAllowAnyOrigin');

/**
 * Decides about one origin in canonical form, for applications whose tenants have their own origins. Only `true`
 * allows.
 */
export type OriginPredicate = (origin: string, request: RequestView) => MaybePromise<boolean>;

/** Exact origins, with `*` for one whole label (`https://*.example.com`), a function, or `unsafeAllowAnyOrigin`. */
export type OriginsOption = readonly string[] | OriginPredicate | typeof unsafeAllowAnyOrigin;

/** What the server is to a page. */
export type Site = Pick<RequestView, 'secure' | 'host'>;

export interface OriginPolicy {
  /** Called with an `Origin` header other than `null`. */
  readonly allows: (origin: string, request: RequestView) => MaybePromise<boolean>;
  /**
   * Whether the policy itself lists an origin. It does not if the application decides, or if every page is allowed: nobody has
   * vouched for such a page.
   */
  readonly lists: (origin: string, site: Site) => boolean;
  /** Whether `allows` runs the application's code, which `explain()` must not do. */
  readonly asksApplication: boolean;
  readonly allowsAnyPage: boolean;
}

/**
 * Without `policy.origins`, only the same origin is allowed. Whole canonical strings are compared (RFC 6454 §6.2),
 * never a prefix, a suffix or a site.
 */
export function compileOrigins(origins: OriginsOption | undefined): OriginPolicy {
  if (origins === undefined)
    return { allows: isSameOrigin, lists: isSameOrigin, asksApplication: false, allowsAnyPage: false };
  if (origins === unsafeAllowAnyOrigin)
    return { allows: isCanonical, lists: () => false, asksApplication: false, allowsAnyPage: true };
  if (typeof origins === 'function') {
    return {
      allows: (origin, request) => isCanonical(origin) && onlyTrue(origins(origin, request)),
      lists: () => false,
      asksApplication: true,
      allowsAnyPage: false,
    };
  }
  const exact = new Set<string>();
  const wildcards: Wildcard[] = [];
  for (const entry of origins) {
    const parsed = parseEntry(entry);
    if (typeof parsed === 'string') exact.add(parsed);
    else wildcards.push(parsed);
  }
  // Every entry of `exact` is canonical, so a header that is found in it is canonical as well.
  const lists = (origin: string): boolean =>
    exact.has(origin) || (wildcards.length > 0 && matchesAny(wildcards, origin));
  return {
    allows: lists,
    lists,
    asksApplication: false,
    allowsAnyPage: false,
  };
}

/** Whether a page of another site may have sent the handshake. A client without `Origin` is no page (RFC 6455 §4.1). */
export function isUnvouched(
  origin: string | undefined,
  denial: Denial | undefined,
  { allowsAnyPage }: OriginPolicy,
): boolean {
  return origin !== undefined && (origin === 'null' || allowsAnyPage || denial !== undefined);
}

/** `ambient` says whether browsers attach the credential by themselves. */
export function checkOrigin(
  origin: string | undefined,
  ambient: boolean,
  policy: OriginPolicy,
  request: RequestView,
): MaybePromise<Denial | undefined> {
  if (origin === undefined || origin === 'null') {
    if (!ambient) return undefined;
    const what = origin === undefined ? 'no Origin header' : 'the opaque origin null';
    return deny('origin_denied', `${what}, although browsers attach this credential by themselves`);
  }
  const allowed = policy.allows(origin, request);
  return isPromise(allowed) ? allowed.then((answer) => verdict(answer, origin)) : verdict(allowed, origin);
}

function verdict(allowed: boolean, origin: string): Denial | undefined {
  return allowed ? undefined : deny('origin_denied', `${JSON.stringify(origin)} is not an allowed origin`);
}

function onlyTrue(answer: MaybePromise<boolean>): MaybePromise<boolean> {
  return isPromise(answer) ? settled(answer).then((value) => value === true) : answer === true;
}

/** Whether a header equals its own canonical serialization (RFC 6454 §6.2): no path, no user, no default port. */
export function isCanonical(origin: string): boolean {
  const url = parseUrl(origin);
  if (url === undefined) return false;
  if (url.origin !== 'null') return url.origin === origin && !url.hostname.endsWith('.');
  // Extensions and app shells send `scheme://host`, to which the URL standard gives no origin.
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+$/.test(origin);
}

function isSameOrigin(origin: string, { secure, host }: Site): boolean {
  const own = `${secure ? 'https' : 'http'}://${host}`;
  return isCanonical(origin) && parseUrl(own)?.origin === origin;
}

interface Wildcard {
  /** `https://` */
  readonly scheme: string;
  /** `.example.com` */
  readonly suffix: string;
  /** `''` or `:8443` */
  readonly port: string;
}

function matchesAny(wildcards: readonly Wildcard[], origin: string): boolean {
  if (!isCanonical(origin)) return false;
  const { protocol, hostname, port } = new URL(origin);
  return wildcards.some(
    (entry) =>
      `${protocol}//` === entry.scheme &&
      (port === '' ? '' : `:${port}`) === entry.port &&
      isWholeLabel(hostname, entry.suffix),
  );
}

function parseEntry(entry: string): string | Wildcard {
  const option = 'policy.origins';
  const match = typeof entry === 'string' ? /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/.exec(entry) : null;
  if (entry === '*') {
    throw new PolicyError(
      option,
      "'*' would let in every page",
      'List the origins, or use unsafeAllowAnyOrigin.',
    );
  }
  if (match === null || entry === 'null') {
    throw new PolicyError(
      option,
      `'${entry}' is not an origin`,
      "Write scheme and host, such as 'https://app.example.com'.",
    );
  }
  const scheme = `${match[1]?.toLowerCase()}:`;
  const authority = match[2] ?? '';
  if (scheme === 'ws:' || scheme === 'wss:') {
    const page = scheme === 'ws:' ? 'http' : 'https';
    throw new PolicyError(
      option,
      `'${entry}' is the address of a socket`,
      `Write the page's origin: '${page}://…'.`,
    );
  }
  if (scheme !== 'http:' && scheme !== 'https:') {
    if (isCanonical(entry)) return entry;
    throw new PolicyError(
      option,
      `'${entry}' is not an origin that a browser sends`,
      "Write 'scheme://host', in lower case.",
    );
  }
  if (authority.endsWith('/')) {
    throw new PolicyError(
      option,
      `'${entry}' ends in a slash`,
      'An origin has no path: leave the slash out.',
    );
  }
  const wildcard = authority.startsWith('*.');
  const { name } = canonicalHost(wildcard ? authority.slice(2) : authority, entry, option);
  const origin = new URL(`${scheme}//${wildcard ? authority.slice(2) : authority}`).origin;
  if (!wildcard) return origin;
  refusePublicSuffix(name, entry, option);
  const port = new URL(origin).port;
  return { scheme: `${scheme}//`, suffix: `.${name}`, port: port === '' ? '' : `:${port}` };
}
