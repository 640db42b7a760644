import { expect, test } from '@jest/globals';
import { inParts } from '../src/in-parts.ts';
import { Runner } from '../src/runner.ts';
import { FakePort } from './support/fake-port.ts';

const port = new FakePort();
const runner = new Runner(port, 100, 10);
const self = (key: string): string => key;

test('all items are worked through, with a bounded number at once', async () => {
  let running = 0;
  let most = 0;
  const done: string[] = [];
  const items = Array.from({ length: 100 }, (_, i) => `${i}`);
  await inParts(runner, items, self, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    done.push(item);
  });
  expect(new Set(done)).toEqual(new Set(items));
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(32);
});

test('after a failure, items of the same part are skipped and all others are done', async () => {
  port.cluster = true;
  const tried: string[] = [];
  // Their hash slots are 12182 and 5061.
  const items = Array.from({ length: 400 }, (_, i) => `{${i % 2 === 0 ? 'foo' : 'bar'}}${i}`);
  const work = inParts(runner, items, self, async (item) => {
    tried.push(item);
    await new Promise((resolve) => setImmediate(resolve));
    if (item.includes('foo')) throw new Error('away');
  });
  await expect(work).rejects.toThrow('away');
  expect(tried.filter((item) => item.includes('bar'))).toHaveLength(200);
  expect(tried.filter((item) => item.includes('foo')).length).toBeLessThan(50);
});
