import type { Identity } from '../vocabulary/ports.ts';
import { type Authenticator, freezeIdentity } from './authenticator.ts';

/** The identity that `anonymous()` gives: the client's address as its subject, and no claims. */
export type AnonymousIdentity = Identity<'anonymous', Readonly<Record<string, never>>>;

/**
 * Admits clients that present no credential. The identity's subject is the client's IP address. Counts as an ambient
 * credential, so a handshake with a missing or foreign `Origin` is denied; otherwise every page on the web could
 * connect as its visitors.
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
export function anonymous(): Authenticator<AnonymousIdentity> {
  return {
    scheme: 'anonymous',
    from: [],
    ambient: true,
    asksOutside: false,
    authenticate: ({ request }) =>
      freezeIdentity<AnonymousIdentity>({
        scheme: 'anonymous',
        subject: `anonymous@${request.address}`,
        claims: {},
      }),
  };
}
