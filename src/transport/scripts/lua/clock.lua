-- In front of every script: the one clock. ARGV[2] of the scripts that take a time is the process' own; it becomes Redis'. It stays text, as
-- BullMQ's is: Redis writes numbers of scripts slowly.
local own, redisTime

function qd.clock(ARGV)
  local t = rcall('TIME')
  own, redisTime = ARGV[2], t[1] .. string.sub('00000' .. t[2], -6, -4)
  ARGV[2] = redisTime
end

-- By how much the process' clock is ahead, ms.
function qd.ahead()
  local at = tonumber(own)
  return at and at - redisTime or 0
end

-- From when on a new job's delay counts, so that it is due `delay` later, or at the moment that its producer named.
function qd.from(opts, delay)
  local at = opts.qd and tonumber(opts.qd.at)
  return at and at - tonumber(delay) or qd.now()
end
