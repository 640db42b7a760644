/** Milliseconds until keys are fetched again, if their issuer does not say. */
export const KEY_MAX_AGE = 600_000;
/** Milliseconds. A longer time would keep a key that the issuer withdraws. */
export const LONGEST_FRESH = 3_600_000;
/** Milliseconds. A shorter time would ask the issuer for almost every handshake. */
const SHORTEST_FRESH = 60_000;

/**
 * For how many milliseconds an answer counts as fresh: `max-age` of its `Cache-Control` less its `Age` (RFC 9111 §4.2),
 * within bounds; `no-store` and `no-cache` count as the shortest. Ten minutes if there is nothing that can be read.
 */
export function freshnessOf(cacheControl: string | null, age: string | null): number {
  const directives = (cacheControl ?? '').split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.includes('no-store') || directives.includes('no-cache')) return SHORTEST_FRESH;
  const maxAge = directives.map((directive) => /^max-age="?(\d+)"?$/.exec(directive)?.[1]).find(Boolean);
  if (maxAge === undefined) return KEY_MAX_AGE;
  const passed = /^\d+$/.test(age ?? '') ? Number(age) : 0;
  const left = (Number(maxAge) - passed) * 1_000;
  // Infinity less infinity.
  return Number.isNaN(left) ? KEY_MAX_AGE : Math.min(LONGEST_FRESH, Math.max(SHORTEST_FRESH, left));
}
