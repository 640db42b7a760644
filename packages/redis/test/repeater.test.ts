import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Repeater } from '../src/repeater.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a repeater runs its task every interval until it is stopped', async () => {
  const starts: number[] = [];
  const begin = performance.now();
  const repeater = new Repeater(
    async () => {
      starts.push(performance.now() - begin);
      await new Promise((resolve) => setTimeout(resolve, 30));
    },
    100,
    10,
  );
  repeater.now();
  repeater.start();
  repeater.start();
  await jest.advanceTimersByTimeAsync(350);
  expect(starts).toEqual([100, 200, 300]);
  repeater.stop();
  await jest.advanceTimersByTimeAsync(500);
  expect(starts).toHaveLength(3);
});

test('a repeater runs its task sooner after a failure', async () => {
  let runs = 0;
  const repeater = new Repeater(
    () => (++runs < 3 ? Promise.reject(new Error('away')) : Promise.resolve()),
    100,
    10,
  );
  repeater.start();
  await jest.advanceTimersByTimeAsync(120);
  expect(runs).toBe(3);
  await jest.advanceTimersByTimeAsync(90);
  expect(runs).toBe(3);
  repeater.stop();
});

test('now() runs the task at once, or again after the run in progress', async () => {
  let running = 0;
  let runs = 0;
  const repeater = new Repeater(
    async () => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
      runs++;
    },
    1_000,
    10,
  );
  repeater.start();
  for (let i = 0; i < 5; i++) repeater.now();
  await jest.advanceTimersByTimeAsync(100);
  expect(runs).toBe(2);
  repeater.now();
  repeater.stop();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(runs).toBe(3);
});
