import { expect, test } from '@jest/globals';
import { Offences } from '../../src/limits/offences.ts';
import { ManualClock } from '../support/manual-clock.ts';

function bench(maxKeys?: number) {
  const clock = new ManualClock();
  const banned: string[] = [];
  const offences = new Offences(clock, { interval: 1_000, burst: 3 }, (key) => banned.push(key), maxKeys);
  const commit = (key: string, times: number) => {
    for (let i = 0; i < times; i++) offences.count(key);
  };
  return { clock, banned, offences, commit };
}

test('a key with more offences than the limit is banned, and other keys are not', () => {
  const { banned, commit } = bench();
  commit('a', 3);
  commit('b', 3);
  expect(banned).toEqual([]);
  commit('a', 1);
  expect(banned).toEqual(['a']);
});

test('time makes up for offences', () => {
  const { clock, banned, commit } = bench();
  commit('a', 3);
  for (let i = 0; i < 20; i++) {
    clock.advance(1_000);
    commit('a', 1);
  }
  expect(banned).toEqual([]);
  commit('a', 1);
  expect(banned).toEqual(['a']);
});

test('after a ban the count starts anew', () => {
  const { banned, commit, offences } = bench();
  commit('a', 4);
  expect(offences.size).toBe(0);
  commit('a', 3);
  expect(banned).toEqual(['a']);
  commit('a', 1);
  expect(banned).toEqual(['a', 'a']);
});

test('a full table counts no new key and forgets none', () => {
  const { clock, banned, offences, commit } = bench(2);
  commit('a', 3);
  commit('b', 1);
  commit('c', 50);
  expect([banned, offences.size]).toEqual([[], 2]);
  commit('a', 1);
  expect(banned).toEqual(['a']);
  // The ban has freed its place.
  commit('c', 4);
  expect(banned).toEqual(['a', 'c']);
  for (let i = 0; i < 10_000; i++) commit(`flood ${i}`, 1);
  expect(offences.size).toBe(2);
  clock.advance(60_000);
  commit('d', 4);
  expect(banned).toEqual(['a', 'c', 'd']);
});
