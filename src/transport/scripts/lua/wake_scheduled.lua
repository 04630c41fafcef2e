-- KEYS[1] hash of a schedule, KEYS[2] list of its runs that wait, KEYS[3] set of schedules with such runs; ARGV schedule
-- The first run that waits goes on, once all that have started before it have ended. Answers 1 when one was woken.
local function stateOf(key)
  if key == '' or rcall('HEXISTS', key, 'name') == 0 then return 'completed' end
  local prefix, id = string.match(key, '^(.*:)([^:]*)$')
  return qd.state(prefix, id), prefix, id
end
while true do
  local first = rcall('LINDEX', KEYS[2], 0)
  if not first then
    rcall('SREM', KEYS[3], ARGV[1])
    return 0
  end
  local state, prefix, id = stateOf(first)
  if state == 'completed' or state == 'failed' then rcall('LPOP', KEYS[2])
  elseif state ~= 'delayed' or qd.runsOf(KEYS[1], first)[1] then return 0
  else
    rcall('ZREM', prefix .. 'delayed', id)
    rcall('HSET', first, 'delay', 0)
    local priority = tonumber(rcall('HGET', first, 'priority') or '') or 0
    if priority == 0 then rcall('RPUSH', prefix .. 'wait', id) else qd.prioritize(prefix, id, priority) end
    qd.wake(prefix)
    qd.note(prefix .. 'events', id, 'waiting', 'prev', 'delayed')
    return 1
  end
end
