import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NOWHERE, Roster, type Rostered } from '../../src/vocabulary/roster.ts';

class Member implements Rostered {
  place = NOWHERE;
  constructor(readonly name: number) {}
}

test('property: a roster holds the same members in the same order as a Set', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(40)), { maxLength: 600 });
  fc.assert(
    fc.property(steps, (all) => {
      const roster = new Roster<Member>();
      const set = new Set<Member>();
      const members = Array.from({ length: 41 }, (_, name) => new Member(name));
      for (const [comes, name] of all) {
        const member = members[name] as Member;
        if (!comes) expect(roster.delete(member)).toBe(set.delete(member));
        else if (!set.has(member)) {
          roster.add(member);
          set.add(member);
        }
        expect(roster.size).toBe(set.size);
      }
      expect([...roster]).toEqual([...set]);
    }),
  );
});

test('a roster does not grow while a million members come and go', () => {
  const roster = new Roster<Member>();
  const stays = new Member(0);
  roster.add(stays);
  let furthest = 0;
  for (let i = 1; i <= 1_000_000; i++) {
    const member = new Member(i);
    roster.add(member);
    furthest = Math.max(furthest, member.place);
    roster.delete(member);
  }
  expect(furthest).toBeLessThan(100);
  expect([...roster]).toEqual([stays]);
});

test('an iteration skips members that leave or come during it', () => {
  const roster = new Roster<Member>();
  const members = Array.from({ length: 200 }, (_, name) => new Member(name));
  for (const member of members) roster.add(member);
  const seen: number[] = [];
  for (const member of roster) {
    seen.push(member.name);
    const { [member.name + 1]: next } = members;
    if (member.name % 2 === 0 && next !== undefined) roster.delete(next);
    roster.add(new Member(1_000 + member.name));
  }
  expect(seen).toEqual(members.map(({ name }) => name).filter((name) => name % 2 === 0));
  expect(roster.size).toBe(200);
});

test('a member cannot be on two rosters, nor be removed from another one', () => {
  const [one, other] = [new Roster<Member>(), new Roster<Member>()];
  const member = new Member(1);
  one.add(member);
  expect(() => other.add(member)).toThrow('on a roster already');
  expect(() => one.add(member)).toThrow('on a roster already');
  other.add(new Member(2));
  expect(other.delete(member)).toBe(false);
  expect(one.delete(member)).toBe(true);
  expect(one.delete(member)).toBe(false);
  other.add(member);
  expect(other.size).toBe(2);
});
