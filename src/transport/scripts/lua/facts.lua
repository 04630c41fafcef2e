-- KEYS[1] event stream; ARGV queue prefix, job ids. Answers {newest id the stream gave, first entry, facts of each job, last entry that is still
-- there}: what is so at exactly that position. Facts: {state or '' when unknown, oldest reachable?, fields}. After 4 MB of facts the jobs that
-- are left get no answer, so that neither side has to hold hundreds of the largest payloads at once.
local p, out, last, first, held, size = ARGV[1], {}, '0-0', false, '0-0', 0
if rcall('EXISTS', KEYS[1]) == 1 then
  local info = rcall('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] elseif info[i] == 'first-entry' then first = info[i + 1] and info[i + 1][1]
    elseif info[i] == 'last-entry' then held = info[i + 1] and info[i + 1][1] or held end
  end
end
for i = 2, #ARGV do
  local id, state = ARGV[i], ''
  local k = p .. id
  local h = rcall('HMGET', k, 'eid', 'name', 'data', 'opts', 'ats', 'atm', 'returnvalue', 'failedReason', 'stacktrace', 'progress', 'pb', 'run',
    'finishedOn', 'processedOn', 'timestamp', 'delay', 'priority', 'cr', 'stc')
  if h[2] then
    if rcall('ZSCORE', p .. 'completed', id) then state = 'completed'
    elseif rcall('ZSCORE', p .. 'failed', id) then state = 'failed'
    elseif rcall('ZSCORE', p .. 'delayed', id) then state = 'delayed'
    elseif rcall('ZSCORE', p .. 'waiting-children', id) then state = 'waiting-children'
    elseif rcall('EXISTS', k .. ':lock') == 1 then state = 'active'
    elseif rcall('ZSCORE', p .. 'prioritized', id) then state = 'prioritized'
    elseif rcall('LPOS', p .. 'active', id) then state = 'active'
    else state = 'waiting' end
  end
  local streamed = 0
  if h[1] and first and #rcall('XRANGE', KEYS[1], h[1], h[1]) == 1 then streamed = 1 end
  out[i - 1] = {state, streamed, h}
  for _, place in ipairs({3, 4, 7, 8, 9}) do size = size + (h[place] and #h[place] or 0) end
  if size > 4194304 then break end
end
return {last, first or '0-0', out, held}
