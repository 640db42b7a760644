/** An object that can be on one roster at a time. */
export interface Rostered {
  /** Set by the roster: the member's place, or `NOWHERE`. */
  place: number;
}

export const NOWHERE = -1;

/** Empty places that are kept for reuse. */
const SPARE = 64;

/** In the order of arrival. */
export interface ReadonlyRoster<T> extends Iterable<T> {
  readonly size: number;
}

/**
 * Members in the order of arrival, for many that come and go. A `Set` of a few members allocates a new table every
 * few changes, and each table refers to the next one: its garbage survives until a full collection. A roster empties
 * places instead.
 */
export class Roster<T extends Rostered> implements ReadonlyRoster<T> {
  readonly #places: (T | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @throws TypeError if it is on a roster already. */
  add(member: T): void {
    if (member.place !== NOWHERE) throw new TypeError('It is on a roster already.');
    if (this.#places.length >= 2 * this.#size + SPARE) this.#closeRanks();
    member.place = this.#places.length;
    this.#places.push(member);
    this.#size++;
  }

  /** Returns whether it was on this roster. */
  delete(member: T): boolean {
    if (!this.#has(member)) return false;
    this.#places[member.place] = undefined;
    member.place = NOWHERE;
    this.#size--;
    return true;
  }

  /** Skips members that leave or come during the iteration. */
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
