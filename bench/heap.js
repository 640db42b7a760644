// What a process has allocated and promoted in a while, from what V8 tells of each collection.
import { GCProfiler, getHeapStatistics } from 'node:v8';

/** Where the small collections put what has outlived two of them. */
const OLD = new Set(['old_space', 'large_object_space']);

/** Begins to watch this process. The function that it returns ends that, and gives the bytes since then. */
export function watchHeap() {
  const profiler = new GCProfiler();
  const before = getHeapStatistics().used_heap_size;
  profiler.start();
  return () => {
    const after = getHeapStatistics().used_heap_size;
    return trafficOf(before, after, profiler.stop().statistics);
  };
}

/**
 * Allocated is what there is more than before, and what was collected meanwhile; promoted is by how much small collections
 * made the old spaces grow.
 *
 * @param {number} before bytes in use
 * @param {number} after bytes in use
 * @param {object[]} collections as of `GCProfiler`
 * @returns {{ allocated: number, promoted: number }} bytes
 */
export function trafficOf(before, after, collections) {
  let allocated = after - before;
  let promoted = 0;
  for (const { gcType, beforeGC, afterGC } of collections) {
    allocated += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
    if (gcType === 'Scavenge') promoted += old(afterGC) - old(beforeGC);
  }
  return { allocated, promoted };
}

function old({ heapSpaceStatistics }) {
  return heapSpaceStatistics
    .filter(({ spaceName }) => OLD.has(spaceName))
    .reduce((sum, { spaceUsedSize }) => sum + spaceUsedSize, 0);
}
