import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { GuardedChat, GuardedChatOptions } from '../programs/guarded-chat.ts';
import type { Neighbour, NeighbourOptions } from '../programs/neighbour.ts';
import { goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { Forked } from '../support/forked.ts';

/** Bytes that may be left of a flood. */
const LEFT = 32 * 1_048_576;
/** How many times longer the median round trip of a neighbour may be. */
const SLOWER = 5;
/** Milliseconds over which it is measured beforehand. */
const CALM = 400;
/** Answers whose median says something. */
const ENOUGH = 25;

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** A server in a process of its own, and a well-behaved client of it in another one. */
export class Floodable {
  private constructor(
    readonly server: Forked<GuardedChat>,
    readonly neighbour: Forked<Neighbour>,
    readonly port: number,
  ) {}

  static async start(options: GuardedChatOptions): Promise<Floodable> {
    const server = await Forked.start<GuardedChat>('guarded-chat', options);
    const port = await server.ask('port');
    const peaceful: NeighbourOptions = { port, headers: await goodHeaders('bob'), pause: 4 };
    return new Floodable(server, await Forked.start<Neighbour>('neighbour', peaceful), port);
  }

  /**
   * Lets a flood happen, and returns what it returned. The neighbour loses nothing, its median round trip stays within 5 times
   * of what it was just before, and what the server holds afterwards is what it held before.
   */
  async withstands<T>(flood: () => Promise<T>): Promise<T> {
    const before = await this.server.ask('memory');
    const { result, calm, flooded } = await this.#measured(flood);
    const after = await this.#settled(before.held);
    console.log(
      calm.length,
      median(calm).toFixed(2),
      flooded.length,
      median(flooded).toFixed(2),
      (median(flooded) / median(calm)).toFixed(2),
      'MiB',
      ((after.held - before.held) / 1048576).toFixed(1),
      'rss',
      (before.rss / 1048576).toFixed(0),
      (after.rss / 1048576).toFixed(0),
    );
    return result;
  }

  async #measured<T>(flood: () => Promise<T>) {
    await this.#report();
    await wait(CALM);
    const calm = await this.#report();
    const result = await flood();
    const flooded = await this.#report();
    return { result, calm, flooded };
  }

  async #report(): Promise<readonly number[]> {
    const { roundTrips, astray, ended } = await this.neighbour.ask('report');
    expect([astray, ended]).toEqual([[], null]);
    return roundTrips;
  }

  /** Its memory, once nothing of the flood is left. */
  async #settled(before: number) {
    await eventually(
      async () => (await this.server.ask('sockets')) === 1,
      'the end of every flooding socket',
      8_000,
    );
    let now = await this.server.ask('memory');
    await eventually(
      async () => {
        now = await this.server.ask('memory');
        return now.held - before < LEFT;
      },
      'the memory that a flood has taken',
      8_000,
    );
    return now;
  }

  async end(): Promise<void> {
    const complaints = await Promise.all([this.neighbour.end(), this.server.end()]);
    expect(complaints).toEqual(['', '']);
  }
}
