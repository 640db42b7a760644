import { expect, test } from '@jest/globals';
import { trafficOf, watchHeap } from '../../bench/heap.js';
import { coresOf, pinLoad } from '../../bench/pinning.js';

test('a list of cores is read as taskset prints it', () => {
  expect(coresOf('0,1\n')).toEqual([0, 1]);
  expect(coresOf('2-4,7')).toEqual([2, 3, 4, 7]);
});

test('the load is pinned to another core than the servers', () => {
  const asked: string[][] = [];
  const pins = pinLoad((...words: string[]) => {
    asked.push(words);
    return "pid 7's current affinity list: 2-5\n";
  });
  expect(pins).toEqual({
    server: 2,
    said: 'Servers are pinned to core 2, the load generator to core 3.',
  });
  expect(asked).toEqual([
    ['-cp', `${process.pid}`],
    ['-acp', '3', `${process.pid}`],
  ]);
});

test('where nothing can be pinned the bench says why, and goes on', () => {
  const missing = pinLoad(() => {
    throw Object.assign(new Error('spawn taskset ENOENT'), { code: 'ENOENT' });
  });
  expect(missing.server).toBeUndefined();
  expect(missing.said).toContain('Nothing is pinned to a core: there is no taskset here.');
  expect(pinLoad(() => "pid 7's current affinity list: 3\n").said).toContain('one core only');
});

const heap = (usedHeapSize: number, spaceUsedSize: number) => ({
  heapStatistics: { usedHeapSize },
  heapSpaceStatistics: [
    { spaceName: 'old_space', spaceUsedSize },
    { spaceName: 'new_space', spaceUsedSize: usedHeapSize - spaceUsedSize },
  ],
});

test('what was collected counts as allocated, and only small collections promote', () => {
  const collections = [
    { gcType: 'Scavenge', beforeGC: heap(1_000, 100), afterGC: heap(400, 130) },
    { gcType: 'MarkSweepCompact', beforeGC: heap(700, 130), afterGC: heap(300, 300) },
  ];
  expect(trafficOf(200, 500, collections)).toEqual({ allocated: 300 + 600 + 400, promoted: 30 });
});

test('allocations of this process are seen over collections', () => {
  const stop = watchHeap();
  let kept: number[] = [];
  for (let i = 0; i < 2_000; i++) kept = new Array(1_000).fill(i);
  const { allocated } = stop();
  expect(kept).toHaveLength(1_000);
  // 2,000 arrays of 1,000 elements of 4 or 8 bytes.
  expect(allocated).toBeGreaterThan(6_000_000);
});
