import { errors, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../vocabulary/ports.ts';
import { fetchKeySet } from './key-fetch.ts';
import { KEY_MAX_AGE, LONGEST_FRESH } from './key-freshness.ts';
import { KeySet } from './key-set.ts';

/** Milliseconds between two fetches because of unknown key ids, which clients can invent. */
const FETCH_COOL_DOWN = 30_000;
/** Milliseconds after a failed fetch, so that a flood of tokens spares an issuer that is down. */
const FAILURE_COOL_DOWN = 5_000;

/** The key of a token is not known, and the client is not to blame. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';

  constructor(
    message: string,
    /** Milliseconds until the keys may be fetched again. */
    readonly retryAfter: number,
  ) {
    super(message);
  }
}

type Found = Awaited<ReturnType<JWTVerifyGetKey>>;
type Token = Parameters<JWTVerifyGetKey>;

/** An issuer's published keys, fetched when needed. All authenticators with the same URL share them. */
export class RemoteKeys {
  #set: KeySet | undefined;
  #text = '';
  #etag: string | undefined;
  /** When the set was last sent, in monotonic milliseconds: an answer that it is unchanged does not count. */
  #sentAt = Number.NEGATIVE_INFINITY;
  #freshness = KEY_MAX_AGE;
  /** How many fetches have begun, and which of them was the last that succeeded. */
  #begun = 0;
  #succeeded = 0;
  /** When the last fetch that succeeded began, in monotonic milliseconds. */
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #problem = '';
  #pending: Promise<void> | undefined;

  constructor(readonly url: URL) {}

  /** Changes with the keys. Keys that are due for a fetch have a generation that equals no other. */
  generation(now: number): unknown {
    return this.#isYoungerThan(this.#freshness, now) ? this.#set : {};
  }

  /**
   * Finds the key for a token.
   *
   * @throws KeysUnavailable if the keys cannot be fetched, or not yet; and jose's errors if the token fits none of keys that
   * were asked for after it came.
   */
  async find(staleIfError: number, clock: Clock, ...token: Token): Promise<Found> {
    const asked = clock.monotonic();
    const begunBefore = this.#begun;
    if (!this.#isYoungerThan(this.#freshness, asked)) await this.#refresh(clock);
    // An issuer that asks for short times is asked sooner, but does not lock its users out sooner when it is down.
    const longest = Math.max(this.#freshness, KEY_MAX_AGE) + staleIfError;
    const found = await this.#look(longest, asked, token);
    if (found !== undefined) return found;
    if (!this.#isYoungerThan(FETCH_COOL_DOWN, asked)) {
      await this.#refresh(clock);
      const late = await this.#look(longest, asked, token);
      if (late !== undefined) return late;
    }
    // The issuer may have published a new key since the last fetch. Then the token is not known to be wrong.
    const isNews = this.#succeeded > begunBefore && this.#set?.keys.length !== 0;
    const unreadable = this.#set?.unreadable.find(({ kid }) => kid !== undefined && kid === token[0].kid);
    if (isNews && unreadable === undefined) throw new errors.JWKSNoMatchingKey();
    throw this.#unavailable(clock.monotonic(), unreadable ?? this.#set?.unreadable[0]);
  }

  /** `undefined` if no key fits, or the keys are too old. */
  async #look(longest: number, asked: number, token: Token): Promise<Found | undefined> {
    if (this.#set === undefined || !this.#isYoungerThan(longest, asked)) return undefined;
    try {
      return await this.#set.find(...token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined;
      throw error;
    }
  }

  #isYoungerThan(age: number, now: number): boolean {
    return now - this.#fetchedAt < age;
  }

  /** Never rejects. Does nothing within the cool-down of a failure. */
  async #refresh(clock: Clock): Promise<void> {
    const began = clock.monotonic();
    if (this.#pending === undefined && began - this.#failedAt < FAILURE_COOL_DOWN) return;
    this.#pending ??= this.#fetch(clock, began);
    await this.#pending;
  }

  async #fetch(clock: Clock, began: number): Promise<void> {
    const count = ++this.#begun;
    try {
      // Asked unconditionally now and then, in case a cache keeps the ETag of another set.
      const mayBeSame = began - this.#sentAt < LONGEST_FRESH;
      const { text, etag, freshness } = await fetchKeySet(this.url, mayBeSame ? this.#etag : undefined);
      if (text !== undefined) this.#read(text, began);
      this.#etag = etag;
      this.#freshness = freshness;
      this.#fetchedAt = began;
      this.#succeeded = count;
      this.#failedAt = Number.NEGATIVE_INFINITY;
    } catch (error) {
      // Not `began`: a fetch that times out fails seconds later.
      this.#failedAt = clock.monotonic();
      this.#problem = (error as Error).message;
    } finally {
      this.#pending = undefined;
    }
  }

  /** With the same set, verified tokens stay remembered. */
  #read(text: string, now: number): void {
    if (text !== this.#text || this.#set === undefined) this.#set = new KeySet(parse(text));
    this.#text = text;
    this.#sentAt = now;
  }

  #unavailable(now: number, unreadable: KeySet['unreadable'][number] | undefined): KeysUnavailable {
    const next = Math.max(this.#failedAt + FAILURE_COOL_DOWN, this.#fetchedAt + FETCH_COOL_DOWN) - now;
    const { origin, pathname } = this.url;
    const problem =
      this.#failedAt > this.#fetchedAt
        ? `the keys of ${origin}${pathname} could not be fetched: ${this.#problem}`
        : unreadable !== undefined
          ? `key ${unreadable.index} of ${origin}${pathname} cannot be used: ${unreadable.problem}`
          : `${origin}${pathname} has no key for this token, but it may have a new one, and is not asked more often`;
    return new KeysUnavailable(problem, Math.max(next, 1));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError('it is no JSON');
  }
}

const shared = new Map<string, RemoteKeys>();

export function remoteKeysOf(url: URL): RemoteKeys {
  const existing = shared.get(url.href) ?? new RemoteKeys(url);
  shared.set(url.href, existing);
  return existing;
}
