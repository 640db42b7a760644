import { SLOTS, slotOf } from './hash-slot.ts';
import type { Keys } from './redis-keys.ts';

const PLACES = 12;

/** Keys spread evenly over the hash slots, and so over the nodes. */
export function pingKeys(keys: Keys): string[] {
  const places = new Map<number, string>();
  for (let i = 0; places.size < PLACES && i < 100 * PLACES; i++) {
    const key = keys.of('value', `ping ${i}`);
    const place = Math.floor((slotOf(key) * PLACES) / SLOTS);
    if (!places.has(place)) places.set(place, key);
  }
  return [...places.values()];
}
