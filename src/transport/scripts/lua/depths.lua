-- KEYS[1] any key of ours; ARGV queue prefixes. Answers for each: wait + paused, prioritized, delayed, blocked, active, completed, failed, paused?
local out = {}
for i, p in ipairs(ARGV) do
  out[i] = {
    rcall('LLEN', p .. 'wait') + rcall('LLEN', p .. 'paused'), rcall('ZCARD', p .. 'prioritized'), rcall('ZCARD', p .. 'delayed'),
    rcall('ZCARD', p .. 'waiting-children'), rcall('LLEN', p .. 'active'), rcall('ZCARD', p .. 'completed'), rcall('ZCARD', p .. 'failed'),
    rcall('HEXISTS', p .. 'meta', 'paused'),
  }
end
return out
