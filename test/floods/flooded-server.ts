import { setTimeout as wait } from 'node:timers/promises';
import type { GuardedChat } from '../programs/guarded-chat.ts';
import type { Neighbour } from '../programs/neighbour.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { Forked } from '../support/forked.ts';
import { IN_FULL } from './flooder.ts';

/** Bytes of memory that a flood may leave behind. */
const LEFT = 32 * 1_048_576;
/** How many times longer a neighbour's median round trip may be. */
const SLOWER = 5;
/** The least number of round trips for a median. */
const ENOUGH = 25;
/** A full flood that is too slow is repeated this often, since other processes may keep the machine busy. */
const TRIES = 2;
/** In milliseconds. Half of it is the time that a peer has to answer its close frame, and the server's next tick. */
const PATIENCE = 10_000;

/** Sends a flood. The returned function waits for the end of its connections, which is not part of the flood. */
export type Flood<T> = () => Promise<() => Promise<T>>;

/** A server in one process and a well-behaved client, the neighbour, in another. This process sends the floods. */
export class FloodedServer {
  port = 0;

  private constructor(
    readonly server: Forked<GuardedChat>,
    readonly neighbour: Forked<Neighbour>,
  ) {}

  static async start(): Promise<FloodedServer> {
    const [server, neighbour] = await Promise.all([
      Forked.start<GuardedChat>('guarded-chat'),
      Forked.start<Neighbour>('neighbour'),
    ]);
    return new FloodedServer(server, neighbour);
  }

  async serve(host: string, policy: PolicyOverrides): Promise<void> {
    this.port = await this.server.ask('start', host, policy);
    await this.neighbour.ask('enter', this.port, await goodHeaders('bob'));
  }

  async stop(): Promise<void> {
    await this.neighbour.ask('leave');
    await this.server.ask('stop');
  }

  /** Ends both processes, and resolves with what they printed as errors. */
  async end(): Promise<string> {
    return (await Promise.all([this.server.end(), this.neighbour.end()])).join('');
  }

  /**
   * Runs a flood. Throws if the neighbour has lost an answer, if the server keeps sockets or memory afterwards, or, in a full
   * run, if the neighbour's median round trip is more than 5 times longer than just before.
   */
  async withstands<T>(flood: Flood<T>): Promise<T[]> {
    const held = await this.server.ask('memory');
    for (let tries = 1; ; tries++) {
      const { outcomes, ratio } = await this.#measured(flood);
      await this.#recovers(held);
      if (!IN_FULL) return outcomes;
      process.stderr.write(`The neighbour waited ${ratio.toFixed(1)} times as long.\n`);
      if (ratio <= SLOWER) return outcomes;
      if (tries === TRIES) throw new Error(`The neighbour waited ${ratio.toFixed(1)} times as long.`);
    }
  }

  async #measured<T>(flood: Flood<T>) {
    await this.#roundTrip();
    await eventually(async () => (await this.neighbour.ask('answered')) >= ENOUGH, 'the neighbour', PATIENCE);
    const calm = await this.#roundTrip();
    const endings: (() => Promise<T>)[] = [];
    do endings.push(await flood());
    while ((await this.neighbour.ask('answered')) < ENOUGH);
    const ratio = (await this.#roundTrip()) / calm;
    const outcomes: T[] = [];
    for (const ending of endings) outcomes.push(await ending());
    return { outcomes, ratio };
  }

  /** The median of the neighbour's round trips since the last call. */
  async #roundTrip(): Promise<number> {
    const { roundTrips, astray } = await this.neighbour.ask('report');
    if (astray.length > 0) throw new Error(`The neighbour's answers went astray: ${astray.join(', ')}`);
    const sorted = [...roundTrips].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  }

  /** Waits until the server has only the neighbour's socket and has released the memory of the flood. */
  async #recovers(before: number): Promise<void> {
    await eventually(
      async () => (await this.server.ask('sockets')) === 1,
      'the end of every flooding socket',
      PATIENCE,
    );
    await eventually(
      async () => {
        await wait(10);
        return (await this.server.ask('memory')) - before < LEFT;
      },
      'the memory that the flood has taken',
      PATIENCE,
    );
  }
}
