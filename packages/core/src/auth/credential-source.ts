import type { Kind } from '../vocabulary/option.ts';
import { oneOf, refuseUnknown } from '../vocabulary/option-checks.ts';
import { checkedValue } from '../vocabulary/option-kinds.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';

/**
 * Where a credential is looked for. *Ambient* means that a browser or the network attaches the credential by itself.
 * Such a credential proves nothing about the page that opened the socket, so the `Origin` is checked as well.
 */
export type CredentialSource =
  | { readonly kind: 'bearer'; readonly ambient: boolean }
  | { readonly kind: 'cookie'; readonly name: string; readonly ambient: true }
  | { readonly kind: 'subprotocol'; readonly marker: string; readonly ambient: false }
  | { readonly kind: 'query'; readonly name: string; readonly ambient: false };

/**
 * Reads `Authorization: Bearer <token>` (RFC 6750 §2.1). Browsers cannot set this header on a WebSocket, so the token
 * is explicit. Set `ambient: true` if a proxy adds the header: then the `Origin` must be allowed, as with a cookie.
 *
 * @example
 * ```ts
 * import { bearer, custom } from '@sallyport/core';
 *
 * export const apiKeys = custom({
 *   scheme: 'api-key',
 *   from: [bearer()], // Authorization: Bearer <key>
 *   authenticate: ({ credential }) => (credential === process.env.API_KEY ? { subject: 'billing' } : undefined),
 * });
 * ```
 */
export function bearer(options: { readonly ambient?: boolean } = {}): CredentialSource {
  refuseUnknown(options, ['ambient'], 'bearer()');
  oneOf(options.ambient, [true, false], 'bearer({ ambient })');
  return { kind: 'bearer', ambient: options.ambient ?? false };
}

/**
 * Reads a cookie. A cookie is always ambient: the `Origin` must be allowed, and `unsafeAllowAnyOrigin` beside it is
 * refused at construction. A cookie name that occurs twice is denied with `credential_ambiguous`, because a sibling
 * subdomain can set a second one. A `__Host-` name prevents that.
 *
 * @example
 * ```ts
 * import { cookie, jwt } from '@sallyport/core';
 *
 * export const tokens = jwt({
 *   from: [cookie('__Host-token')],
 *   secret: process.env.TOKEN_SECRET,
 *   algorithms: ['HS256'],
 *   issuer: 'https://id.example.com',
 *   audience: 'chat',
 * });
 * ```
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
 * Reads a token offered as a WebSocket subprotocol, for browsers: `new WebSocket(url, ['bearer', token])`. The token
 * is removed from the request before any other listener sees it, and is never sent back. The answer is the marker,
 * unless one of the application's own subprotocols matches.
 *
 * @example
 * ```ts
 * import { jwt, subprotocol } from '@sallyport/core';
 *
 * // In a browser: new WebSocket('wss://chat.example.com/chat', ['bearer', token])
 * export const tokens = jwt({
 *   from: [subprotocol()],
 *   secret: process.env.TOKEN_SECRET,
 *   algorithms: ['HS256'],
 *   issuer: 'https://id.example.com',
 *   audience: 'chat',
 * });
 * ```
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
 * Reads a query parameter. Discouraged, because proxies log URLs (RFC 9700 §4.3.2). Within this process, the
 * parameter is removed from the URL before the application and its logger see it.
 *
 * @example
 * ```ts
 * import { query, tickets } from '@sallyport/core';
 *
 * export const ways = tickets({ from: [query('t')] }); // wss://chat.example.com/chat?t=<ticket>
 * ```
 */
export function query(name: string): CredentialSource {
  if (typeof name !== 'string' || name === '') {
    throw new PolicyError('query(name)', `'${name}' is not a parameter name`, "Give a name such as 'token'.");
  }
  return { kind: 'query', name, ambient: false };
}

/** RFC 9110 §5.6.2: the characters of header names, cookie names and subprotocols. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Equal for two sources that read the same place. */
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

export function isCredentialSource(value: unknown): value is CredentialSource {
  const { kind } = (value ?? {}) as { kind?: unknown };
  return kind === 'bearer' || kind === 'cookie' || kind === 'subprotocol' || kind === 'query';
}

/** A list of at least so many sources. The policy checks the sources themselves. */
export function places(least: number): Kind<readonly CredentialSource[]> {
  return checkedValue(
    'CredentialSource[]',
    (value) => Array.isArray(value) && value.length >= least,
    'there is no place to look',
    'Give [bearer()], say.',
  );
}
