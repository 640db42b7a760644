import { type CredentialSource, sourceKey } from '../auth/credential-source.ts';
import { ticketTtl } from '../auth/tickets.ts';
import type { Route } from '../guard/route.ts';

/** Where a handshake may hold a credential. */
export interface CredentialPlace {
  readonly source: CredentialSource;
  readonly isTicket: boolean;
}

/** What a client can do to say who it is. */
export interface WaysIn {
  readonly places: readonly CredentialPlace[];
  /** Whether the first message may say it. */
  readonly late: boolean;
  /** Whether a handshake that holds nothing may pass: `nobody` without saying who it is, `known` by what the server knows. */
  readonly without: 'nobody' | 'known' | undefined;
  /** Whether browsers do each of it by themselves, so that the origin is what counts. */
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
