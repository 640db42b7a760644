import { createGuard, type GuardEvents } from '@sallyport/core';
import type { GuardedConnection } from '../../../packages/core/src/connection/guarded-connection.ts';
import { admitted, connect } from '../../../packages/core/test/support/decide.ts';
import { ManualClock } from '../../../packages/core/test/support/manual-clock.ts';
import { upgradeRequest } from '../../../packages/core/test/support/upgrade-request.ts';
import type { Random } from '../random.ts';
import { checkNext, must, show } from './checks.ts';
import type { Dialect } from './dialect.ts';
import { type Generated, generate } from './generator.ts';
import { Outcomes } from './outcomes.ts';
import { messages, policyOf } from './policy.ts';
import { type Expected, expectedOf } from './reference.ts';
import { resultIn } from './reference-envelopes.ts';
import { Tally } from './tally.ts';

interface Sent {
  readonly index: number;
  readonly generated: Generated;
  readonly expected: Expected;
}

/** Waits until everything has happened that needs no timer. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One connection of the fuzzed policy without a network, for all messages. */
export class InProcess {
  readonly tally = new Tally();
  readonly faults: unknown[] = [];
  readonly #outcomes = new Outcomes();
  #connection!: GuardedConnection;
  #denied: GuardEvents['message.denied'][] = [];
  /** Messages that were sent and whose outcomes are not checked yet. */
  #waiting: Sent[] = [];

  private constructor(
    readonly dialect: Dialect,
    readonly random: Random,
  ) {}

  static async open(dialect: Dialect, random: Random): Promise<InProcess> {
    const run = new InProcess(dialect, random);
    const guard = createGuard({ ...policyOf(dialect.envelope, dialect.codec), clock: new ManualClock() });
    guard.on('fault', (event) => run.faults.push(event));
    guard.on('message.denied', (event) => void run.#denied.push(event));
    const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
    run.#connection = connect(await admitted(guard, request), run.#outcomes);
    run.#outcomes.handle(run.#connection, Object.keys(messages));
    return run;
  }

  /** Sends the next message and checks its outcomes. Returns a promise if they come later. */
  send(index: number): Promise<void> | undefined {
    const { dialect, random } = this;
    const generated = generate(random, dialect);
    const expected = expectedOf(dialect.read(generated.data), dialect);
    this.#waiting.push({ index, generated, expected });
    this.#connection.receive(generated.data, dialect.codec !== undefined);
    // A synchronous policy answers at once, unless an earlier message is still being handled.
    if (this.#waiting.length === 1 && !expected.late) this.#check();
    else if (this.#waiting.length > random.below(8)) return this.finish();
    return undefined;
  }

  /** Checks the outcomes of the messages that wait. */
  async finish(): Promise<void> {
    await settle();
    this.#check();
    must(!this.#outcomes.paused, () => 'the socket is left paused');
    must(this.#connection.state === 'open', () => `the connection is ${this.#connection.state}`);
  }

  #check(): void {
    const outcomes = this.#outcomes.take();
    for (const sent of this.#waiting) {
      try {
        this.#checkOne(sent, outcomes);
      } catch (error) {
        throw new Error(this.#complaint(sent, error as Error), { cause: error });
      }
    }
    must(outcomes.length === 0, () => `too much came of it: ${show(outcomes)}`);
    must(this.#denied.length === 0, () => `too many events told of it: ${show(this.#denied)}`);
    this.#waiting = [];
  }

  #checkOne({ generated, expected }: Sent, outcomes: ReturnType<Outcomes['take']>): void {
    this.tally.add(generated, expected);
    const { data, sure } = generated;
    const told = 'reason' in expected ? expected.reason : 'delivered';
    must(sure === undefined || sure === told, () => `the reference says ${told}, its generator ${sure}`);
    checkNext(outcomes, expected, data, this.dialect, resultIn(this.dialect.envelope, expected.id));
    if (!('reason' in expected)) return;
    const event = this.#denied.shift();
    must(
      event?.reason === expected.reason && event.stage === expected.stage,
      () => `had to be told of as ${expected.reason} at ${expected.stage}, and was as ${show(event)}`,
    );
  }

  #complaint({ index, generated, expected }: Sent, { message }: Error): string {
    const { seed } = this.random;
    return (
      `Message ${index} of seed ${seed} (SALLYPORT_FUZZ_SEED=${seed} repeats it): ${message}\n` +
      `${generated.kind}: ${generated.made.join(', ')}\nexpected: ${show(expected)}\n${show(generated.data)}`
    );
  }
}
