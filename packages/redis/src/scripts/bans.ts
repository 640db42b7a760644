import { script } from '../script.ts';

/**
 * Bans from now on. KEYS: the ban. ARGV: duration, growth, longest, memory, a random mark of this call, the channel, the
 * node, the name. Answers with the milliseconds that are left, and the how many-th ban it is.
 */
export const BAN = script(`
local known = redis.call('HMGET', KEYS[1], 'until', 'count', 'mark')
-- A command that a client sends again after a reconnect is the same ban.
if known[3] == ARGV[5] then return { text(tonumber(known[1]) - now / 1000), tonumber(known[2]) } end
local count = (tonumber(known[2] or 0)) + 1
local left = math.min(tonumber(ARGV[3]), tonumber(ARGV[1]) * tonumber(ARGV[2]) ^ (count - 1))
redis.call('HSET', KEYS[1], 'until', text(now / 1000 + left), 'count', count, 'mark', ARGV[5])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(left + tonumber(ARGV[4]))))
redis.call('PUBLISH', ARGV[6], 'ban ' .. ARGV[7] .. ' ' .. text(left) .. ' ' .. count .. ' ' .. ARGV[8])
return { text(left), count }
`);

/** Lifts a ban. KEYS: the ban. ARGV: the channel, the node, the name. Answers 1 where it was in force. */
export const UNBAN = script(`
local until_ = redis.call('HGET', KEYS[1], 'until')
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[1], 'unban ' .. ARGV[2] .. ' ' .. ARGV[3])
return until_ and tonumber(until_) > now / 1000 and 1 or 0
`);

/** What is known of some bans. KEYS: the bans. Answers with milliseconds left (0 where there is none) and count of each. */
export const LOOK = script(`
local answer = {}
for _, key in ipairs(KEYS) do
  local known = redis.call('HMGET', key, 'until', 'count')
  answer[#answer + 1] = text(known[1] and math.max(0, tonumber(known[1]) - now / 1000) or 0)
  answer[#answer + 1] = tonumber(known[2] or 0)
end
return answer
`);

/**
 * The list of who may be banned: names by the millisecond at which their ban ends. KEYS: the list. ARGV: milliseconds
 * left, the name, how many it may hold. At its bound it forgets those that end first; they stay banned.
 */
export const LIST = script(`
local ends = string.format('%.0f', ms + math.ceil(tonumber(ARGV[1])))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', ms))
redis.call('ZADD', KEYS[1], ends, ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last)))
return 1
`);

/** KEYS: the list. ARGV: the name. */
export const UNLIST = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`);

/** KEYS: the list. ARGV: how many names at most. */
export const LISTED = script(`
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', ms), '+inf', 'LIMIT', 0, ARGV[1])
`);
