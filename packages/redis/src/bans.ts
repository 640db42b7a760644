import { randomBytes } from 'node:crypto';
import type { Ban, BanTerms } from '@sallyport/core';
import type { Deadline } from './deadline.ts';
import type { Keys } from './keys.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import type { Runner } from './runner.ts';
import { BAN, LIST, LISTED, LOOK, UNBAN, UNLIST } from './scripts/bans.ts';

/** How many bans can be listed at once. Beyond, those that end first stay in force and are not listed. */
const MAX_LISTED = 100_000;

/** Who hears on this node of what it has done itself. */
export interface BanListener {
  banned(ban: Ban): void;
  unbanned(key: string): void;
}

/** Bans, each a key of its own beside the rates of the same address, and a list of their names. */
export class Bans {
  readonly #list: string;

  constructor(
    readonly runner: Runner,
    readonly keys: Keys,
    readonly node: string,
    readonly listener: BanListener,
  ) {
    this.#list = keys.of('banned', 'list');
  }

  async ban(key: string, { duration, growth, longest, memory }: BanTerms): Promise<Ban> {
    const deadline = this.runner.deadline();
    const mark = randomBytes(9).toString('base64url');
    const args = [duration, growth, longest, memory, mark, this.keys.channel, this.node, key];
    const reply = await this.runner.run(BAN, [this.keys.of('ban', key)], args, deadline);
    const [left = 0, count = 0] = listOf(reply).map(numberOf);
    const ban = { key, until: Math.round(Date.now() + left), count };
    // It is in force, whether it can be listed or not.
    this.listener.banned(ban);
    await this.runner.run(LIST, [this.#list], [left, key, MAX_LISTED], deadline);
    return ban;
  }

  async unban(key: string): Promise<boolean> {
    const deadline = this.runner.deadline();
    const args = [this.keys.channel, this.node, key];
    const reply = await this.runner.run(UNBAN, [this.keys.of('ban', key)], args, deadline);
    this.listener.unbanned(key);
    await this.runner.run(UNLIST, [this.#list], [key], deadline);
    return numberOf(reply) === 1;
  }

  /** The list says who may be banned; the bans themselves say who is. */
  async bans(limit: number): Promise<Ban[]> {
    const deadline = this.runner.deadline();
    const names = listOf(await this.runner.run(LISTED, [this.#list], [limit], deadline)).map(textOf);
    const groups = this.runner.groups(names.map((name) => this.keys.of('ban', name)));
    const found = await Promise.all(
      groups.map((group) =>
        this.#look(
          group.map((index) => names[index] as string),
          deadline,
        ),
      ),
    );
    return found.flat();
  }

  async #look(names: readonly string[], deadline: Deadline): Promise<Ban[]> {
    const keys = names.map((name) => this.keys.of('ban', name));
    const numbers = listOf(await this.runner.run(LOOK, keys, [], deadline)).map(numberOf);
    const now = Date.now();
    const bans = names.map((key, i) => ({
      key,
      until: Math.round(now + (numbers[2 * i] ?? 0)),
      count: numbers[2 * i + 1] ?? 0,
    }));
    return bans.filter(({ until }) => until > now);
  }
}
