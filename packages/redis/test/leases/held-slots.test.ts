import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HeldLease, type Slot } from '../../src/leases/held-lease.ts';
import { SlotTable } from '../../src/leases/held-slots.ts';

function slotsOf(keys: readonly [key: string, cap: number][]): Slot[] {
  const owner = { released() {} };
  return keys.flatMap(([key, cap], i) => new HeldLease(owner, `lease${i}`, [key], [{ key, cap }]).slots);
}

const keys = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 3 })), {
  maxLength: 900,
});

test('every slot is in exactly one chunk, each chunk is bounded, and each part has one cap', () => {
  fc.assert(
    fc.property(keys, fc.boolean(), (pairs, together) => {
      const slots = slotsOf(pairs);
      const table = new SlotTable();
      table.add(slots);
      const chunks = [...table.chunks(together)];
      const parts = chunks.flat();
      expect(new Set(parts.flatMap((part) => part.slots))).toEqual(new Set(slots));
      expect(parts.flatMap((part) => part.slots)).toHaveLength(slots.length);
      for (const {
        key,
        slots: [first, ...rest],
      } of parts) {
        expect(first?.key).toBe(key);
        for (const slot of rest) expect([slot.key, slot.cap]).toEqual([key, first?.cap]);
      }
      for (const chunk of chunks) {
        expect(chunk.flatMap((part) => part.slots).length).toBeLessThanOrEqual(250);
        if (!together) expect(new Set(chunk.map(({ key }) => key)).size).toBe(1);
      }
      if (together) expect(chunks).toHaveLength(Math.ceil(slots.length / 250));
    }),
  );
});

test('the table is empty once every slot was removed, even while it is read', () => {
  const slots = slotsOf(Array.from({ length: 600 }, (_, i) => [`key ${i % 7}`, 1]));
  const table = new SlotTable();
  table.add(slots);
  let seen = 0;
  for (const chunk of table.chunks(true)) {
    seen += chunk.flatMap((part) => part.slots).length;
    table.delete(slots.slice(0, 400));
  }
  expect(seen).toBeLessThan(600);
  table.delete(slots);
  expect(table.isEmpty).toBe(true);
  expect([...table.chunks(true)]).toEqual([]);
});
