"""The scripts that run inside Redis: each is one atomic step on the server's own time.

Numbers stay below 2^53, where Lua's doubles are exact: microseconds since 1970 until the year 2255.
"""

from typing import Final

ADMIT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function whole(number) return string.format('%.0f', number) end
local FIELDS = 6
local after, fits = {}, true
for i, key in ipairs(KEYS) do
  local at = (i - 1) * FIELDS
  local kind, cost = ARGV[at + 1], tonumber(ARGV[at + 2])
  if kind == 'b' then
    local interval, capacity_us = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local full_at = tonumber(redis.call('GET', key) or '0')
    local taken = math.max(full_at, now) + cost * interval
    if cost > 0 and taken - now > capacity_us then fits = false end
    after[i] = {before = full_at, full_at = taken}
  else
    local period, limit = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local burst_limit, quiet_below = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
    local known = redis.call('HMGET', key, 'n', 'u', 'p')
    local n, u, p = tonumber(known[1] or '0'), tonumber(known[2] or '0'), tonumber(known[3] or '0')
    local present = math.floor(now / period)
    if present > n then
      p = (present == n + 1) and u or 0
      n, u = present, 0
    end
    local allowed = (p < quiet_below) and burst_limit or limit
    if cost > 0 and u + cost > allowed then fits = false end
    after[i] = {n = n, u = u, p = p, period = period}
  end
end
local answer = {fits and 1 or 0, now}
for i, key in ipairs(KEYS) do
  local cost = tonumber(ARGV[(i - 1) * FIELDS + 2])
  local known = after[i]
  if known.full_at then
    if fits and cost > 0 then
      redis.call('SET', key, whole(known.full_at), 'PX', whole((known.full_at - now) / 1000 + 60000))
      answer[#answer + 1] = known.full_at
    else
      answer[#answer + 1] = known.before
    end
  else
    if fits and cost > 0 then
      known.u = known.u + cost
      redis.call('HSET', key, 'n', whole(known.n), 'u', whole(known.u), 'p', whole(known.p))
      redis.call('PEXPIRE', key, whole(((known.n + 2) * known.period - now) / 1000 + 60000))
    end
    answer[#answer + 1] = {known.n, known.u, known.p}
  end
end
return answer
"""
"""KEYS: one per demand. ARGV, six per demand: 'b', cost, interval, capacity in microseconds, '', '' for a bucket;
'w', cost, period, limit, burst limit, quiet below for a window. All or none is taken.

Returns 1 or 0, the time, and per key what is known of it afterwards: a number, or {n, u, p}.
Keys outlive their meaning by a minute, for a server that takes over with a clock that is late.
"""

SETTLE: Final = """
for i, key in ipairs(KEYS) do
  local number, change = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
  local known = tonumber(redis.call('HGET', key, 'n') or '-1')
  local field = (known == number and 'u') or (known == number + 1 and 'p')
  if field and redis.call('HINCRBY', key, field, change) < 0 then redis.call('HSET', key, field, '0') end
end
"""
"""KEYS: windows. ARGV, two per key: the number of the window that was counted in, and the change."""
