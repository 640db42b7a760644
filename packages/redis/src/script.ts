import { createHash } from 'node:crypto';

/** A Lua script as Redis runs it: by its digest, once it has seen the source. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** Redis's own time in microseconds as `now`, and in whole milliseconds as `ms`: nodes need no common clock. */
const TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ms = math.floor(now / 1000)
`;

/** Numbers as text that loses nothing: Redis cuts the fractions off those that it converts itself. */
const TEXT = `
local function text(number) return string.format('%.17g', number) end
`;

export function script(...parts: readonly string[]): Script {
  const source = [TIME, TEXT, ...parts].map((part) => part.trim()).join('\n');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
