import { script } from '../script.ts';

/**
 * Divides limits among nodes. KEYS: a hash for each limit, from node to its weight and the millisecond until which
 * the weight counts. ARGV: the node, the interval in milliseconds, then what the node was asked for of each limit.
 *
 * A node's weight is its demand, or half of its weight before, so that one quiet interval does not cost its whole
 * part. Each node has a quarter of an equal part for certain. The rest is divided by weight.
 */
export const SHARE = script(`
local node, interval = ARGV[1], tonumber(ARGV[2])
local shares = {}
for i, key in ipairs(KEYS) do
  local weight, others, live, gone = tonumber(ARGV[2 + i]), 0, 1, {}
  local entries = redis.call('HGETALL', key)
  for j = 1, #entries, 2 do
    local known, expiry = string.match(entries[j + 1], '^(%S+) (%S+)$')
    if tonumber(expiry) < ms then
      gone[#gone + 1] = entries[j]
    elseif entries[j] == node then
      weight = math.max(weight, tonumber(known) / 2)
    else
      others = others + tonumber(known)
      live = live + 1
    end
  end
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  if weight < 0.5 then
    redis.call('HDEL', key, node)
  else
    redis.call('HSET', key, node, text(weight) .. ' ' .. string.format('%.0f', ms + 2 * interval))
    if redis.call('PTTL', key) < 2 * interval then redis.call('PEXPIRE', key, string.format('%.0f', 2 * interval)) end
  end
  local total = weight + others
  if live == 1 then
    shares[i] = '1'
  else
    local certain = total / live / 3
    shares[i] = text((weight + certain) / (total + live * certain))
  end
end
return shares
`);
