import { script } from '../script.ts';

/**
 * Stores a revocation in the stream, and publishes it in any case, also if Redis takes no writes. KEYS: the stream. ARGV:
 * retention in milliseconds, the bound, the channel, the revocation as JSON. Returns the entry's id, or an empty text if
 * there is no room: an older revocation that still matters is not dropped for a new one.
 */
export const REVOKE = script(`
local function trim(how)
  redis.call('XTRIM', KEYS[1], 'MINID', how, string.format('%.0f', ms - tonumber(ARGV[1])))
end
local id = ''
local stored, failure = pcall(function()
  trim('~')
  if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[2]) then trim('=') end
  if redis.call('XLEN', KEYS[1]) < tonumber(ARGV[2]) then
    id = redis.call('XADD', KEYS[1], '*', 'r', ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
  end
end)
redis.call('PUBLISH', ARGV[3], 'revoked ' .. (id == '' and '-' or id) .. ' ' .. ARGV[4])
if not stored then return type(failure) == 'table' and failure or redis.error_reply(tostring(failure)) end
return id
`);

/**
 * Reads the entries after a given one. KEYS: the generation, the stream. ARGV: a random generation for a Redis
 * without one, retention in milliseconds, the entry, how many to read, the newest published entry (or nothing).
 * Returns the generation, whether the newest published entry is there, and ids and values in turn.
 *
 * It writes only what is missing, and now and then the expiry: a Redis that takes no writes can still be read.
 */
export const READ = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) * 0.9 then redis.pcall('PEXPIRE', KEYS[1], ARGV[2]) end
local remembered = 1
if ARGV[5] ~= '' and #redis.call('XRANGE', KEYS[2], ARGV[5], ARGV[5]) == 0 then remembered = 0 end
local answer = { redis.call('GET', KEYS[1]), remembered }
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[3], '+', 'COUNT', ARGV[4])) do
  answer[#answer + 1] = entry[1]
  answer[#answer + 1] = entry[2][2]
end
return answer
`);

/**
 * Restores what Redis has lost, once although every node does so. KEYS: the stream, what was restored lately. ARGV:
 * retention in milliseconds, how long to remember the latter, the channel, then revocations as JSON.
 */
export const RESTORE = script(`
local added = 0
for i = 4, #ARGV do
  if redis.call('SADD', KEYS[2], ARGV[i]) == 1 then
    redis.call('XADD', KEYS[1], '*', 'r', ARGV[i])
    added = added + 1
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if added > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('PUBLISH', ARGV[3], 'read')
end
return added
`);
