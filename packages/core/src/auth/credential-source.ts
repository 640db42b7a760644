import { oneOf, refuseUnknown } from '../vocabulary/option-checks.ts';
import { checkedValue, type Kind } from '../vocabulary/option-kinds.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';

/**
 * Where a credential is looked for. *Ambient* means that a browser or the network attaches it by itself, so that it
 * proves nothing about the page that opened the socket; the origin has to.
 */
export type CredentialSource =
  | { readonly kind: 'bearer'; readonly ambient: boolean }
  | { readonly kind: 'cookie'; readonly name: string; readonly ambient: true }
  | { readonly kind: 'subprotocol'; readonly marker: string; readonly ambient: false }
  | { readonly kind: 'query'; readonly name: string; readonly ambient: false };

/**
 * `Authorization: Bearer <token>` (RFC 6750 §2.1). Browsers cannot set it on a WebSocket, so it counts as explicit.
 * Say `ambient: true` where a proxy injects it: then the origin must be right, as with a cookie.
 */
export function bearer(options: { readonly ambient?: boolean } = {}): CredentialSource {
  refuseUnknown(options, ['ambient'], 'bearer()');
  oneOf(options.ambient, [true, false], 'bearer({ ambient })');
  return { kind: 'bearer', ambient: options.ambient ?? false };
}

/**
 * A cookie. Always ambient: the origin must be right, and stating `origins` openly to all refuses to start.
 * A name that occurs twice is denied (a sibling subdomain can set a second one); `__Host-` names prevent that.
 */
export function cookie(name: string): CredentialSource {
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw new PolicyError(
      'cookie(name)',
      `'${name}' is not a cookie name`,
      "Give a name such as '__Host-session'.",
    );
  }
  return { kind: 'cookie', name, ambient: true };
}

/**
 * A token offered as a WebSocket subprotocol, for browsers: `new WebSocket(url, ['bearer', token])`. It is taken out
 * of the request before any other listener sees it and never echoed; the marker is answered instead, unless one of
 * the application's own subprotocols matches.
 */
export function subprotocol(options: { readonly marker?: string } = {}): CredentialSource {
  refuseUnknown(options, ['marker'], 'subprotocol()');
  const marker = options.marker ?? 'bearer';
  if (!TOKEN.test(marker)) {
    throw new PolicyError(
      'subprotocol({ marker })',
      `'${marker}' is not a subprotocol name`,
      "Leave it out for 'bearer'.",
    );
  }
  return { kind: 'subprotocol', marker, ambient: false };
}

/**
 * A query parameter. Discouraged, since URLs end up in the logs of proxies (RFC 9700 §4.3.2); within this process
 * the parameter is gone from the URL before the application and its logger see it.
 */
export function query(name: string): CredentialSource {
  if (typeof name !== 'string' || name === '') {
    throw new PolicyError('query(name)', `'${name}' is not a parameter name`, "Give a name such as 'token'.");
  }
  return { kind: 'query', name, ambient: false };
}

/** RFC 9110 §5.6.2: what header names, cookie names and subprotocols are made of. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** One spelling for a source, by which two of them are the same. */
export function sourceKey(source: CredentialSource): string {
  switch (source.kind) {
    case 'bearer':
      return 'bearer';
    case 'subprotocol':
      return `subprotocol ${source.marker}`;
    default:
      return `${source.kind} ${source.name}`;
  }
}

/** Whether it came from one of the functions above. */
export function isCredentialSource(value: unknown): value is CredentialSource {
  const { kind } = (value ?? {}) as { kind?: unknown };
  return kind === 'bearer' || kind === 'cookie' || kind === 'subprotocol' || kind === 'query';
}

/** A list of places to look at, at least so many. The policy looks at the places themselves. */
export function places(least: number): Kind<readonly CredentialSource[]> {
  return checkedValue(
    'CredentialSource[]',
    (value) => Array.isArray(value) && value.length >= least,
    'there is no place to look',
    'Give [bearer()], say.',
  );
}
