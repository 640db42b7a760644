import { createHash } from 'node:crypto';

export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** Redis's time as `now` in microseconds and `ms` in milliseconds, so that nodes need no common clock. */
const TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ms = math.floor(now / 1000)
`;

/** Writes a number without loss. Redis itself cuts off fractions. */
const TEXT = `
local function text(number) return string.format('%.17g', number) end
`;

export function script(...parts: readonly string[]): Script {
  const source = [TIME, TEXT, ...parts].map((part) => part.trim()).join('\n');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
