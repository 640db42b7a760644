import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { RequestView } from '../vocabulary/ports.ts';
import { parseUrl } from '../vocabulary/url.ts';
import { canonicalHost, isWholeLabel, refusePublicSuffix } from './host.ts';

/**
 * Lets pages of every origin connect. It opens one thing only: the comparison of `Origin`. Together with a
 * credential that browsers attach by themselves it refuses to start, since that is cross-site WebSocket hijacking.
 */
export const unsafeAllowAnyOrigin: unique symbol = Symbol('sallyport.unsafeAllowAnyOrigin');

/** Decides about one canonical origin, for applications whose tenants have their own. Only `true` allows. */
export type OriginPredicate = (origin: string, request: RequestView) => MaybePromise<boolean>;

/** Exact origins, with `*` for one whole label: `https://*.example.com`. */
export type OriginsOption = readonly string[] | OriginPredicate | typeof unsafeAllowAnyOrigin;

export interface OriginPolicy {
  /** Decides about an `Origin` header that is there and is not `null`. */
  readonly allows: (origin: string, request: RequestView) => MaybePromise<boolean>;
  /** Whether `allows` runs the application's own code, which `explain()` does not. */
  readonly asksApplication: boolean;
  /** Whether it takes any page, so that being allowed says nothing about one. */
  readonly allowsAnyPage: boolean;
}

/**
 * Compiles `policy.origins`; without it, the same origin only. Comparison is of whole canonical strings (RFC 6454
 * §6.2): scheme, host and port, never a prefix, a suffix or a site.
 */
export function compileOrigins(origins: OriginsOption | undefined): OriginPolicy {
  if (origins === undefined) return { allows: isSameOrigin, asksApplication: false, allowsAnyPage: false };
  if (origins === unsafeAllowAnyOrigin)
    return { allows: isCanonical, asksApplication: false, allowsAnyPage: true };
  if (typeof origins === 'function') {
    return {
      allows: (origin, request) => isCanonical(origin) && onlyTrue(origins(origin, request)),
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
  return {
    // Every entry of `exact` is canonical, so membership says that the header is, too.
    allows: (origin) => exact.has(origin) || (wildcards.length > 0 && matchesAny(wildcards, origin)),
    asksApplication: false,
    allowsAnyPage: false,
  };
}

/**
 * Whether a page may have sent a handshake that no policy vouches for, whatever is decided about it: a page of some other
 * site makes its visitors send what it likes. Without an `Origin` it was no page (RFC 6455 §4.1).
 */
export function isUnvouched(
  origin: string | undefined,
  denial: Denial | undefined,
  { allowsAnyPage }: OriginPolicy,
): boolean {
  return origin !== undefined && (origin === 'null' || allowsAnyPage || denial !== undefined);
}

/** The verdict on the `Origin` header, given whether the credential is one that a browser attaches by itself. */
export function judgeOrigin(
  origin: string | undefined,
  ambient: boolean,
  policy: OriginPolicy,
  request: RequestView,
): MaybePromise<Denial | undefined> {
  if (origin === undefined || origin === 'null') {
    if (!ambient) return undefined;
    const what = origin === undefined ? 'no Origin header' : 'the opaque origin null';
    return deny('origin_denied', `${what}, with a credential that a browser attaches by itself`);
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
  // Schemes that the URL standard gives no origin: extensions and app shells send `scheme://host`.
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+$/.test(origin);
}

function isSameOrigin(origin: string, request: RequestView): boolean {
  const own = `${request.secure ? 'https' : 'http'}://${request.host}`;
  return isCanonical(origin) && parseUrl(own)?.origin === origin;
}

interface Wildcard {
  /** `https://` */
  readonly scheme: string;
  /** `.example.com` */
  readonly suffix: string;
  /** `''`, or `:8443` */
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
