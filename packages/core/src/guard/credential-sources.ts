import type { Authenticator } from '../auth/authenticator.ts';
import type { CsrfOption } from '../auth/csrf.ts';
import type { Identity } from '../vocabulary/ports.ts';

/**
 * Where the routes of a family look for credentials. Every route removes all of them from requests, even those that only
 * another route reads.
 */
export class CredentialSources {
  readonly queryCredentials = new Set<string>();
  readonly subprotocolMarkers = new Set<string>();
  readonly #authenticators = new Set<Authenticator>();

  learn(authenticators: readonly Authenticator[], csrf: CsrfOption | undefined): void {
    for (const authenticator of authenticators) this.#authenticators.add(authenticator);
    if (csrf !== undefined) this.queryCredentials.add(csrf.query);
    for (const source of authenticators.flatMap(({ from }) => from)) {
      if (source.kind === 'query') this.queryCredentials.add(source.name);
      if (source.kind === 'subprotocol') this.subprotocolMarkers.add(source.marker);
    }
  }

  /** Removes these identities from the caches of all authenticators. */
  forget(isMeant: (identity: Identity) => boolean): void {
    for (const authenticator of this.#authenticators) authenticator.forget?.(isMeant);
  }
}
