import { randomBytes } from 'node:crypto';
import type { Ban, BanTerms } from '@sallyport/core/store';
import type { Keys } from './redis-keys.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import type { Runner } from './runner.ts';
import { BAN, ENLIST, LISTED, UNBAN, UNLIST } from './scripts/ban-scripts.ts';

/** How many bans can be listed. Beyond, those that end first stay in force and are not listed. */
const MAX_LISTED = 100_000;

export interface BanListener {
  banned(ban: Ban): void;
  unbanned(key: string): void;
}

/**
 * Bans: a key for each, and a list of all. On a Cluster these are in different places, so a ban that is imposed and
 * lifted at the same moment may be listed although it is not in force.
 */
export class Bans {
  readonly #list: readonly [names: string, counts: string];

  constructor(
    readonly runner: Runner,
    readonly keys: Keys,
    readonly node: string,
    readonly listener: BanListener,
  ) {
    this.#list = [keys.of('banned', 'names list'), keys.of('banned', 'counts list')];
  }

  async ban(key: string, { duration, growth, longest, memory }: BanTerms): Promise<Ban> {
    const deadline = this.runner.deadline();
    const mark = randomBytes(9).toString('base64url');
    const terms = [duration, growth, longest, memory, mark, this.keys.channel, this.node, key, MAX_LISTED];
    const keys = this.#keysOf(key);
    const reply = await this.runner.run(BAN, keys, terms, deadline);
    const [left = 0, count = 0] = listOf(reply).map(numberOf);
    const ban = { key, until: Math.round(Date.now() + left), count };
    // The ban is in force even if listing it fails.
    this.listener.banned(ban);
    if (keys.length === 1)
      await this.runner.run(ENLIST, this.#list, [key, left, count, MAX_LISTED], deadline);
    return ban;
  }

  async unban(key: string): Promise<boolean> {
    const deadline = this.runner.deadline();
    const keys = this.#keysOf(key);
    const reply = await this.runner.run(UNBAN, keys, [this.keys.channel, this.node, key], deadline);
    this.listener.unbanned(key);
    if (keys.length === 1) await this.runner.run(UNLIST, this.#list, [key], deadline);
    return numberOf(reply) === 1;
  }

  async bans(limit: number): Promise<Ban[]> {
    const fields = listOf(await this.runner.run(LISTED, this.#list, [limit]));
    const now = Date.now();
    return Array.from({ length: fields.length / 3 }, (_, i) => ({
      key: textOf(fields[3 * i]),
      until: now + numberOf(fields[3 * i + 1]),
      count: numberOf(fields[3 * i + 2]),
    }));
  }

  /** The ban's key, and those of the list if one script can take them all. */
  #keysOf(key: string): string[] {
    const keys = [this.keys.of('ban', key), ...this.#list];
    return this.runner.groups(keys).length === 1 ? keys : keys.slice(0, 1);
  }
}
