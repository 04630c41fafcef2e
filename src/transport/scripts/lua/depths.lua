-- KEYS[1] any key of ours; ARGV queue prefixes. Answers for each: wait + paused, prioritized, delayed, blocked, active, completed, failed, paused?
-- What stands under the name of a queue may be anything: a key of another type holds no jobs, and hides those of no other queue.
local function count(command, key, ...)
  local n = redis.pcall(command, key, ...)
  return type(n) == 'number' and n or 0
end

local out = {}
for i, p in ipairs(ARGV) do
  -- Jobs that a limit holds back wait, wherever they stand.
  local parked = count('ZCOUNT', p .. 'delayed', gate.far, gate.farthest)
  out[i] = {
    count('LLEN', p .. 'wait') + count('LLEN', p .. 'paused') + parked, count('ZCARD', p .. 'prioritized'),
    count('ZCARD', p .. 'delayed') - parked,
    count('ZCARD', p .. 'waiting-children'), count('LLEN', p .. 'active'), count('ZCARD', p .. 'completed'), count('ZCARD', p .. 'failed'),
    count('HEXISTS', p .. 'meta', 'paused'),
  }
end
return out
