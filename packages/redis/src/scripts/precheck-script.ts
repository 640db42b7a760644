import type { Hit, PrecheckAnswer, PrecheckRequest } from '@sallyport/core/store';
import { listOf, numberOf } from '../reply.ts';
import { script } from '../script.ts';
import { GCRA } from './gcra-script.ts';

/** KEYS: bans, buckets, slots. ARGV: how many of each; interval, burst and cost of each bucket; cap of each slot. */
export const PRECHECK = script(
  GCRA,
  `
local bans, hits, slots = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local longest = 0
for i = 1, bans do
  local until_ = redis.call('HGET', KEYS[i], 'until')
  if until_ then longest = math.max(longest, tonumber(until_) - now / 1000) end
end
if longest > 0 then return { text(longest), -1 } end

local answer = { '0', -1 }
for i = 1, slots do
  local taken = redis.call('ZCOUNT', KEYS[bans + hits + i], '(' .. string.format('%.0f', ms), '+inf')
  if taken >= tonumber(ARGV[3 + 3 * hits + i]) then
    answer[2] = i - 1
    break
  end
end
for i = 1, hits do
  local at = 3 * i
  local allowed, left, wait =
    hit(KEYS[bans + i], now, tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]))
  answer[#answer + 1] = allowed
  answer[#answer + 1] = left
  answer[#answer + 1] = text(wait)
  if allowed == 0 then break end
end
return answer
`,
);

export function precheckArguments({ bans, hits, leases }: PrecheckRequest): number[] {
  return [
    bans.length,
    hits.length,
    leases.length,
    ...hits.flatMap(({ limit, cost }) => [limit.interval, limit.burst, cost]),
    ...leases.map(({ cap }) => cap),
  ];
}

export function precheckAnswer(reply: unknown): PrecheckAnswer {
  const [bannedFor = 0, full = -1, ...numbers] = listOf(reply).map(numberOf);
  const hits: Hit[] = [];
  for (let i = 0; i < numbers.length; i += 3) {
    const [allowed, remaining = 0, retryAfter = 0] = numbers.slice(i, i + 3);
    hits.push({ allowed: allowed === 1, remaining, retryAfter });
  }
  return { bannedFor, hits, full };
}
