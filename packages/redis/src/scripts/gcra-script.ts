/**
 * The arithmetic of `packages/core/src/limits/cell-rate.ts`, with the present as 0: milliseconds since 1970 leave too
 * few bits for fractions. A bucket holds the microsecond of its last hit and its debt in milliseconds at that time.
 * It expires as it recovers. A clock that was set back, also by a failover, counts as standing still.
 */
export const GCRA = `
local SLACK = 1e-3

local function spend(tat, interval, burst, cost)
  local next = math.max(tat, 0) + cost * interval
  local ahead = next - math.max(burst, cost) * interval
  if ahead <= math.min(SLACK, interval / 2) then return next end
  return -ahead
end

local function remaining(tat, interval, burst)
  local free = burst - math.max(tat, 0) / interval
  return math.max(0, math.floor(free + math.min(SLACK, interval / 2) / interval))
end

local function tatOf(key, now)
  local bucket = redis.call('GET', key)
  if not bucket then return 0 end
  local at, debt = string.match(bucket, '^(%S+) (%S+)$')
  return tonumber(debt) - math.max(0, now - tonumber(at)) / 1000
end

local function keep(key, now, tat)
  local expiry = math.max(1, math.ceil(tat))
  redis.call('SET', key, string.format('%.0f', now) .. ' ' .. text(tat), 'PX', string.format('%.0f', expiry))
end

local function hit(key, now, interval, burst, cost)
  local tat = tatOf(key, now)
  local spent = spend(tat, interval, burst, math.max(cost, 1))
  if spent < 0 then return 0, remaining(tat, interval, burst), -spent end
  local next = tat
  if cost > 0 then
    next = spent
    keep(key, now, next)
  end
  return 1, remaining(next, interval, burst), 0
end

local function charge(key, now, interval, burst, cost)
  local tat = tatOf(key, now)
  local next = math.max(tat, 0) + cost * interval
  keep(key, now, math.max(tat, math.min(next, burst * interval)))
end
`;
