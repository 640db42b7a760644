import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWKSCacheInput,
  type JWTVerifyGetKey,
  jwksCache,
} from 'jose';
import type { Clock } from '../vocabulary/ports.ts';

/** Milliseconds that one fetch may take. */
const FETCH_TIMEOUT = 5_000;
/** Milliseconds between two fetches because of unknown key ids, which clients can invent. */
const FETCH_COOL_DOWN = 30_000;
/** Milliseconds until fetched keys are fetched again. */
const KEY_MAX_AGE = 600_000;
/** Milliseconds after a failed fetch, so that a flood of tokens spares an issuer that is down. */
const FAILURE_COOL_DOWN = 5_000;

/** The keys could not be fetched. The client is not to blame. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

type Found = Promise<Awaited<ReturnType<JWTVerifyGetKey>>>;

/** An issuer's published keys, fetched when needed. All authenticators with the same URL share them. */
export class RemoteKeys {
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  /** jose writes the fetched keys and the time of the fetch into this object. */
  readonly #fetched: { jwks?: JSONWebKeySet; uat?: number } = {};
  #failedAt = Number.NEGATIVE_INFINITY;
  #lastGood: { readonly uat: number | undefined; readonly at: number } | undefined;

  constructor(readonly url: URL) {
    this.#remote = createRemoteJWKSet(url, {
      timeoutDuration: FETCH_TIMEOUT,
      cooldownDuration: FETCH_COOL_DOWN,
      cacheMaxAge: KEY_MAX_AGE,
      [jwksCache]: this.#fetched as JWKSCacheInput,
    });
  }

  /** Changes with each fetch. Keys that are due for a fetch have a generation that equals no other. */
  get generation(): unknown {
    return this.#remote.fresh ? this.#fetched.uat : {};
  }

  /**
   * Finds the key for a token.
   *
   * @throws KeysUnavailable if the keys cannot be fetched, and jose's errors if the token fits none of them.
   */
  async find(staleIfError: number, clock: Clock, ...[header, jws]: Parameters<JWTVerifyGetKey>): Found {
    const began = clock.monotonic();
    if (began - this.#failedAt < FAILURE_COOL_DOWN) return this.#findKnown(staleIfError, began, header, jws);
    try {
      return await this.#remote(header, jws);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      // Not `began`: a fetch that times out fails seconds later.
      this.#failedAt = clock.monotonic();
      return this.#findKnown(staleIfError, began, header, jws);
    } finally {
      const { uat } = this.#fetched;
      if (uat !== this.#lastGood?.uat) this.#lastGood = { uat, at: began };
    }
  }

  /** An unknown key id may belong to a new key, so it counts as unavailable and not as wrong. */
  async #findKnown(staleIfError: number, now: number, ...[header, jws]: Parameters<JWTVerifyGetKey>): Found {
    const { jwks } = this.#fetched;
    const age = now - (this.#lastGood?.at ?? 0);
    if (jwks === undefined || !(this.#remote.fresh || age - KEY_MAX_AGE < staleIfError)) throw unavailable();
    try {
      return await createLocalJWKSet(jwks)(header, jws);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? unavailable() : error;
    }
  }
}

function unavailable(): KeysUnavailable {
  return new KeysUnavailable('the keys could not be fetched');
}

/** Any other error means that the set could not be fetched. */
function isAboutToken(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}

const shared = new Map<string, RemoteKeys>();

export function remoteKeysOf(url: URL): RemoteKeys {
  const existing = shared.get(url.href) ?? new RemoteKeys(url);
  shared.set(url.href, existing);
  return existing;
}
