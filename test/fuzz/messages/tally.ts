import type { Generated } from './generator.ts';
import type { Expected } from './reference.ts';

type Counts = Record<string, number>;

/** Counts what was generated and its outcomes, so that a fuzz with little coverage fails. */
export class Tally {
  /** Kinds of messages, mutations and outcomes. */
  readonly things: Counts = {};
  /** Messages that were handed on, by type. */
  readonly delivered: Counts = {};
  /** Messages that were changed before they were handed on, by type. */
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
