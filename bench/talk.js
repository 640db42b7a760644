// Messages as work: so many connections, each with so many messages in flight.
import { setTimeout as wait } from 'node:timers/promises';
import { open, Talker } from './load.js';

/** Milliseconds; what is in flight at the end of a slice is answered in a fraction of it. */
const PATIENCE = 5_000;

export class Talk {
  /** Milliseconds that answers have taken, one for each piece that came in, by contender. */
  latencies = new Map();
  #voices = new Map();

  constructor({ token, connections, inFlight, slice }) {
    Object.assign(this, { token, connections, inFlight, slice });
  }

  /** Resolves with how many answers have come within a slice. */
  work = async (contender) => {
    const voices = await this.#voicesOf(contender);
    const before = total(voices);
    for (const voice of voices) voice.start();
    await wait(this.slice);
    for (const voice of voices) voice.stop();
    // What is in flight belongs to this slice, and the next one begins with silence.
    const deadline = performance.now() + PATIENCE;
    while (voices.some((voice) => voice.isWaiting)) {
      if (performance.now() > deadline) throw new Error(`${contender.name} does not answer any more`);
      await wait(1);
    }
    return total(voices) - before;
  };

  end() {
    for (const { talker } of [...this.#voices.values()].flat()) talker.socket.destroy();
  }

  async #voicesOf({ name, port, dialect, shape }) {
    const known = this.#voices.get(name);
    if (known !== undefined) return known;
    const latencies = [];
    this.latencies.set(name, latencies);
    const enter = async () =>
      new Voice(new Talker(await open(port, this.token, dialect), this.inFlight, dialect, shape), latencies);
    const voices = await Promise.all(Array.from({ length: this.connections }, enter));
    this.#voices.set(name, voices);
    return voices;
  }
}

/** A talker, and when it said what has not been answered yet. */
class Voice {
  /** How many messages were said at once, and when, in turn. */
  #said = [];
  #running = false;

  constructor(talker, latencies) {
    this.talker = talker;
    this.latencies = latencies;
    talker.onReplies = (replies) => this.#heard(replies);
  }

  get isWaiting() {
    return this.#said.length > 0;
  }

  start() {
    this.#running = true;
    this.#said.push(this.talker.inFlight, performance.now());
    this.talker.start();
  }

  stop() {
    this.#running = false;
    this.talker.stop();
  }

  /** What was said first is answered first; the talker says as many anew. */
  #heard(replies) {
    const now = performance.now();
    this.latencies.push(now - this.#said[1]);
    for (let left = replies; left > 0; ) {
      const answered = Math.min(left, this.#said[0]);
      left -= answered;
      this.#said[0] -= answered;
      if (this.#said[0] === 0) this.#said.splice(0, 2);
    }
    if (this.#running) this.#said.push(replies, now);
  }
}

function total(voices) {
  return voices.reduce((sum, { talker }) => sum + talker.replies, 0);
}
