/** Somebody who can be on one roster at a time. */
export interface Rostered {
  /** For the roster: the place on it; `NOWHERE` on none. */
  place: number;
}

/** The place of those who are on no roster. */
export const NOWHERE = -1;

/** Empty places that are kept however few are taken. */
const SPARE = 64;

/** Those who are on a roster, in the order in which they came. */
export interface ReadonlyRoster<T> extends Iterable<T> {
  readonly size: number;
}

/**
 * Members in the order in which they came, where many come and go. A `Set` would do; but one that always holds a few makes a
 * new table every few changes, each of which leads to the next one and to those that it held: what has died young is then kept
 * until the next full collection, and copied on the way. Here members know their places, and a place that is left is emptied.
 */
export class Roster<T extends Rostered> implements ReadonlyRoster<T> {
  readonly #places: (T | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @throws TypeError for somebody who is on a roster already. */
  add(member: T): void {
    if (member.place !== NOWHERE) throw new TypeError('It is on a roster already.');
    if (this.#places.length >= 2 * this.#size + SPARE) this.#closeRanks();
    member.place = this.#places.length;
    this.#places.push(member);
    this.#size++;
  }

  /** `false` for somebody who is not on this roster. */
  delete(member: T): boolean {
    if (!this.#has(member)) return false;
    this.#places[member.place] = undefined;
    member.place = NOWHERE;
    this.#size--;
    return true;
  }

  /** Those who are here now, without those who leave before their turn. */
  *[Symbol.iterator](): Iterator<T> {
    for (const member of this.#places.slice()) {
      if (member !== undefined && this.#has(member)) yield member;
    }
  }

  #has(member: T): boolean {
    return member.place !== NOWHERE && this.#places[member.place] === member;
  }

  #closeRanks(): void {
    let taken = 0;
    for (const member of this.#places) {
      if (member === undefined) continue;
      member.place = taken;
      this.#places[taken++] = member;
    }
    this.#places.length = taken;
  }
}
