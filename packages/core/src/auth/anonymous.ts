import { flag } from '../vocabulary/option-kinds.ts';
import { option, readOnlyOptions } from '../vocabulary/option-table.ts';
import type { Identity } from '../vocabulary/ports.ts';
import { type Authenticator, freezeIdentity } from './authenticator.ts';

/** The identity that `anonymous()` gives: the client's address as its subject, and no claims. */
export type AnonymousIdentity = Identity<'anonymous', Readonly<Record<string, never>>>;

/** Options of `anonymous()`. */
export interface AnonymousOptions {
  /**
   * Whether programs are admitted as well: clients that send no `Origin`, which every browser does (RFC 6455 §4.1). An `Origin`
   * that is there is still compared, and `null` is refused. Default: `false`. Else: `origin_denied` (403).
   */
  readonly programs?: boolean;
}

export const ANONYMOUS_OPTIONS = {
  programs: option(flag, false, 'origin_denied'),
};

/**
 * Admits clients that present no credential. The identity's subject is the client's IP address. Counts as an ambient
 * credential, so a handshake with a missing or foreign `Origin` is denied; otherwise every page on the web could
 * connect as its visitors. `programs: true` admits clients without an `Origin`, which are no pages.
 *
 * @throws PolicyError for an option that is none.
 *
 * @example
 * ```ts
 * import { anonymous, createGuard, Type } from '@sallyport/core';
 *
 * export const news = createGuard({
 *   origins: ['https://www.example.com'],
 *   auth: [anonymous()],
 *   messages: { follow: Type.Object({ topic: Type.String({ maxLength: 64 }) }) },
 * });
 * ```
 */
export function anonymous(options: AnonymousOptions = {}): Authenticator<AnonymousIdentity> {
  const { programs } = readOnlyOptions(ANONYMOUS_OPTIONS, options, 'anonymous()');
  return {
    scheme: 'anonymous',
    from: [],
    ambient: true,
    admitsPrograms: programs,
    asksOutside: false,
    authenticate: ({ request }) =>
      freezeIdentity<AnonymousIdentity>({
        scheme: 'anonymous',
        subject: `anonymous@${request.address}`,
        claims: {},
      }),
  };
}
