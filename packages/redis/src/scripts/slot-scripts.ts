import { script } from '../script.ts';

/**
 * A sorted set for each key, with the holders by the millisecond at which they expire. A counter would keep the slots
 * of a crashed node.
 */
const SET = `
local function sweep(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', ms))
end

local function stay(key, ttl)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl) end
end
`;

/**
 * Takes a slot of every key, or none. KEYS: the keys. ARGV: milliseconds of the lease, milliseconds within which an
 * expiring holder makes a refusal provisional, the channel for news, then cap, holder, and whether the oldest give way (1
 * or 0) for each key. Returns -1, or the index of the first full key, whether the refusal is provisional, and each key
 * and holder that gave way. Holders that may give way have names that sort by age and begin with a colon.
 */
export const TAKE = script(
  SET,
  `
local function eldest(key, count)
  local holders = {}
  for _, holder in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    if string.sub(holder, 1, 1) == ':' then holders[#holders + 1] = holder end
  end
  table.sort(holders)
  return { unpack(holders, 1, math.min(count, #holders)) }
end

local ttl, soon = tonumber(ARGV[1]), tonumber(ARGV[2])
local wanted, leaving = {}, {}
for i, key in ipairs(KEYS) do
  local cap, holder, replaces = tonumber(ARGV[3 * i + 1]), ARGV[3 * i + 2], ARGV[3 * i + 3] == '1'
  -- After a write, Redis lets a script go on although it is full, and the store would count as working.
  if redis.call('ZCOUNT', key, '-inf', string.format('%.0f', ms)) > 0 then sweep(key) end
  -- A command that a client sends again after a reconnect takes nothing twice.
  if not redis.call('ZSCORE', key, holder) then
    wanted[key] = (wanted[key] or 0) + 1
    local surplus = redis.call('ZCARD', key) + wanted[key] - cap
    local oldest = surplus > 0 and replaces and cap > 0 and eldest(key, surplus) or {}
    for _, old in ipairs(oldest) do
      leaving[#leaving + 1] = key
      leaving[#leaving + 1] = old
    end
    if surplus > #oldest then
      local lapsing = redis.call('ZCOUNT', key, '-inf', string.format('%.0f', ms + soon))
      return { i - 1, lapsing > 0 and 1 or 0 }
    end
  end
end
for i = 1, #leaving, 2 do
  redis.call('ZREM', leaving[i], leaving[i + 1])
  redis.call('PUBLISH', ARGV[3], 'replaced ' .. leaving[i + 1] .. ' ' .. leaving[i])
end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, string.format('%.0f', ms + ttl), ARGV[3 * i + 2])
  stay(key, ttl)
end
return { -1, 0, unpack(leaving) }
`,
);

/**
 * Renews slots, and takes expired ones again if there is room. KEYS: the keys. ARGV: milliseconds, then for each key
 * its cap, the number of its holders, and these. Returns the positions of the holders that have lost their slot,
 * counted over all keys.
 */
export const RENEW = script(
  SET,
  `
local ttl = tonumber(ARGV[1])
local expiry = string.format('%.0f', ms + ttl)
local lost, at, position = {}, 2, 0
for _, key in ipairs(KEYS) do
  local cap, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local holders = { unpack(ARGV, at + 2, at + 1 + count) }
  sweep(key)
  local kept, taken = {}, redis.call('ZCARD', key)
  for i, score in ipairs(redis.call('ZMSCORE', key, unpack(holders))) do
    if not score then taken = taken + 1 end
    if score or taken <= cap then
      kept[#kept + 1] = expiry
      kept[#kept + 1] = holders[i]
    else
      taken = taken - 1
      lost[#lost + 1] = position + i - 1
    end
  end
  if #kept > 0 then
    redis.call('ZADD', key, unpack(kept))
    stay(key, ttl)
  end
  at = at + 2 + count
  position = position + count
end
return lost
`,
);

/** KEYS: the keys. ARGV: for each key the number of its holders, and these. */
export const RELEASE = script(`
local at = 1
for _, key in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  redis.call('ZREM', key, unpack(ARGV, at + 1, at + count))
  at = at + 1 + count
end
return 1
`);
