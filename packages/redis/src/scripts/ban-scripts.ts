import { script } from '../script.ts';

/**
 * The list of bans: names by the millisecond of their end, and their counts. At its bound it drops those that end
 * first; they stay in force.
 */
const LISTING = `
local function forget(names, counts, gone)
  for _, name in ipairs(gone) do
    redis.call('ZREM', names, name)
    redis.call('HDEL', counts, name)
  end
end

local function sweep(names, counts)
  forget(names, counts, redis.call('ZRANGEBYSCORE', names, '-inf', string.format('%.0f', ms), 'LIMIT', 0, 1000))
end

local function enlist(names, counts, name, left, count, most)
  sweep(names, counts)
  redis.call('ZADD', names, string.format('%.0f', ms + math.ceil(left)), name)
  redis.call('HSET', counts, name, count)
  local surplus = redis.call('ZCARD', names) - most
  if surplus > 0 then forget(names, counts, redis.call('ZRANGE', names, 0, surplus - 1)) end
  local last = string.format('%.0f', tonumber(redis.call('ZRANGE', names, -1, -1, 'WITHSCORES')[2]))
  redis.call('PEXPIREAT', names, last)
  redis.call('PEXPIREAT', counts, last)
end
`;

/**
 * Imposes a ban. KEYS: the ban, and the two of the list if one script can take them all. ARGV: duration, growth,
 * longest, memory, a random mark of this call, the channel, the node, the name, the bound of the list. Returns the
 * milliseconds left and the count.
 */
export const BAN = script(
  LISTING,
  `
local known = redis.call('HMGET', KEYS[1], 'until', 'count', 'mark')
-- A command that a client sends again after a reconnect is the same ban.
if known[3] == ARGV[5] then return { text(tonumber(known[1]) - now / 1000), tonumber(known[2]) } end
local count = tonumber(known[2] or 0) + 1
local left = math.min(tonumber(ARGV[3]), tonumber(ARGV[1]) * tonumber(ARGV[2]) ^ (count - 1))
redis.call('HSET', KEYS[1], 'until', text(now / 1000 + left), 'count', count, 'mark', ARGV[5])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(left + tonumber(ARGV[4]))))
if KEYS[2] then enlist(KEYS[2], KEYS[3], ARGV[8], left, count, tonumber(ARGV[9])) end
redis.call('PUBLISH', ARGV[6], 'ban ' .. ARGV[7] .. ' ' .. text(left) .. ' ' .. count .. ' ' .. ARGV[8])
return { text(left), count }
`,
);

/** Lifts a ban. KEYS: as above. ARGV: the channel, the node, the name. Returns 1 if it was in force. */
export const UNBAN = script(`
local until_ = redis.call('HGET', KEYS[1], 'until')
redis.call('DEL', KEYS[1])
if KEYS[2] then
  redis.call('ZREM', KEYS[2], ARGV[3])
  redis.call('HDEL', KEYS[3], ARGV[3])
end
redis.call('PUBLISH', ARGV[1], 'unban ' .. ARGV[2] .. ' ' .. ARGV[3])
return until_ and tonumber(until_) > now / 1000 and 1 or 0
`);

/** Adds a ban to the list. KEYS: the two of the list. ARGV: the name, milliseconds left, count, the bound. */
export const ENLIST = script(
  LISTING,
  `
enlist(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]))
return 1
`,
);

/** Removes a ban from the list. KEYS: the two of the list. ARGV: the name. */
export const UNLIST = script(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
`);

/** KEYS: the two of the list. ARGV: how many at most. Returns name, milliseconds left and count of each ban. */
export const LISTED = script(`
local answer = {}
local listed = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', ms), '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for i = 1, #listed, 2 do
  answer[#answer + 1] = listed[i]
  answer[#answer + 1] = text(tonumber(listed[i + 1]) - ms)
  answer[#answer + 1] = tonumber(redis.call('HGET', KEYS[2], listed[i]) or 1)
end
return answer
`);
