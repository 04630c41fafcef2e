-- KEYS[1] any key of ours; ARGV queue prefixes. Answers for each: wait + paused, prioritized, delayed, blocked, active, completed, failed, paused?
local out = {}
for i, p in ipairs(ARGV) do
  -- Jobs that a limit holds back wait, wherever they stand.
  local parked = rcall('ZCOUNT', p .. 'delayed', gate.far, '+inf')
  out[i] = {
    rcall('LLEN', p .. 'wait') + rcall('LLEN', p .. 'paused') + parked, rcall('ZCARD', p .. 'prioritized'),
    rcall('ZCARD', p .. 'delayed') - parked,
    rcall('ZCARD', p .. 'waiting-children'), rcall('LLEN', p .. 'active'), rcall('ZCARD', p .. 'completed'), rcall('ZCARD', p .. 'failed'),
    rcall('HEXISTS', p .. 'meta', 'paused'),
  }
end
return out
