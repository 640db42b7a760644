import { randomBytes } from 'node:crypto';
import type {
  Acquired,
  Ban,
  BanTerms,
  Demand,
  HitRequest,
  LeaseRequest,
  PrecheckAnswer,
  PrecheckRequest,
  Revocation,
  Store,
  StoreListener,
} from '@sallyport/core/store';
import { portOf, type RedisClient } from './clients/port-of.ts';
import { Leases } from './leases/leases.ts';
import { RevocationStream } from './news/revocation-stream.ts';
import { News } from './news/store-news.ts';
import { pingKeys } from './ping-keys.ts';
import { Bans } from './redis-bans.ts';
import { Keys } from './redis-keys.ts';
import { RedisPrecheck } from './redis-precheck.ts';
import { type RedisStoreOptions, type Settings, settingsOf } from './redis-store-options.ts';
import { textOf } from './reply.ts';
import { Runner } from './runner.ts';
import { CHARGE } from './scripts/charge-script.ts';
import { PING, PUT, REDEEM } from './scripts/value-scripts.ts';
import { Shares } from './shares.ts';

/**
 * A store that several nodes share, on Redis 6.2 or newer, or Valkey: a single server, one behind Sentinel, or a
 * Cluster. You create, connect and close the client.
 *
 * @throws TypeError named `PolicyError` for an unknown or invalid option, and for a value that is no client.
 *
 * @example
 * ```ts
 * import { anonymous, createGuard, Type } from '@sallyport/core';
 * import { redisStore } from '@sallyport/redis';
 * import { Redis } from 'ioredis';
 *
 * export const guard = createGuard({
 *   auth: [anonymous()],
 *   messages: { say: Type.Object({ text: Type.String({ maxLength: 500 }) }) },
 *   store: redisStore(new Redis('redis://127.0.0.1:6379'), { prefix: 'chat' }),
 * });
 * ```
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Store {
  return new RedisStore(client, settingsOf(options));
}

class RedisStore implements Store {
  /** Distinguishes this store from all others, also in the same process. */
  readonly #node = randomBytes(9).toString('base64url');
  readonly #runner: Runner;
  readonly #keys: Keys;
  readonly #precheck: RedisPrecheck;
  readonly #leases: Leases;
  readonly #bans: Bans;
  readonly #shares: Shares;
  readonly #stream: RevocationStream;
  readonly #news: News;

  constructor(client: RedisClient, settings: Settings) {
    const { prefix, leaseTtl, timeout, pending, retention, revocations } = settings;
    const node = this.#node;
    const runner = new Runner(portOf(client), timeout, pending);
    const keys = new Keys(prefix);
    this.#runner = runner;
    this.#keys = keys;
    this.#precheck = new RedisPrecheck(runner, keys);
    this.#leases = new Leases(runner, keys, node, leaseTtl);
    this.#shares = new Shares(runner, keys, node);
    this.#stream = new RevocationStream(runner, keys, retention, revocations);
    this.#news = new News(
      runner.port,
      this.#stream,
      keys.channel,
      node,
      leaseTtl,
      () => this.#leases.renewNow(),
      (key, holder) => this.#leases.replaced(key, holder),
    );
    this.#bans = new Bans(runner, keys, node, this.#news);
  }

  precheck(request: PrecheckRequest): Promise<PrecheckAnswer> {
    return this.#precheck.precheck(request);
  }

  async charge({ keys, limit, cost }: HitRequest): Promise<void> {
    await this.#runner.run(CHARGE, [this.#keys.of('rate', keys[0])], [limit.interval, limit.burst, cost]);
  }

  acquire(leases: readonly LeaseRequest[]): Promise<Acquired> {
    return this.#leases.acquire(leases);
  }

  async put(key: string, value: string, ttl: number): Promise<void> {
    await this.#runner.run(PUT, [this.#keys.of('value', key)], [value, Math.ceil(ttl)]);
  }

  async redeem(key: string): Promise<string | undefined> {
    const value = await this.#runner.run(REDEEM, [this.#keys.of('value', key)], []);
    return value === null || value === undefined ? undefined : textOf(value);
  }

  ban(key: string, terms: BanTerms): Promise<Ban> {
    return this.#bans.ban(key, terms);
  }

  unban(key: string): Promise<boolean> {
    return this.#bans.unban(key);
  }

  bans(limit: number): Promise<readonly Ban[]> {
    return this.#bans.bans(limit);
  }

  async revoke(revocation: Revocation): Promise<void> {
    const id = await this.#stream.add(revocation);
    this.#news.revokedHere(id, revocation);
  }

  subscribe(listener: StoreListener): () => void {
    return this.#news.subscribe(listener);
  }

  staleness(): number {
    return this.#news.staleness();
  }

  shares(demands: readonly Demand[], interval: number): Promise<readonly number[]> {
    return this.#shares.shares(demands, interval);
  }

  /** Writes as well. On a Cluster, asks all of its nodes. */
  async ping(): Promise<void> {
    const deadline = this.#runner.deadline();
    const keys = this.#runner.port.cluster ? pingKeys(this.#keys) : [this.#keys.of('value', 'ping')];
    await Promise.all(keys.map((key) => this.#runner.run(PING, [key], [], deadline)));
  }
}
