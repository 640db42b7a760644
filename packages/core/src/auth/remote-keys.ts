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

/** How long a fetch of remote keys may take. */
const FETCH_TIMEOUT = 5_000;
/** An unknown key id makes the set be fetched again at most this often, whoever sends it. */
const FETCH_COOL_DOWN = 30_000;
/** How long fetched keys are used before they are fetched again. */
const KEY_MAX_AGE = 600_000;
/** After a failed fetch, the next one waits this long: a flood must not fall on an issuer that is down. */
const FAILURE_COOL_DOWN = 5_000;

/** The issuer's keys could not be had: its outage, and not the client's mistake. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

type Found = Promise<Awaited<ReturnType<JWTVerifyGetKey>>>;

/**
 * An issuer's published keys, fetched when needed and shared by all that name the same URL, so that rotation needs no
 * restart and any number of clients cost one fetch.
 */
export class RemoteKeys {
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  /** What jose fetched last, and when by the machine's own time; it writes this itself. */
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

  /** Changes with each fetch, and equals nothing while the keys may be out of date: what was verified then counts no more. */
  get generation(): unknown {
    return this.#remote.fresh ? this.#fetched.uat : {};
  }

  /**
   * Finds the key for a token. While the issuer fails, keys may be used for `staleIfError` milliseconds beyond their
   * time.
   *
   * @throws KeysUnavailable where the keys cannot be had; jose's own errors where the token fits none of them.
   */
  async find(staleIfError: number, clock: Clock, ...[header, jws]: Parameters<JWTVerifyGetKey>): Found {
    const began = clock.monotonic();
    if (began - this.#failedAt < FAILURE_COOL_DOWN) return this.#findKnown(staleIfError, began, header, jws);
    try {
      return await this.#remote(header, jws);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      // An issuer that stalls fails seconds after it was asked.
      this.#failedAt = clock.monotonic();
      return this.#findKnown(staleIfError, began, header, jws);
    } finally {
      const { uat } = this.#fetched;
      if (uat !== this.#lastGood?.uat) this.#lastGood = { uat, at: began };
    }
  }

  /** Without asking the issuer: a key that is not among the known ones may be new, so the token is not called wrong. */
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

/** jose found the set and no fitting key in it; everything else is about getting the set. */
function isAboutToken(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}

/** One set for each URL in the configuration. */
const shared = new Map<string, RemoteKeys>();

export function remoteKeysOf(url: URL): RemoteKeys {
  const existing = shared.get(url.href) ?? new RemoteKeys(url);
  shared.set(url.href, existing);
  return existing;
}
