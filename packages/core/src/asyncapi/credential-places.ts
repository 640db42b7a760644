import { type CredentialSource, sourceKey } from '../auth/credential-source.ts';
import { ticketTtl } from '../auth/tickets.ts';
import type { Route } from '../guard/route.ts';

export interface CredentialPlace {
  readonly source: CredentialSource;
  readonly isTicket: boolean;
}

/** How a client can authenticate. */
export interface WaysIn {
  readonly places: readonly CredentialPlace[];
  /** Whether the first message may hold the credential. */
  readonly late: boolean;
  /**
   * Whether a handshake without a credential may pass: `nobody` as an anonymous client, `known` by what the server
   * knows.
   */
  readonly without: 'nobody' | 'known' | undefined;
  /** Whether browsers attach every credential by themselves, so that the origin decides. */
  readonly ambient: boolean;
}

export function waysIn({ settings: { auth, firstMessage } }: Route): WaysIn {
  const places = new Map<string, CredentialPlace>();
  for (const authenticator of auth) {
    const isTicket = ticketTtl([authenticator]) !== undefined;
    for (const source of authenticator.from) places.set(sourceKey(source), { source, isTicket });
  }
  const asked = auth.filter(({ from }) => from.length === 0);
  const isAnonymous = asked.some(({ scheme }) => scheme === 'anonymous');
  const late = Boolean(firstMessage);
  return {
    places: [...places.values()],
    late,
    without: isAnonymous ? 'nobody' : asked.length > 0 ? 'known' : undefined,
    ambient:
      !late &&
      asked.every(({ ambient }) => ambient) &&
      [...places.values()].every(({ source }) => source.ambient),
  };
}
