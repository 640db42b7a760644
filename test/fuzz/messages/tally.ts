import type { Generated } from './generator.ts';
import type { Expected } from './reference.ts';

type Counts = Record<string, number>;

/** How often what was generated and what came of it, so that a fuzz that meets little is seen to. */
export class Tally {
  /** Kinds of messages, what was done to make them, and what came of them. */
  readonly things: Counts = {};
  /** Messages that were handed on, by their type. */
  readonly delivered: Counts = {};
  /** Those of them that were handed on otherwise than they came. */
  readonly changed: Counts = {};

  add({ kind, made }: Generated, expected: Expected): void {
    count(this.things, kind);
    for (const name of made) count(this.things, name);
    if ('reason' in expected) {
      count(this.things, expected.reason);
      count(this.things, expected.stage);
      return;
    }
    count(this.things, 'delivered');
    count(this.delivered, expected.type);
    if (expected.changed) count(this.changed, expected.type);
  }
}

function count(counts: Counts, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}
