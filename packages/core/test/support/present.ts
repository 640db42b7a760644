import {
  type Authenticator,
  type Clock,
  type Identity,
  memoryStore,
  type RequestView,
} from '@sallyport/core';
import type { Denial } from '@sallyport/core/host';

const VIEW: RequestView = {
  target: '/chat',
  path: '/chat',
  host: 'localhost:3000',
  origin: undefined,
  address: '203.0.113.7',
  secure: true,
  native: undefined,
};

/** Asks an authenticator about a credential, as the authentication stage does. */
export async function present(
  authenticator: Authenticator,
  credential: string | undefined,
  clock: Clock,
  request: Partial<RequestView> = {},
): Promise<Identity | Denial | undefined> {
  const memory = memoryStore({ clock });
  const store = {
    put: async (...all: Parameters<typeof memory.put>) => memory.put(...all),
    redeem: (key: string) => memory.redeem(key),
  };
  const { signal } = new AbortController();
  return authenticator.authenticate({ credential, request: { ...VIEW, ...request }, clock, store, signal });
}
