-- KEYS[1] event stream; ARGV queue prefix, job ids. Answers {newest id the stream gave, {state or '', attempts, run, cancel requested?} of each
-- job, id of the last entry that is still there}: the few facts that tell whether a record may be behind, for audits of millions of jobs.
local p, out, last, held = ARGV[1], {}, '0-0', '0-0'
if rcall('EXISTS', KEYS[1]) == 1 then
  local info = rcall('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] elseif info[i] == 'last-entry' then held = info[i + 1] and info[i + 1][1] or held end
  end
end
for i = 2, #ARGV do
  local id, state = ARGV[i], ''
  local k = p .. id
  local h = rcall('HMGET', k, 'name', 'ats', 'run', 'cr')
  if h[1] then
    if rcall('ZSCORE', p .. 'completed', id) then state = 'completed'
    elseif rcall('ZSCORE', p .. 'failed', id) then state = 'failed'
    elseif rcall('ZSCORE', p .. 'delayed', id) then state = 'delayed'
    elseif rcall('ZSCORE', p .. 'waiting-children', id) then state = 'waiting-children'
    elseif rcall('EXISTS', k .. ':lock') == 1 then state = 'active'
    elseif rcall('ZSCORE', p .. 'prioritized', id) then state = 'prioritized'
    elseif rcall('LPOS', p .. 'active', id) then state = 'active'
    else state = 'waiting' end
  end
  out[i - 1] = {state, h[2] or '0', h[3] or '1', h[4] and 1 or 0}
end
return {last, out, held}
