import type { Identity } from '../vocabulary/ports.ts';
import { type Authenticator, freezeIdentity } from './authenticator.ts';

export type AnonymousIdentity = Identity<'anonymous', Readonly<Record<string, never>>>;

/**
 * Lets in who presents no credential at all, by name, so that a policy never does so by accident. The subject is
 * the client's address. It is ambient: without a right `Origin` nobody gets in, or every page on the web could
 * connect as its visitors.
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
